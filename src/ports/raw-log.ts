import type { RawDraft, RawObject } from "../model/raw-object.ts";

/**
 * Durable acceptance: where raw objects become durable and, by that alone, are handed to processing. Embedded: a
 * preallocated, checksummed log with group commit. AWS: an S3 put, whose event reaches the queue through EventBridge.
 *
 * Each appended object is delivered to processing at least once, also after a crash. Order is not promised.
 */
export interface RawLog {
  /**
   * Makes the object durable and answers with its key; when this resolves, no crash loses it. Concurrent appends share one
   * flush. Throws TOO_BUSY when too much waits to be processed, NOT_DURABLE when the store cannot take it (disk full, failed
   * flush) and SHUTTING_DOWN after `close`; the object may then have been kept or not.
   */
  append(draft: RawDraft): Promise<string>;
  /** The object with this key, byte for byte, or null when there is none (never was, or retention removed it). Throws RAW_CORRUPT. */
  read(key: string): Promise<RawObject | null>;
}
