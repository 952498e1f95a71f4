import { closeSync, fdatasyncSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { decodeHeader, erasedHeader, frameHeaderBytes } from "./raw-frame.ts";
import { segmentName } from "./raw-position.ts";
import { listSegments, RawReader } from "./raw-reader.ts";

/** When the last object of each stream in a segment was received. */
type SegmentContent = Map<string, number>;

/** Reading one holds the processing thread up; four of 64 MB a minute keep up with 4 MB/s of events for ever. */
const segmentsReadMax = 4;

export interface RawSweepResult {
  readonly segmentsDeleted: number;
  readonly objectsErased: number;
}

/**
 * Retention of the raw log. A segment goes when everything in it has expired; where streams with different retention share
 * one, the expired objects are overwritten with zeros. Segments at or after `processedSegment` still hold what is in flight
 * and are not touched.
 */
export class RawRetention {
  readonly #directory: string;
  readonly #contents = new Map<number, SegmentContent>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Looks at all segments, and into at most `segmentsReadMax` of them: the rest waits for the next sweep. `retentionMillis` of
   * a stream that is not in the config any more is its default; none is shorter than `retentionMillisMin`.
   */
  sweep(
    processedSegment: number,
    now: number,
    retentionMillis: (stream: string) => number,
    retentionMillisMin: number,
  ): RawSweepResult {
    let segmentsDeleted = 0;
    let objectsErased = 0;
    let segmentsRead = 0;
    for (const segment of listSegments(this.#directory)) {
      if (segment >= processedSegment || segmentsRead >= segmentsReadMax) break;
      if (this.#firstReceivedAt(segment) + retentionMillisMin > now) continue;
      if (!this.#contents.has(segment)) segmentsRead++;
      const content = this.#contents.get(segment) ?? this.#read(segment);
      const expired = (stream: string, receivedAt: number) => receivedAt + retentionMillis(stream) <= now;
      const streams = [...content];
      if (streams.every(([stream, last]) => expired(stream, last))) {
        rmSync(join(this.#directory, segmentName(segment)), { force: true });
        this.#contents.delete(segment);
        segmentsDeleted++;
      } else if (streams.some(([stream, last]) => expired(stream, last))) {
        objectsErased += this.#erase(segment, expired);
        this.#contents.set(segment, this.#read(segment));
      }
    }
    return { segmentsDeleted, objectsErased };
  }

  /** Segments are filled in order of time, so the first object tells whether anything can have expired. 0 when it is erased. */
  #firstReceivedAt(segment: number): number {
    const header = Buffer.alloc(frameHeaderBytes);
    const file = openSync(join(this.#directory, segmentName(segment)), "r");
    try {
      readSync(file, header, 0, frameHeaderBytes, 0);
    } finally {
      closeSync(file);
    }
    return decodeHeader(header, 0)?.receivedAt ?? 0;
  }

  #read(segment: number): SegmentContent {
    const content: SegmentContent = new Map();
    for (const { object } of this.#objects(segment)) {
      const { stream, receivedAt } = object.meta;
      content.set(stream, Math.max(content.get(stream) ?? 0, receivedAt));
    }
    this.#contents.set(segment, content);
    return content;
  }

  #erase(segment: number, expired: (stream: string, receivedAt: number) => boolean): number {
    const file = openSync(join(this.#directory, segmentName(segment)), "r+");
    let erased = 0;
    try {
      for (const { object, position, bytes } of this.#objects(segment)) {
        if (!expired(object.meta.stream, object.meta.receivedAt)) continue;
        const zeros = Buffer.alloc(bytes - frameHeaderBytes);
        // The payload first: a crash between the two leaves a frame whose checksum is wrong, and the next sweep ends it.
        writeSync(file, zeros, 0, zeros.length, position.offset + frameHeaderBytes);
        writeSync(file, erasedHeader(zeros), 0, frameHeaderBytes, position.offset);
        erased++;
      }
      fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    return erased;
  }

  *#objects(segment: number) {
    const reader = new RawReader(this.#directory);
    try {
      let position = { segment, offset: 0 };
      for (let entry = reader.at(position, Number.POSITIVE_INFINITY); entry !== null; ) {
        if (entry.kind !== "erased") yield entry;
        position = entry.next;
        entry = reader.at(position, Number.POSITIVE_INFINITY);
      }
    } finally {
      reader.close();
    }
  }
}
