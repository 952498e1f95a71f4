import { type ErrorDetail, EventPulseError } from "../model/error.ts";
import { type Connection, errorDetails, isObject, sleep } from "./connection.ts";

export interface SendOptions {
  /** Ends the sending: requests under way are dropped, and what they carried may have been accepted or not. */
  readonly signal?: AbortSignal | undefined;
  /** How the events are written one after another. `ndjson` for lines, which may hold broken JSON: it then fails alone. Default `json`. */
  readonly format?: "json" | "ndjson";
  /** Requests under way at once. Default 4. */
  readonly concurrency?: number;
  /** Called after every answer, with the totals so far. */
  readonly onProgress?: (progress: SendProgress) => void;
  /** Called for each event that is not going to be a record as it is, as soon as that is known. */
  readonly onInvalid?: (item: InvalidItem) => void;
}

export interface SendProgress {
  /** Events that have been answered for: accepted or refused. */
  readonly sent: number;
  readonly accepted: number;
  /** Events that break their contract, kept or refused. */
  readonly invalid: number;
  readonly requests: number;
}

/** One event that is not going to be a record as it is. */
export interface InvalidItem {
  /** Position among the events given, from 0. */
  readonly index: number;
  /** True: accepted, and waiting in the failure log to be mended. False: refused, and kept nowhere. */
  readonly kept: boolean;
  readonly errors: readonly ErrorDetail[];
}

export interface SendResult extends SendProgress {
  /** Ascending by index. Every other event is durable and valid. */
  readonly items: readonly InvalidItem[];
}

/** Events per request: small enough that one bad request costs little, large enough that requests cost nothing. */
export const batchEventsMax = 1_000;
/** Bytes per request before compression: half of what the server takes, so that a slow line is done within its limit. */
export const batchBytesMax = 5 * 1024 * 1024;
const concurrencyDefault = 4;
/** How long a batch waits for company, so that a pipe that trickles is seen at once and one that pours fills its batches. */
const lingerMillis = 200;
/** Below this a compressed body saves no packet. */
const compressBytesMin = 1_024;

interface Batch {
  readonly first: number;
  readonly events: readonly Uint8Array[];
}

/** Events as the UTF-8 bytes of their JSON, as many at a time as come at a time: a pause between two chunks sends what is there. */
export type EventChunks = Iterable<readonly Uint8Array[]> | AsyncIterable<readonly Uint8Array[]>;

/**
 * Sends events, given as the UTF-8 bytes of their JSON, in batches of up to `batchEventsMax` events and `batchBytesMax`
 * bytes, several at a time, compressed. Each batch has one Idempotency-Key for all its tries, so a lost answer never makes
 * two of an event. A batch that the server refuses because of its content is halved until the one bad event stands alone.
 * Throws what `Connection.request` throws for anything but content (key, stream, server down): the sending stops there.
 */
export async function sendEvents(
  connection: Connection,
  stream: string,
  events: EventChunks,
  options: SendOptions = {},
): Promise<SendResult> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]);
  const send: Sending = { connection, stream, format: options.format ?? "json", signal };
  const batches = batchesOf(events);
  const items: InvalidItem[] = [];
  const totals = { sent: 0, accepted: 0, invalid: 0, requests: 0 };
  const work = async () => {
    for (;;) {
      const next = await batches.next();
      if (next.done === true) return;
      signal.throwIfAborted();
      for await (const answer of sendBatch(send, next.value)) {
        totals.requests += 1;
        totals.sent += answer.sent;
        totals.accepted += answer.accepted;
        totals.invalid += answer.items.length;
        for (const item of answer.items) {
          items.push(item);
          options.onInvalid?.(item);
        }
        options.onProgress?.({ ...totals });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency ?? concurrencyDefault }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  items.sort((left, right) => left.index - right.index);
  return { ...totals, items };
}

async function* batchesOf(chunks: EventChunks): AsyncGenerator<Batch, void> {
  let first = 0;
  let bytes = 0;
  let events: Uint8Array[] = [];
  const take = (): Batch => {
    const batch = { first, events };
    first += events.length;
    events = [];
    bytes = 0;
    return batch;
  };
  const source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  for (let next = source.next(); ; next = source.next()) {
    if (events.length > 0 && (await isPaused(next))) yield take();
    const chunk = await next;
    if (chunk.done === true) break;
    for (const event of chunk.value) {
      if (events.length === batchEventsMax || (events.length > 0 && bytes + event.length > batchBytesMax)) yield take();
      events.push(event);
      bytes += event.length + 1;
    }
  }
  if (events.length > 0) yield take();
}

async function isPaused(next: unknown): Promise<boolean> {
  if (!(next instanceof Promise)) return false;
  const waiting = new AbortController();
  const pause = sleep(lingerMillis, waiting.signal).then(
    () => true,
    () => false,
  );
  const arrived = next.then(
    () => false,
    () => false,
  );
  const paused = await Promise.race([arrived, pause]);
  waiting.abort();
  return paused;
}

interface BatchAnswer {
  readonly sent: number;
  readonly accepted: number;
  readonly items: readonly InvalidItem[];
}

interface Sending {
  readonly connection: Connection;
  readonly stream: string;
  readonly format: "json" | "ndjson";
  readonly signal: AbortSignal;
}

async function* sendBatch(sending: Sending, batch: Batch): AsyncGenerator<BatchAnswer> {
  const { connection, stream, format, signal } = sending;
  const { body, encoding } = await encodeBatch(batch.events, format);
  const contentType = format === "json" ? "application/json" : "application/x-ndjson";
  try {
    const answer = await connection.json("POST", `/v1/streams/${encodeURIComponent(stream)}/events`, {
      headers: { "content-type": contentType, "idempotency-key": crypto.randomUUID(), ...encoding },
      body,
      signal,
    });
    yield readAnswer(answer, batch);
    return;
  } catch (error) {
    if (!(error instanceof EventPulseError) || !isAboutContent(error)) throw error;
    if (batch.events.length === 1) {
      const errors =
        error.errors.length > 0 ? error.errors : [{ pointer: "", code: error.code, detail: error.message }];
      yield { sent: 1, accepted: 0, items: [{ index: batch.first, kept: false, errors }] };
      return;
    }
  }
  // A refused batch was not kept in any part, so its halves are new requests.
  const half = Math.ceil(batch.events.length / 2);
  yield* sendBatch(sending, { first: batch.first, events: batch.events.slice(0, half) });
  yield* sendBatch(sending, { first: batch.first + half, events: batch.events.slice(half) });
}

/** Whether another body would have been taken: what is wrong is in the events, not in the key, the stream or the server. */
function isAboutContent(error: EventPulseError): boolean {
  return error.retry === "never" && (error.status === 400 || error.status === 413 || error.status === 422);
}

function readAnswer(answer: unknown, batch: Batch): BatchAnswer {
  if (!isObject(answer) || typeof answer["accepted"] !== "number" || !Array.isArray(answer["invalid"])) {
    throw new EventPulseError("ANSWER_INVALID", "The server's answer to the events is not one that EventPulse gives.");
  }
  const items = answer["invalid"].filter(isObject).map(({ index, errors }) => ({
    index: batch.first + Number(index),
    kept: true,
    errors: errorDetails(errors),
  }));
  return { sent: batch.events.length, accepted: answer["accepted"], items };
}

/** A JSON array or lines of the events, their bytes unchanged. */
async function encodeBatch(events: readonly Uint8Array[], format: "json" | "ndjson") {
  const array = format === "json";
  const body = new Uint8Array(events.reduce((bytes, event) => bytes + event.length + 1, array ? 1 : 0));
  let offset = 0;
  if (array) body[offset++] = 0x5b;
  for (const event of events) {
    body.set(event, offset);
    offset += event.length;
    body[offset++] = array ? 0x2c : 0x0a;
  }
  if (array) body[offset - 1] = 0x5d;
  if (body.length < compressBytesMin) return { body, encoding: {} };
  const compressed = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
  return {
    body: new Uint8Array(await new Response(compressed).arrayBuffer()),
    encoding: { "content-encoding": "gzip" },
  };
}
