import { deflateRawSync, inflateRawSync } from "node:zlib";
import { parseRecordId, type RecordDraft, recordIdText, type StoredRecord } from "../../model/record.ts";
import { type Item, type ItemKey, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";

/**
 * One record, packed: an event of 1 KB fits one write unit (1 KB) with everything that is kept beside it. `d` is what people
 * see, as deflated JSON; names are short because they are stored with every item.
 */
export interface RecordItem extends Item {
  /** `evt_…` without its prefix: time and identity. */
  readonly i: string;
  /** Key of the raw object, place in it, and when it was received. */
  readonly r: string;
  readonly n: number;
  readonly m: number;
  readonly c: number;
  /** Event id and CloudEvents attributes; left out when null. */
  readonly e?: string;
  readonly a?: string;
  readonly d: Uint8Array;
}

export interface RecordOrigin {
  readonly tenant: string;
  readonly stream: string;
  readonly rawKey: string;
  readonly receivedAt: number;
  readonly expiresAt: number;
}

export function recordKey(
  { tenant, stream }: Pick<RecordOrigin, "tenant" | "stream">,
  { id }: Pick<RecordDraft, "id">,
): ItemKey {
  return itemKeys.record(tenant, stream, id.subarray(6));
}

export function recordItem(
  draft: RecordDraft,
  { tenant, stream, rawKey, receivedAt, expiresAt }: RecordOrigin,
): RecordItem {
  return {
    ...recordKey({ tenant, stream }, draft),
    i: recordIdText(draft.id).slice(4),
    r: rawKey,
    n: draft.index,
    m: receivedAt,
    c: draft.contentHash,
    ...(draft.eventId !== null && { e: draft.eventId }),
    ...(draft.attributesJson !== null && { a: draft.attributesJson }),
    d: deflateRawSync(draft.dataJson),
    ttl: ttlOf(expiresAt),
  };
}

export function storedRecord(item: RecordItem, stream: string): StoredRecord {
  return {
    id: `evt_${item.i}`,
    stream,
    time: recordTime(item),
    receivedAt: item.m,
    eventId: item.e ?? null,
    attributesJson: item.a ?? null,
    dataJson: inflateRawSync(item.d).toString("utf8"),
    rawKey: item.r,
    rawIndex: item.n,
  };
}

/** Event time of a record. */
export function recordTime({ i }: Pick<RecordItem, "i">): number {
  return Number.parseInt(i.slice(0, 12), 16) - 2 ** 46;
}

/** Key of the record with this id; null when the text is no record id. */
export function recordKeyOf(tenant: string, stream: string, id: string): ItemKey | null {
  const bytes = parseRecordId(id);
  return bytes && itemKeys.record(tenant, stream, bytes.subarray(6));
}
