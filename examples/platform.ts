import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbedded } from "../src/platforms/embedded/main.ts";

/** The HTTP API of an EventPulse, as far as the examples need it. */
export interface Platform {
  readonly url: string;
  /** Any request; throws what the server says is wrong when the answer is no success. */
  request(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Response>;
  get<Answer>(path: string): Promise<Answer>;
  /** Every row of a list, page by page. `path` has a query. */
  rows<Row>(path: string): AsyncGenerator<Row>;
  /** Waits until everything that was accepted has been processed. */
  settled(): Promise<Balance>;
}

export interface Balance {
  readonly total: {
    readonly accepted: number;
    readonly stored: number;
    readonly inFlight: number;
    readonly quarantined: number;
  };
}

/**
 * Runs `use` against the EventPulse at EVENTPULSE_URL (with EVENTPULSE_KEY, if it wants one), or without that against one of
 * its own: started here on a free port with a config file and an empty data folder, and gone afterwards.
 */
export async function withPlatform(configFile: string, use: (platform: Platform) => Promise<void>): Promise<void> {
  const running = process.env["EVENTPULSE_URL"];
  if (running !== undefined) return use(platformAt(running.replace(/\/$/, ""), process.env["EVENTPULSE_KEY"] ?? null));
  const dataDirectory = await mkdtemp(join(tmpdir(), "eventpulse-example-"));
  const embedded = await startEmbedded({ configFile, dataDirectory, host: "127.0.0.1", port: 0, watch: false });
  try {
    await use(platformAt(embedded.url, embedded.key));
  } finally {
    await embedded.close();
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

function platformAt(url: string, key: string | null): Platform {
  const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const platform: Platform = {
    url,
    async request(method, path, headers = {}, body) {
      const target = new URL(path, url);
      const answer = await fetch(target, {
        method,
        headers: { ...authorization, ...headers },
        ...(body === undefined ? {} : { body }),
      });
      if (!answer.ok)
        throw new Error(`${method} ${target.pathname} was answered ${answer.status}: ${await answer.text()}`);
      return answer;
    },
    async get<Answer>(path: string) {
      return (await (await platform.request("GET", path)).json()) as Answer;
    },
    async *rows<Row>(path: string) {
      let cursor: string | null = null;
      do {
        const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const { data, page }: Page<Row> = await platform.get<Page<Row>>(`${path}${more}`);
        yield* data;
        cursor = page.next;
      } while (cursor !== null);
    },
    async settled() {
      for (;;) {
        const balance = await platform.get<Balance>("/v1/balance");
        if (balance.total.inFlight === 0) return balance;
        await sleep(50);
      }
    },
  };
  return platform;
}

interface Page<Row> {
  readonly data: readonly Row[];
  readonly page: { readonly next: string | null };
}
