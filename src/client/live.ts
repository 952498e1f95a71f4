import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { type Connection, delayMillis, sleep } from "./connection.ts";

/** One thing that happened: a `record`, `failure` or `anomaly` as the API shows it, or `skipped` with how many were left out. */
export interface LiveMessage {
  readonly kind: "record" | "failure" | "anomaly" | "skipped";
  readonly data: unknown;
  /** The JSON text of `data` as it came. */
  readonly json: string;
}

export interface LiveOptions {
  readonly signal?: AbortSignal | undefined;
  /** `lost`: the line broke and is being tried again; what happens until `open` is not shown. */
  readonly onLine?: (state: "open" | "lost", reason: string | null) => void;
}

/** What a server said about coming back. */
interface Resume {
  /** From where on to go on; null: it keeps the line open, and there is nothing to go on from. */
  lastEventId: string | null;
  retryMillis: number | null;
}

const kinds: ReadonlySet<string> = new Set(["record", "failure", "anomaly", "skipped"] satisfies LiveMessage["kind"][]);

/**
 * What is committed from now on, until `signal` aborts (which ends the iteration without an error). Reconnects for ever with
 * growing pauses. A server that cannot keep a line open says where it ended (`id`): it is asked from there on, and nothing is
 * lost in between. Throws when the server refuses: key, stream.
 */
export async function* live(
  connection: Connection,
  stream: string | null,
  { signal, onLine }: LiveOptions = {},
): AsyncGenerator<LiveMessage, void> {
  const resume: Resume = { lastEventId: null, retryMillis: null };
  let open = false;
  for (let attempt = 1; ; attempt++) {
    let polls = false;
    using silence = silenceWatch();
    try {
      const response = await connection.request("GET", "/v1/live", {
        query: { stream },
        headers: {
          accept: "text/event-stream",
          ...(resume.lastEventId !== null && { "last-event-id": resume.lastEventId }),
        },
        signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
        timeout: false,
      });
      if (!open) onLine?.("open", null);
      open = true;
      for await (const { event, data } of serverSentEvents(response, silence.heard, resume)) {
        attempt = 1;
        if (kinds.has(event)) yield { kind: event as LiveMessage["kind"], data: JSON.parse(data), json: data };
      }
      polls = resume.lastEventId !== null;
      if (polls) attempt = 0;
      else onLine?.("lost", "the server ended the connection");
      open = polls;
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof EventPulseError && error.retry === "never") throw error;
      onLine?.("lost", error instanceof Error ? error.message : String(error));
      open = false;
    }
    try {
      await sleep(polls ? (resume.retryMillis ?? pollMillis) : delayMillis(attempt, null), signal);
    } catch {
      return;
    }
  }
}

/** Between two polls of a server that does not say. */
const pollMillis = 2_000;

/** A line on which not even the heartbeat came three times in a row is dead, whatever the network says. */
function silenceWatch(): { readonly signal: AbortSignal; readonly heard: () => void } & Disposable {
  const controller = new AbortController();
  const end = () => controller.abort(new Error("nothing came for too long"));
  let timer = setTimeout(end, limits.liveHeartbeatSeconds * 3_000);
  return {
    signal: controller.signal,
    heard() {
      clearTimeout(timer);
      timer = setTimeout(end, limits.liveHeartbeatSeconds * 3_000);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** Splits a `text/event-stream` by the rules of the HTML standard, section 9.2.6. */
export async function* serverSentEvents(
  response: Response,
  heard: () => void = () => undefined,
  resume: Resume = { lastEventId: null, retryMillis: null },
): AsyncGenerator<{ readonly event: string; readonly data: string }, void> {
  let event = "";
  let data: string[] = [];
  for await (const line of linesOf(response, heard)) {
    if (line === "") {
      if (data.length > 0) yield { event: event === "" ? "message" : event, data: data.join("\n") };
      event = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) resume.lastEventId = value;
    else if (name === "retry" && /^\d{1,7}$/.test(value)) resume.retryMillis = Number(value);
  }
}

/** Lines end with CR LF, LF or CR, also when a chunk ends between CR and LF. An unfinished last line is dropped, as the standard says. */
async function* linesOf(response: Response, heard: () => void): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    heard();
    rest += decoder.decode(chunk, { stream: true });
    const held = rest.endsWith("\r") ? "\r" : "";
    const lines = rest.slice(0, rest.length - held.length).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + held;
    yield* lines;
  }
}
