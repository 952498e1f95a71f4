import type { RecordId } from "../../model/record.ts";
import type { Database } from "./database.ts";

/** Records that expire together, so that retention finds them without an index on every record. */
export interface RecordBatch {
  readonly number: number;
  readonly stream: number;
  readonly recordIds: readonly RecordId[];
  /** Key in the identity index of each record; null for those that have none. */
  readonly identityHashes: readonly (number | null)[];
}

/** Records in one batch: what retention deletes in one go at least. */
const batchRecordsMax = 1000;
const recordIdBytes = 16;
/** Batches are cut by the minute, so that the records of many small raw objects share one. */
export const expiryStepMillis = 60_000;

/** Rounds up: nothing is deleted early. */
export function expiryTime(expiresAt: number): number {
  return Math.ceil(expiresAt / expiryStepMillis) * expiryStepMillis;
}

class PendingBatch {
  readonly stream: number;
  readonly expiresAt: number;
  readonly recordIds: RecordId[] = [];
  readonly hashes: number[] = [];

  constructor(stream: number, expiresAt: number) {
    this.stream = stream;
    this.expiresAt = expiresAt;
  }

  add(recordId: RecordId, identityHash: number | null): void {
    this.recordIds.push(recordId);
    this.hashes.push(identityHash ?? -1);
  }
}

/** Gathers the records of one transaction by stream and expiry. */
export class PendingRecordBatches {
  readonly #pending = new Map<string, PendingBatch>();
  /** Most outcomes of one commit are of one stream and one minute. */
  #last: PendingBatch | null = null;

  /** The batch to which records of this stream and expiry are added. */
  batch(stream: number, expiresAt: number): Pick<PendingBatch, "add"> {
    const time = expiryTime(expiresAt);
    if (this.#last?.stream === stream && this.#last.expiresAt === time) return this.#last;
    const key = `${stream}:${time}`;
    const pending = this.#pending.get(key) ?? new PendingBatch(stream, time);
    this.#pending.set(key, pending);
    this.#last = pending;
    return pending;
  }

  write(database: Database): void {
    for (const { stream, expiresAt, recordIds, hashes } of this.#pending.values()) {
      for (let start = 0; start < recordIds.length; start += batchRecordsMax) {
        const part = recordIds.slice(start, start + batchRecordsMax);
        database.run(
          "INSERT INTO record_batches (expires_at, stream, record_ids, identity_hashes) VALUES (?, ?, ?, ?)",
          expiresAt,
          stream,
          Buffer.concat(part),
          packHashes(hashes.slice(start, start + batchRecordsMax)),
        );
      }
    }
  }
}

/** The batch that has been expired longest, or null when none is. */
export function firstExpiredBatch(database: Database, now: number): RecordBatch | null {
  const row = database.get<{
    id: number;
    stream: number;
    record_ids: Uint8Array;
    identity_hashes: Uint8Array | null;
  }>(
    `SELECT id, stream, record_ids, identity_hashes FROM record_batches WHERE expires_at <= ?
       ORDER BY expires_at, id LIMIT 1`,
    now,
  );
  if (row === null) return null;
  const count = row.record_ids.length / recordIdBytes;
  const recordIds = Array.from({ length: count }, (_, index) =>
    row.record_ids.subarray(index * recordIdBytes, (index + 1) * recordIdBytes),
  );
  return { number: row.id, stream: row.stream, recordIds, identityHashes: unpackHashes(row.identity_hashes, count) };
}

/** Doubles hold 53 bits exactly. Null when no record of the batch has an identity. */
function packHashes(hashes: readonly number[]): Uint8Array | null {
  if (hashes.every((hash) => hash < 0)) return null;
  const packed = Buffer.allocUnsafe(hashes.length * 8);
  for (const [index, hash] of hashes.entries()) packed.writeDoubleLE(hash, index * 8);
  return packed;
}

function unpackHashes(packed: Uint8Array | null, count: number): (number | null)[] {
  if (packed === null) return new Array<null>(count).fill(null);
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: count }, (_, index) => {
    const hash = buffer.readDoubleLE(index * 8);
    return hash < 0 ? null : hash;
  });
}
