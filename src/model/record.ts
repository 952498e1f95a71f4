/**
 * 16 bytes that name a record within its stream and sort by event time: 6 bytes of event time in milliseconds since 1970
 * (offset by 2^46 so that times before 1970 sort first), then 10 bytes of identity: a hash of what the client said identifies
 * the event, or the place of the event in the raw store, which is unique by construction. Written `evt_` + 32 hex digits.
 */
export type RecordId = Uint8Array;

/** One record on its way into the store. */
export interface RecordDraft {
  readonly id: RecordId;
  /** Event time, milliseconds since 1970. */
  readonly time: number;
  /** The id the client gave (CloudEvents `id` or the stream's `key`); null when the id was assigned. */
  readonly eventId: string | null;
  /**
   * 53-bit hash of (tenant, stream, source, event id), when the client identified the event; null when the id was assigned
   * at acceptance and cannot come twice. The store looks an identity up before it inserts.
   */
  readonly identity: number | null;
  /** 53-bit hash of the event's bytes as sent; tells a redelivery from a conflict. 0 when `identity` is null. */
  readonly contentHash: number;
  /** CloudEvents attributes other than id, time and data, as JSON text; null for plain events. */
  readonly attributesJson: string | null;
  /** The result of the transform as JSON text: what every exit returns, never parsed again on the way. */
  readonly dataJson: string;
  /** Values of the outcome's `rollupFields`, in their order; NaN where the record has none. Only stored records are rolled up. */
  readonly numbers: readonly number[];
  /** Place of the event in its raw object. */
  readonly index: number;
  /** The event's bytes as sent; a view into the raw object. Becomes the payload if this turns out to be a conflict. */
  readonly original: Uint8Array;
}

/** One record as stored. */
export interface StoredRecord {
  /** `evt_…` */
  readonly id: string;
  readonly stream: string;
  readonly time: number;
  readonly receivedAt: number;
  readonly eventId: string | null;
  readonly attributesJson: string | null;
  readonly dataJson: string;
  /** Key of the raw object it came from, and its place in it. */
  readonly rawKey: string;
  readonly rawIndex: number;
}

const timeOffset = 2 ** 46;
const timeMin = -(2 ** 46);
const timeMax = 2 ** 46 - 1;

/** Milliseconds that a record id can hold: years -260 to 4199. */
export function timeFits(timeMillis: number): boolean {
  return Number.isInteger(timeMillis) && timeMillis >= timeMin && timeMillis <= timeMax;
}

/** Builds a record id from event time and 10 bytes of identity. */
export function recordId(timeMillis: number, identity: Uint8Array, identityOffset = 0): RecordId {
  const id = Buffer.allocUnsafe(16);
  id.writeUIntBE(timeMillis + timeOffset, 0, 6);
  // Byte by byte: a view of ten bytes costs more than they do.
  for (let index = 0; index < 10; index++) id[6 + index] = identity[identityOffset + index] as number;
  return id;
}

/** The smallest record id of a time; for ranges. */
export function recordIdFloor(timeMillis: number): RecordId {
  const id = Buffer.alloc(16);
  id.writeUIntBE(Math.min(Math.max(timeMillis, timeMin), timeMax) + timeOffset, 0, 6);
  return id;
}

export function recordIdTime(id: RecordId): number {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).readUIntBE(0, 6) - timeOffset;
}

export function recordIdText(id: RecordId): string {
  return `evt_${Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("hex")}`;
}

/** The bytes of `evt_…`, or null when the text is no record id. */
export function parseRecordId(text: string): RecordId | null {
  return /^evt_[0-9a-f]{32}$/.test(text) ? Buffer.from(text.slice(4), "hex") : null;
}
