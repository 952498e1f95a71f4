import { mkdir, rm, statfs, truncate } from "node:fs/promises";
import { join } from "node:path";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { RawDraft, RawMeta, RawObject } from "../../model/raw-object.ts";
import type { RawLog } from "../../ports/raw-log.ts";
import { encodeFrame } from "./raw-frame.ts";
import { comparePositions, type RawPosition, rawKey, segmentName } from "./raw-position.ts";
import { listSegments, RawReader } from "./raw-reader.ts";
import { RawSegment, segmentBytesMax } from "./raw-segment.ts";

export interface RawLogOptions {
  readonly directory: string;
  /** Everything before it is processed. */
  readonly checkpoint: RawPosition;
  /** Called after each flush, in order: what is now durable, and its end. */
  readonly onDurable: (accepted: readonly AcceptedObject[], end: RawPosition) => void;
  /** Called when acceptance stops (with the reason) and when it goes on (null). */
  readonly onHealth: (problem: string | null) => void;
  /** Bytes that may wait to be processed before appends are refused with TOO_BUSY. */
  readonly inFlightBytesMax?: number;
  /** Age at which a segment is ended; an hour unless a test is in a hurry. */
  readonly segmentMillisMax?: number;
  /** Free bytes on the disk; a test may give its own. */
  readonly freeBytes?: () => Promise<number>;
}

/** An object that is durable and waits to be processed. */
export interface AcceptedObject {
  readonly meta: Pick<RawMeta, "tenant" | "stream" | "events">;
  readonly bytes: number;
}

interface Pending {
  readonly draft: RawDraft;
  readonly resolve: (key: string) => void;
  readonly reject: (error: Error) => void;
}

/** One flush takes at most this much: at 300 MB/s it then lasts under 30 ms. */
const groupBytesMax = 8 * 1024 * 1024;
const recoverEveryMillis = 500;
/** A segment that is not full is ended after an hour all the same: retention deletes whole segments, and a quiet stream fills none. */
const segmentMillisMax = 60 * 60 * 1000;
const retryAfterSeconds = 1;

/**
 * The raw log of the embedded platform. States: `open` takes objects; `stopped` after a failed write or flush, or when the
 * disk is nearly full: every append is refused with NOT_DURABLE, and every half second a new segment is tried until one can
 * be written and flushed; `closed` is final.
 *
 * One flush is under way at a time; what arrives meanwhile gathers and shares the next (group commit). After a failed flush
 * nobody knows what the page cache still holds, so the segment is cut back to its last durable byte and never written again.
 */
export class EmbeddedRawLog implements RawLog {
  readonly #options: RawLogOptions;
  readonly #reader: RawReader;
  #segment: RawSegment | null = null;
  #nextSegment: number;
  #segmentEndsAt = 0;
  #pending: Pending[] = [];
  #flushing: Promise<void> | null = null;
  #inFlightBytes = 0;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  private constructor(options: RawLogOptions, nextSegment: number, inFlightBytes: number) {
    this.#options = options;
    this.#reader = new RawReader(options.directory);
    this.#nextSegment = nextSegment;
    this.#inFlightBytes = inFlightBytes;
  }

  /** Opens the log, finds what was accepted and not processed before the last stop, and starts a new segment. */
  static async open(options: RawLogOptions): Promise<EmbeddedRawLog> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    const { accepted, end, next } = await recover(options.directory, options.checkpoint);
    const bytes = accepted.reduce((sum, object) => sum + object.bytes, 0);
    const log = new EmbeddedRawLog(options, next, bytes);
    options.onDurable(accepted, end);
    await log.#tryOpen();
    log.#timer = setInterval(() => void log.#watch(), recoverEveryMillis);
    return log;
  }

  /** Null while objects are taken; else why not. */
  get problem(): string | null {
    return this.#problem;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  append(draft: RawDraft): Promise<string> {
    if (this.#closed)
      return Promise.reject(
        new EventPulseError("SHUTTING_DOWN", "The server is stopping; send again.", { retryAfterSeconds }),
      );
    if (this.#problem !== null) return Promise.reject(this.#notDurable());
    if (this.#inFlightBytes > (this.#options.inFlightBytesMax ?? limits.inFlightBytesMax)) {
      const detail = `${this.#inFlightBytes} bytes wait to be processed; send again later.`;
      return Promise.reject(new EventPulseError("TOO_BUSY", detail, { retryAfterSeconds: 5 }));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ draft, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async read(key: string): Promise<RawObject | null> {
    return this.#reader.read(key);
  }

  /** Tells that this many bytes of frames were processed. */
  processed(bytes: number): void {
    this.#inFlightBytes -= bytes;
  }

  /** Flushes the tail: throws NOT_DURABLE when that does not work. For readiness. */
  async probe(): Promise<void> {
    if (this.#problem !== null || this.#segment === null) throw this.#notDurable();
    await this.#segment.flush();
  }

  /** Refuses new objects, finishes those that were taken, and seals the segment. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#flushing;
    await this.#segment?.seal().catch(() => undefined);
    this.#segment = null;
    this.#reader.close();
  }

  async #flush(roll = false): Promise<void> {
    // One turn of the loop: requests that arrived together share the first flush too.
    await new Promise((resolve) => setImmediate(resolve));
    if (roll) await this.#roll().catch((error: unknown) => this.#stop(error));
    while (this.#pending.length > 0) await this.#flushGroup(this.#takeGroup());
    this.#flushing = null;
  }

  #takeGroup(): readonly Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { draft } of this.#pending) {
      if (count > 0 && bytes + draft.body.length > groupBytesMax) break;
      bytes += draft.body.length;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  async #flushGroup(group: readonly Pending[]): Promise<void> {
    const buffers: Uint8Array[] = [];
    const frames = group.map(({ draft }) => {
      const { head, body, bytes } = encodeFrame(draft);
      buffers.push(head, body);
      return { meta: draft.meta, bytes };
    });
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
    try {
      const segment = await this.#segmentFor(bytes);
      let offset = segment.tail;
      await segment.append(buffers, bytes);
      this.#inFlightBytes += bytes;
      this.#options.onDurable(frames, { segment: segment.number, offset: segment.tail });
      for (let index = 0; index < group.length; index++) {
        const frame = frames[index] as AcceptedObject & { meta: RawMeta };
        (group[index] as Pending).resolve(rawKey(frame.meta, { segment: segment.number, offset }));
        offset += frame.bytes;
      }
    } catch (error) {
      await this.#stop(error);
      for (const { reject } of group) reject(this.#notDurable());
    }
  }

  async #segmentFor(bytes: number): Promise<RawSegment> {
    let segment = this.#segment;
    if (segment === null) throw new Error(this.#problem ?? "The log has no open segment.");
    if (segment.tail > 0 && segment.tail + bytes > segmentBytesMax) segment = await this.#roll();
    return segment;
  }

  /** Ends the segment and begins the next. */
  async #roll(): Promise<RawSegment> {
    await this.#segment?.seal();
    const segment = await RawSegment.create(this.#options.directory, this.#nextSegment++);
    this.#begin(segment);
    return segment;
  }

  #begin(segment: RawSegment): void {
    this.#segment = segment;
    this.#segmentEndsAt = performance.now() + (this.#options.segmentMillisMax ?? segmentMillisMax);
    // What lies in the segments before can be done with: nothing will follow it there.
    this.#options.onDurable([], { segment: segment.number, offset: 0 });
  }

  async #stop(error: unknown): Promise<void> {
    const segment = this.#segment;
    this.#segment = null;
    this.#setProblem(`The raw log cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    // If even this fails, the refused objects come back at the next start: kept more than promised, never less.
    await segment?.seal().catch(() => undefined);
  }

  async #watch(): Promise<void> {
    if (this.#closed) return;
    if (this.#segment === null) return this.#tryOpen();
    await this.#checkSpace();
    const due = this.#segment !== null && this.#segment.tail > 0 && performance.now() > this.#segmentEndsAt;
    if (due) this.#flushing ??= this.#flush(true);
  }

  async #tryOpen(): Promise<void> {
    const number = this.#nextSegment++;
    try {
      await this.#requireSpace();
      const segment = await RawSegment.create(this.#options.directory, number);
      await segment.flush();
      if (this.#closed) return await segment.seal();
      this.#begin(segment);
      this.#setProblem(null);
    } catch (error) {
      await rm(join(this.#options.directory, segmentName(number)), { force: true }).catch(() => undefined);
      this.#setProblem(`The raw log cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #checkSpace(): Promise<void> {
    try {
      await this.#requireSpace();
      this.#setProblem(null);
    } catch (error) {
      this.#setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  async #requireSpace(): Promise<void> {
    const free = await (this.#options.freeBytes?.() ?? freeBytesOf(this.#options.directory));
    if (free < limits.diskFreeBytesMin) {
      throw new Error(
        `The disk has ${free} bytes free, ${limits.diskFreeBytesMin} are needed; delete something or move the data folder.`,
      );
    }
  }

  #setProblem(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onHealth(problem);
  }

  #notDurable(): EventPulseError {
    return new EventPulseError("NOT_DURABLE", this.#problem ?? "The raw log is not open.", { retryAfterSeconds });
  }
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Reads from the checkpoint to the end: what is there and not processed, where it ends, and the number of the next segment. */
async function recover(directory: string, checkpoint: RawPosition) {
  const segments = listSegments(directory);
  const reader = new RawReader(directory);
  const accepted: AcceptedObject[] = [];
  let end: RawPosition = checkpoint;
  for (const segment of segments) {
    if (segment < checkpoint.segment) continue;
    let position = { segment, offset: segment === checkpoint.segment ? checkpoint.offset : 0 };
    for (
      let entry = reader.at(position, Number.POSITIVE_INFINITY);
      entry !== null;
      entry = reader.at(position, Number.POSITIVE_INFINITY)
    ) {
      if (entry.kind !== "erased") accepted.push({ meta: entry.object.meta, bytes: entry.bytes });
      position = entry.next;
    }
    // What a crash left behind the last whole frame was never acknowledged.
    await truncate(join(directory, segmentName(segment)), position.offset);
    if (comparePositions(position, end) > 0) end = position;
  }
  reader.close();
  return { accepted, end, next: Math.max(checkpoint.segment, segments.at(-1) ?? 0) + 1 };
}
