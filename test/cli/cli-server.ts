import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "../../src/client/connection.ts";
import { type Embedded, startEmbedded } from "../../src/platforms/embedded/main.ts";
import { type CliOptions, type CliResult, runCli } from "./run-cli.ts";

export interface CliServer {
  readonly url: string;
  readonly key: string;
  readonly folder: string;
  /** Runs a command against this server. */
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Waits until everything that was accepted is processed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** A stream of anything with an id and a number, another with a transform, and one of texts. */
const config = (api: string, zod: string) => `import { defineConfig, http, stream } from ${api};
import { z } from ${zod};
const orders = stream({ schema: z.object({ id: z.string(), total: z.number(), note: z.string().optional() }), key: "id" });
const texts = stream({ schema: z.object({ id: z.string(), text: z.string() }), key: "id" });
const timed = stream({ schema: z.object({ n: z.number(), at: z.iso.datetime() }), time: "at" });
export default defineConfig({ name: "cli", streams: { orders, texts, timed }, sources: [http()] });
`;

export async function startCliServer(): Promise<CliServer> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-cli-server-"));
  const configFile = join(folder, "eventpulse.config.ts");
  const api = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);
  await writeFile(configFile, config(api, JSON.stringify(import.meta.resolve("zod"))));
  const embedded: Embedded = await startEmbedded({
    configFile,
    dataDirectory: join(folder, "data"),
    host: "127.0.0.1",
    port: 0,
  });
  const { url, key } = embedded;
  return {
    url,
    key,
    folder,
    run: (args, options = {}) => runCli(args, { ...options, env: { EVENTPULSE_URL: url, ...options.env } }),
    async settled() {
      for (;;) {
        const balance = (await connect({ url, key }).json("GET", "/v1/balance")) as { total: { inFlight: number } };
        if (balance.total.inFlight === 0) return;
        await wait(20);
      }
    },
    async close() {
      await embedded.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
