import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { EventPulseError } from "../../model/error.ts";
import { tenantDefault } from "../../model/glossary.ts";
import type { RawMeta, RawObject } from "../../model/raw-object.ts";
import { decodeHeader, decodePayload, type FrameHeader, findHeader, frameHeaderBytes, isTorn } from "./raw-frame.ts";
import { type RawPosition, rawKey, rawPosition, segmentName, segmentOfName } from "./raw-position.ts";

/**
 * What lies at a place of the log. `corrupt`: bytes that were written whole and do not match their checksum any more; its
 * object holds what can still be told of it, and the bytes as they are. `erased`: retention has overwritten it.
 */
export type RawEntry =
  | {
      readonly kind: "object" | "corrupt";
      readonly position: RawPosition;
      readonly next: RawPosition;
      readonly object: RawObject;
      readonly bytes: number;
    }
  | { readonly kind: "erased"; readonly position: RawPosition; readonly next: RawPosition; readonly bytes: number };

/** Read ahead at once, so that small frames cost no call each; a larger frame is read whole. */
const chunkBytes = 1024 * 1024;

/** Segments in the folder, ascending. */
export function listSegments(directory: string): readonly number[] {
  return readdirSync(directory)
    .flatMap((name) => segmentOfName(name) ?? [])
    .sort((a, b) => a - b);
}

/** Streams of frames whose meta is lost: no stream can have this name. */
export const unreadableStream = "(unreadable)";

function corruptObject(position: RawPosition, payload: Buffer, header: FrameHeader | null): RawObject {
  const meta = {
    ...unknownMeta,
    ...(header === null ? {} : { events: header.events, receivedAt: header.receivedAt, ...metaOf(payload, header) }),
  };
  return {
    key: rawKey(meta, position),
    meta,
    body: Buffer.from(payload.subarray(header === null ? 0 : header.metaBytes)),
  };
}

const unknownMeta: RawMeta = {
  tenant: tenantDefault,
  stream: unreadableStream,
  door: "http",
  format: "json",
  receivedAt: 0,
  contentType: "application/octet-stream",
  headers: {},
  idSeed: "00000000000000",
  idSeedFromClient: false,
  events: 1,
  principal: "unknown",
};

/** The meta is often intact when the body is not. */
function metaOf(payload: Buffer, header: FrameHeader): Partial<RawMeta> {
  try {
    return JSON.parse(payload.toString("utf8", 0, header.metaBytes)) as RawMeta;
  } catch {
    return {};
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Reads frames of segments in order. Not shared between threads: each opens its own. */
export class RawReader {
  readonly #directory: string;
  #open: { readonly segment: number; readonly descriptor: number } | null = null;
  #chunk: Buffer = Buffer.alloc(0);
  #chunkAt: RawPosition = { segment: -1, offset: 0 };

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The entry at `position`, or null at the end of its segment. Corrupt bytes are skipped to the next header that can be
   * trusted, or to `limit` (the durable end) when there is none.
   */
  at(position: RawPosition, limit: number): RawEntry | null {
    // A segment may never have come to be (a full disk), or be gone (retention).
    if (this.#open?.segment !== position.segment && !this.#exists(position.segment)) return null;
    const header = decodeHeader(this.#bytes(position, frameHeaderBytes, limit), 0);
    if (header === null) return this.#gap(position, limit);
    const bytes = frameHeaderBytes + header.payloadBytes;
    const next = { segment: position.segment, offset: position.offset + bytes };
    if (header.metaBytes === 0) return { kind: "erased", position, next, bytes };
    const payload = this.#bytes(
      { ...position, offset: position.offset + frameHeaderBytes },
      header.payloadBytes,
      limit,
    );
    const frame = payload.length === header.payloadBytes ? decodePayload(header, payload) : null;
    if (frame !== null) {
      const object = { key: rawKey(frame.meta, position), meta: frame.meta, body: frame.body };
      return { kind: "object", position, next, object, bytes };
    }
    // A frame cut off by a crash was never acknowledged: it ends the segment, unless something was written after it.
    const torn = isTorn(payload) || payload.length < header.payloadBytes;
    if (torn && next.offset >= Math.min(limit, this.#written(next))) return null;
    return { kind: "corrupt", position, next, bytes, object: corruptObject(position, payload, header) };
  }

  /** The object with this key; null when the log does not hold it (any more). Throws RAW_CORRUPT. */
  read(key: string): RawObject | null {
    const position = rawPosition(key);
    if (position === null || !this.#exists(position.segment)) return null;
    // The chunk may be older than the tail: a single object is always read afresh, and alone.
    this.#chunkAt = { segment: -1, offset: 0 };
    const header = decodeHeader(this.#bytes(position, frameHeaderBytes, position.offset + frameHeaderBytes), 0);
    const end = position.offset + frameHeaderBytes + (header?.payloadBytes ?? 0);
    const entry = header === null ? null : this.at(position, end);
    if (entry?.kind === "object") return entry.object.key === key ? entry.object : null;
    if (entry === null || entry.kind === "erased") return null;
    throw new EventPulseError(
      "RAW_CORRUPT",
      `The bytes of ${key} do not match their checksum; restore the raw log from a backup.`,
    );
  }

  /** The segment that follows, or null: numbers have gaps where a segment could not be opened. */
  segmentAfter(segment: number): number | null {
    return listSegments(this.#directory).find((number) => number > segment) ?? null;
  }

  close(): void {
    if (this.#open !== null) closeSync(this.#open.descriptor);
    this.#open = null;
    this.#chunkAt = { segment: -1, offset: 0 };
  }

  #gap(position: RawPosition, limit: number): RawEntry | null {
    const rest = this.#rest(position, limit);
    const found = findHeader(rest, 1);
    // Bytes are written in order: nothing past the length of a header means that the header itself was cut off.
    if (found < 0 && isZero(rest.subarray(frameHeaderBytes))) return null;
    const length = found < 0 ? rest.length : found;
    const next = { segment: position.segment, offset: position.offset + length };
    return {
      kind: "corrupt",
      position,
      next,
      bytes: length,
      object: corruptObject(position, rest.subarray(0, length), null),
    };
  }

  /** End of what was written at or after `position`: the end of the file where another header lies, else `position`. */
  #written(position: RawPosition): number {
    const found = findHeader(this.#rest(position, Number.POSITIVE_INFINITY), 0);
    return found < 0 ? position.offset : this.#size(position.segment);
  }

  #rest(position: RawPosition, limit: number): Buffer {
    const end = Math.min(limit, this.#size(position.segment));
    return this.#bytes(position, Math.max(0, end - position.offset), limit);
  }

  /**
   * A view of up to `length` bytes at `position`; shorter at the end of the file. Reads ahead, but never past `limit`: what
   * lies there may be half written, and would still be in the chunk when it is whole.
   */
  #bytes(position: RawPosition, length: number, limit: number): Buffer {
    const start = position.offset - this.#chunkAt.offset;
    if (this.#chunkAt.segment === position.segment && start >= 0 && start + length <= this.#chunk.length) {
      return this.#chunk.subarray(start, start + length);
    }
    const bytes = Math.min(
      Math.max(length, chunkBytes),
      limit - position.offset,
      this.#size(position.segment) - position.offset,
    );
    if (bytes <= 0) return Buffer.alloc(0);
    // A fresh buffer each time: frames handed out are views into the old one.
    const buffer = Buffer.allocUnsafeSlow(bytes);
    const read = readSync(this.#descriptor(position.segment), buffer, 0, bytes, position.offset);
    this.#chunk = buffer.subarray(0, read);
    this.#chunkAt = position;
    return this.#chunk.subarray(0, Math.min(length, read));
  }

  #descriptor(segment: number): number {
    if (this.#open?.segment === segment) return this.#open.descriptor;
    this.close();
    const descriptor = openSync(join(this.#directory, segmentName(segment)), "r");
    this.#open = { segment, descriptor };
    return descriptor;
  }

  #size(segment: number): number {
    return statSync(join(this.#directory, segmentName(segment))).size;
  }

  #exists(segment: number): boolean {
    return statSync(join(this.#directory, segmentName(segment)), { throwIfNoEntry: false }) !== undefined;
  }
}
