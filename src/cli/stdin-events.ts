import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { EventFileFormat } from "./event-file.ts";
import { jsonEvents, type LocatedEvent, ndjsonEvents } from "./located-event.ts";

/** Events that come through a pipe: lines as they come, everything else once it has all come. */
export type StdinEvents =
  | { readonly format: "json"; readonly events: Iterable<readonly LocatedEvent[]> }
  | { readonly format: "ndjson"; readonly events: AsyncIterable<readonly LocatedEvent[]> }
  | { readonly format: "csv"; readonly body: Uint8Array };

const newline = 0x0a;
/** A first line that is longer is no line of NDJSON worth waiting for. */
const firstLineBytesMax = 1024 * 1024;

/**
 * Without a format: NDJSON when the first line is a whole JSON object, else JSON. `stopped` ends the reading as if the pipe
 * had ended. Throws as `jsonEvents` does.
 */
export async function stdinEvents(
  stdin: Readable,
  format: EventFileFormat | undefined,
  stopped: AbortSignal,
): Promise<StdinEvents> {
  const chunks = untilStopped(stdin, stopped);
  const { head, rest } = await firstLine(chunks);
  async function* all(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    yield* rest;
  }
  const known = format ?? (isJsonObject(head) ? "ndjson" : "json");
  if (known === "ndjson") return { format: known, events: ndjsonEvents(all()) };
  const body = await buffer(all());
  return known === "csv" ? { format: known, body } : { format: known, events: [jsonEvents(body)] };
}

async function firstLine(chunks: AsyncGenerator<Uint8Array>) {
  let head: Uint8Array = new Uint8Array();
  while (!head.includes(newline) && head.length < firstLineBytesMax) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { head, rest: chunks };
}

function isJsonObject(head: Uint8Array): boolean {
  const end = head.indexOf(newline);
  try {
    const value: unknown = JSON.parse(Buffer.from(end === -1 ? head : head.subarray(0, end)).toString());
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The chunks of a pipe or a file; `stopped` ends them at once, also while none comes. */
export async function* untilStopped(stdin: Readable, stopped: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => stdin.destroy();
  stopped.addEventListener("abort", stop, { once: true });
  try {
    yield* stdin;
  } catch (error) {
    if (!stopped.aborted) throw error;
  } finally {
    stopped.removeEventListener("abort", stop);
  }
}
