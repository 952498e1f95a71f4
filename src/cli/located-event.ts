import { isUtf8 } from "node:buffer";
import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { scanJson } from "../pipeline/ingest/scan-json.ts";

export interface LocatedEvent {
  readonly bytes: Uint8Array;
  /** Line of the file on which the event starts, from 1. */
  readonly line: number;
}

const newline = 0x0a;

/** The events of a JSON text: the elements of an array, else the whole, each with its bytes as they are in the file. Throws JSON_INVALID, JSON_TOO_DEEP, UTF8_INVALID. */
export function jsonEvents(file: Uint8Array): readonly LocatedEvent[] {
  const bytes = withoutByteOrderMark(file);
  if (!isUtf8(bytes)) throw new EventPulseError("UTF8_INVALID", "it is not valid UTF-8");
  try {
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    throw new EventPulseError(
      "JSON_INVALID",
      `it is not valid JSON: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
  const { ranges, tooDeep } = scanJson(bytes, 0, bytes.length);
  if (tooDeep) throw new EventPulseError("JSON_TOO_DEEP", `it is nested more than ${limits.jsonDepthMax} levels deep`);
  const events: LocatedEvent[] = [];
  let line = 1;
  let counted = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const start = ranges[index] ?? 0;
    for (let at = bytes.indexOf(newline, counted); at !== -1 && at < start; at = bytes.indexOf(newline, at + 1)) line++;
    counted = start;
    events.push({ bytes: bytes.subarray(start, ranges[index + 1]), line });
  }
  return events;
}

/** The lines of a stream as events, as many at a time as come at a time; blank lines are no events. Nothing is kept once it was given out. */
export async function* ndjsonEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly LocatedEvent[], void> {
  let rest: Uint8Array = new Uint8Array();
  let line = 0;
  for await (const chunk of chunks) {
    const bytes = line === 0 && rest.length === 0 ? withoutByteOrderMark(chunk) : Buffer.concat([rest, chunk]);
    const events: LocatedEvent[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      line++;
      if (!isBlank(bytes, start, end)) events.push({ bytes: bytes.subarray(start, end), line });
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > limits.bodyBytesMax) {
      throw new EventPulseError(
        "EVENT_TOO_LARGE",
        `line ${line + 1} is longer than ${limits.bodyBytesMax} bytes; is this NDJSON?`,
      );
    }
    if (events.length > 0) yield events;
  }
  if (!isBlank(rest, 0, rest.length)) yield [{ bytes: rest, line: line + 1 }];
}

export interface CsvPiece {
  readonly body: Uint8Array;
  /** Line on which each row starts, from 1, in order; blank lines are no rows. */
  readonly lines: readonly number[];
}

/** A CSV text in pieces of at most about `bytesMax`, each with the header line. Cuts between rows only: a line break in quotes is part of a cell. */
export function* csvPieces(file: Uint8Array, bytesMax: number): Generator<CsvPiece, void> {
  const bytes = withoutByteOrderMark(file);
  const [head, ...rows] = rowsOf(bytes);
  const header = bytes.subarray(head?.start ?? 0, head?.end ?? 0);
  let first = 0;
  // A row that is too large goes alone, and the server says so.
  for (let index = 1; index <= rows.length; index++) {
    const row = rows[index];
    const start = rows[first]?.start ?? 0;
    if (row !== undefined && header.length + row.end - start <= bytesMax) continue;
    const body = Buffer.concat([header, bytes.subarray(start, rows[index - 1]?.end)]);
    yield { body, lines: rows.slice(first, index).map(({ line }) => line) };
    first = index;
  }
  if (rows.length === 0) yield { body: header, lines: [] };
}

/** Byte range of each row with its line break, and the line it starts on. */
function rowsOf(bytes: Uint8Array): { readonly start: number; readonly end: number; readonly line: number }[] {
  const rows: { start: number; end: number; line: number }[] = [];
  let quoted = false;
  let start = 0;
  let startLine = 1;
  let line = 1;
  const finish = (end: number) => {
    if (!isBlank(bytes, start, end)) rows.push({ start, end, line: startLine });
    start = end;
    startLine = line;
  };
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x22) quoted = !quoted;
    if (bytes[at] !== newline) continue;
    line++;
    if (!quoted) finish(at + 1);
  }
  if (start < bytes.length) finish(bytes.length);
  return rows;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== newline) return false;
  }
  return true;
}

/** RFC 8259, section 8.1 lets a reader ignore it; files from Windows tools start with it. */
function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
