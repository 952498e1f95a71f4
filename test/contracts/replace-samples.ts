import { identityHash, partId, partIdentityHash } from "../../src/model/identity.ts";
import type { RawMeta } from "../../src/model/raw-object.ts";
import { type RecordDraft, recordId } from "../../src/model/record.ts";
import type { EventPlace, ReplaceResult, Reprocessed, ReprocessedEvent } from "../../src/model/replacement.ts";
import { dayMillis, noon, rawMeta, stream, tenant } from "./outcome-samples.ts";
import { anyRecord } from "./record-table-trace.ts";
import type { StoreHarness } from "./store-harness.ts";

interface Sample {
  readonly index?: number;
  /** The client gave it; else it was assigned. */
  readonly client?: boolean;
  readonly time?: number;
}

/** One event, and what it becomes. Each name is another event. */
export function sampleEvent(name: string, { index = 0, client = false, time = noon }: Sample = {}) {
  const { hash53, bytes10 } = identityHash(tenant, stream, "", name);
  const place: EventPlace = {
    id: recordId(time, bytes10),
    name,
    identity: client ? hash53 : null,
    contentHash: client ? name.length : 0,
  };
  const draft = (data: { readonly total?: unknown }, part = 0): RecordDraft => {
    const own = part === 0 ? { hash53, bytes10 } : partIdentityHash(tenant, stream, name, part);
    return {
      id: recordId(time, own.bytes10),
      time,
      eventId: client ? (part === 0 ? name : partId(name, part)) : null,
      identity: client ? own.hash53 : null,
      contentHash: place.contentHash,
      attributesJson: null,
      dataJson: JSON.stringify(data),
      numbers: [typeof data.total === "number" ? data.total : Number.NaN],
      index,
      original: Buffer.from(name),
    };
  };
  const records = (...data: readonly { readonly total?: unknown }[]): readonly RecordDraft[] => data.map(draft);
  const becomes = (...data: readonly { readonly total?: unknown }[]): ReprocessedEvent => ({
    index,
    place,
    records: records(...data),
    reason: null,
  });
  const fails = (pointer = "/total"): ReprocessedEvent => ({
    index,
    place,
    records: [],
    reason: { code: "CONTRACT_BROKEN", pointer, detail: "must be a string" },
  });
  return { index, place, records, becomes, fails };
}

export const rollupFields = ["total"];

export function again(rawKey: string, events: readonly ReprocessedEvent[], meta: Partial<RawMeta> = {}): Reprocessed {
  return {
    rawKey,
    meta: rawMeta({ events: events.length, ...meta }),
    recordsExpireAt: noon + 7 * dayMillis,
    rollupFields,
    events,
  };
}

/** The counts that are not zero. */
export function counts({ rawKey: _key, reasons: _reasons, samples: _samples, ...rest }: ReplaceResult) {
  return Object.fromEntries(Object.entries(rest).filter(([, count]) => count > 0));
}

/** `total` of each record, ascending. */
export async function totalsOf({ records, settle }: StoreHarness): Promise<readonly number[]> {
  await settle();
  const { rows } = await records.query(anyRecord);
  return rows.map(({ dataJson }) => (JSON.parse(dataJson) as { total: number }).total).sort((a, b) => a - b);
}
