import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { segmentName } from "./raw-position.ts";

/**
 * Zeros written ahead of the tail. A write into space that exists needs no metadata in the journal, so its fdatasync is
 * 1.7 times as fast as on a growing file. One megabyte at a time: the next flush takes the zeros along, and with eight the
 * slowest hundredth of all acknowledgements at 37,000 events/s took 57 ms instead of 19.
 */
const preallocateBytes = 1024 * 1024;
/** Zeros kept in memory while they are written. */
const zerosBytes = 256 * 1024;
/** Preallocation goes on while less than this is left, so that no flush waits for it. */
const preallocateAheadBytes = 2 * 1024 * 1024;
/** Segments are what retention deletes: large enough to be few, small enough that a day's data goes on its day. */
export const segmentBytesMax = 64 * 1024 * 1024;

/** The one open file at the tail of the log. */
export class RawSegment {
  readonly number: number;
  readonly #file: FileHandle;
  #tail = 0;
  #allocated = 0;
  #allocating: Promise<void> | null = null;

  private constructor(number: number, file: FileHandle) {
    this.number = number;
    this.#file = file;
  }

  /** Creates segment `number` and makes its name durable. */
  static async create(directory: string, number: number): Promise<RawSegment> {
    const file = await open(
      join(directory, segmentName(number)),
      constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
      0o600,
    );
    const segment = new RawSegment(number, file);
    try {
      await segment.#allocate();
      const folder = await open(directory, "r");
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      await file.close();
      throw error;
    }
    return segment;
  }

  /** Offset of the next frame. */
  get tail(): number {
    return this.#tail;
  }

  /** Writes at the tail and flushes; when it resolves the bytes survive a crash, and the tail has moved. */
  async append(buffers: readonly Uint8Array[], bytes: number): Promise<void> {
    while (this.#tail + bytes > this.#allocated) await this.#allocate();
    let position = this.#tail;
    let pending = buffers;
    while (pending.length > 0) {
      const { bytesWritten } = await this.#file.writev(pending as Uint8Array[], position);
      position += bytesWritten;
      pending = position - this.#tail === bytes ? [] : rest(pending, bytesWritten);
    }
    await this.#file.datasync();
    this.#tail += bytes;
    if (this.#allocated - this.#tail < preallocateAheadBytes && this.#tail < segmentBytesMax) this.#allocateAhead();
  }

  /** Flushes without writing: proves that the disk still takes flushes. */
  async flush(): Promise<void> {
    await this.#file.datasync();
  }

  /** Cuts the preallocated rest (and whatever a failed write left) off and closes. */
  async seal(): Promise<void> {
    await this.#allocating?.catch(() => undefined);
    try {
      await this.#file.truncate(this.#tail);
      await this.#file.datasync();
    } finally {
      await this.#file.close();
    }
  }

  #allocateAhead(): void {
    // A failure shows again in the append that needs the space, and is handled there.
    this.#allocate().catch(() => undefined);
  }

  /** One at a time: zeros of a second one would overwrite frames that were written after the first. */
  #allocate(): Promise<void> {
    this.#allocating ??= this.#writeZeros().finally(() => {
      this.#allocating = null;
    });
    return this.#allocating;
  }

  async #writeZeros(): Promise<void> {
    const zeros = Buffer.alloc(zerosBytes);
    for (const end = this.#allocated + preallocateBytes; this.#allocated < end; ) {
      const { bytesWritten } = await this.#file.write(zeros, 0, zerosBytes, this.#allocated);
      this.#allocated += bytesWritten;
    }
  }
}

function rest(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  return buffers.flatMap((buffer) => {
    const left = buffer.subarray(Math.min(skip, buffer.length));
    skip -= buffer.length - left.length;
    return left.length > 0 ? [left] : [];
  });
}
