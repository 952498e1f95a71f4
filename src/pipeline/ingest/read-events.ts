import { isUtf8 } from "node:buffer";
import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { RawFormat } from "../../model/raw-object.ts";
import { cloudEventFromEnvelope, cloudEventFromHeaders } from "./cloud-event.ts";
import { type CsvColumns, readCsv } from "./csv.ts";
import { inspectJson } from "./inspect-json.ts";
import { type ReadEvent, tooMany } from "./read-event.ts";
import { type JsonScan, scanJson } from "./scan-json.ts";

export interface ReadRequest {
  readonly format: RawFormat;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly eventsMax: number;
  /** For CSV: how cells become values. */
  readonly csvColumns: CsvColumns;
}

/**
 * Finds the events of a body: the same function at the door and in processing, so that both see the same events. Throws an
 * EventPulseError with a 4xx code when the body as a whole cannot be read: no UTF-8, no JSON, too many events. An event that
 * alone cannot be read has `errors`.
 */
export function readEvents(request: ReadRequest): readonly ReadEvent[] {
  const body = withoutByteOrderMark(request.body);
  if (body.length === 0) throw new EventPulseError("BODY_EMPTY", "The body is empty; send at least one event.");
  if (!isUtf8(body))
    throw new EventPulseError("UTF8_INVALID", "The body is not valid UTF-8; it is refused, not repaired.");
  switch (request.format) {
    case "ndjson":
      return readLines(body, request.eventsMax);
    case "csv":
      return readCsv(body, request.eventsMax, request.csvColumns);
    case "json":
      return readJson(body, request.eventsMax, (data) => ({ data, attributes: null, errors: null }));
    case "cloudevent":
    case "cloudevent-batch":
      return readJson(body, request.eventsMax, cloudEventFromEnvelope);
    case "cloudevent-binary": {
      const attributes = cloudEventFromHeaders(request.headers);
      return readJson(body, 1, (data) => ({ data, attributes, errors: null }));
    }
  }
}

type Shape = (value: unknown) => Pick<ReadEvent, "data" | "attributes" | "errors">;

function readJson(body: Uint8Array, eventsMax: number, shape: Shape): readonly ReadEvent[] {
  const scan = scanJson(body, 0, body.length);
  if (scan.tooDeep) throw tooDeep();
  const text = textOf(body, 0, body.length);
  const value = parse(text);
  const elements: readonly unknown[] = scan.array ? (value as unknown[]) : [value];
  tooMany(elements.length, eventsMax);
  const suspicious = isSuspicious(scan, elements);
  const events: ReadEvent[] = new Array(elements.length);
  for (let index = 0; index < elements.length; index++) {
    const original = body.subarray(scan.ranges[2 * index], scan.ranges[2 * index + 1]);
    const errors = eventErrors(original, suspicious);
    events[index] = errors ? unreadable(index, original, errors) : { index, original, ...shape(elements[index]) };
  }
  return events;
}

function readLines(body: Uint8Array, eventsMax: number): readonly ReadEvent[] {
  const events: ReadEvent[] = [];
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (let start = 0; start < buffer.length; ) {
    const newline = buffer.indexOf(0x0a, start);
    const end = newline < 0 ? buffer.length : newline;
    if (!isBlank(buffer, start, end)) {
      tooMany(events.length + 1, eventsMax);
      events.push(readLine(events.length, buffer, start, buffer[end - 1] === 0x0d ? end - 1 : end));
    }
    start = end + 1;
  }
  if (events.length === 0) throw new EventPulseError("BODY_EMPTY", "The body holds no line; send one event a line.");
  return events;
}

function readLine(index: number, body: Buffer, start: number, end: number): ReadEvent {
  const original = body.subarray(start, end);
  const scan = scanJson(body, start, end);
  try {
    if (scan.tooDeep) throw tooDeep();
    const data = parse(textOf(body, start, end));
    const errors = eventErrors(original, isSuspicious(scan, [data]));
    return errors ? unreadable(index, original, errors) : { index, original, data, attributes: null, errors: null };
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    return unreadable(index, original, [{ pointer: "", code: error.code, detail: error.message }]);
  }
}

/** Duplicate keys and inexact numbers are rare, so they are looked for only in texts that may hold them. */
function isSuspicious(scan: JsonScan, elements: readonly unknown[]): boolean {
  if (scan.longNumber) return true;
  let keys = 0;
  for (const element of elements) keys += countKeys(element);
  return keys !== scan.keys;
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  for (const key in value) {
    const child = (value as Record<string, unknown>)[key];
    count += typeof child === "object" && child !== null ? 1 + countKeys(child) : 1;
  }
  return count;
}

function eventErrors(original: Uint8Array, suspicious: boolean): readonly ErrorDetail[] | null {
  if (original.length > limits.eventBytesMax) {
    const detail = `The event has ${original.length} bytes; the limit is ${limits.eventBytesMax}.`;
    return [{ pointer: "", code: "EVENT_TOO_LARGE", detail }];
  }
  if (!suspicious) return null;
  const errors = inspectJson(textOf(original, 0, original.length));
  return errors.length > 0 ? errors.slice(0, limits.errorsPerEventMax) : null;
}

function unreadable(index: number, original: Uint8Array, errors: readonly ErrorDetail[]): ReadEvent {
  return { index, original, data: null, attributes: null, errors };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes a piece of the input: it must not reach an answer or a log.
    const at = /position (\d+)/.exec(String(error))?.[1];
    const where = at === undefined ? "it ends too early" : `at character ${at}`;
    throw new EventPulseError("JSON_INVALID", `The JSON cannot be read: ${where}.`);
  }
}

function tooDeep(): EventPulseError {
  return new EventPulseError("JSON_TOO_DEEP", `The JSON is nested more than ${limits.jsonDepthMax} levels deep.`);
}

function isBlank(body: Uint8Array, start: number, end: number): boolean {
  for (let position = start; position < end; position++) {
    const byte = body[position] as number;
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  }
  return true;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8", start, end);
}

/** RFC 8259, section 8.1 lets a reader ignore it; files from Windows tools start with it. */
function withoutByteOrderMark(body: Uint8Array): Uint8Array {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}
