import type { FailureDraft } from "../../model/failure.ts";
import { identityHash } from "../../model/identity.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { entityOf, type ItemKey, keyText } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { RecordItem } from "./record-items.ts";
import { isWaiting, type StoredFailure, storedFailure } from "./stored-failure.ts";
import { inParallel, type Table } from "./table.ts";

/** A draft whose event its client identified: only such an event can come twice. */
interface Identified {
  readonly id: string;
  readonly pointer: ItemKey;
  readonly draft: FailureDraft;
}

/**
 * Which events of an object are here already, by the id of their draft: waiting as the given failure, or (null) stored as a
 * record, from before the contract became stricter, or standing before in the same object.
 */
export async function knownEvents(
  table: Table,
  drafts: readonly FailureDraft[],
  { meta, now }: { readonly meta: RawMeta; readonly now: number },
): Promise<Map<string, StoredFailure | null>> {
  const identified = drafts.flatMap((draft): Identified[] => {
    const { id, identity, contentHash } = draft;
    if (identity === null) return [];
    return [{ id, pointer: itemKeys.waiting(meta.tenant, meta.stream, identity, contentHash), draft }];
  });
  const known = new Map<string, StoredFailure | null>();
  if (identified.length === 0) return known;
  const waiting = await waitingFailures(table, identified, now);
  const stored = await storedRecords(table, identified, meta);
  const before = new Set<string>();
  for (const { id, pointer } of identified) {
    const failure = waiting.get(pointer.pk);
    // A failure that an earlier try wrote is found as itself: it is new still.
    if (failure !== undefined && failure.id !== id) known.set(id, failure);
    else if (stored.has(id) || before.has(pointer.pk)) known.set(id, null);
    else before.add(pointer.pk);
  }
  return known;
}

/** By the partition key of the pointer. */
async function waitingFailures(
  table: Table,
  identified: readonly Identified[],
  now: number,
): Promise<Map<string, StoredFailure>> {
  const pointers = await table.getAll(identified.map(({ pointer }) => pointer));
  const ids = new Map([...pointers.values()].map((item) => [item.pk, entityOf<string>(item)]));
  const failures = await table.getAll([...ids.values()].map((id) => itemKeys.failure(id)));
  const waiting = new Map<string, StoredFailure>();
  for (const [pointer, id] of ids) {
    const failure = storedFailure(failures.get(keyText(itemKeys.failure(id))), now);
    if (failure !== null && isWaiting(failure)) waiting.set(pointer, failure);
  }
  return waiting;
}

/** Ids of the drafts whose event is stored with this content. */
async function storedRecords(
  table: Table,
  identified: readonly Identified[],
  { tenant, stream }: RawMeta,
): Promise<ReadonlySet<string>> {
  const stored = new Set<string>();
  await inParallel(identified, async ({ id, draft: { identity, contentHash } }) => {
    if (identity !== null && (await isStored(table, tenant, stream, identity, contentHash))) stored.add(id);
  });
  return stored;
}

/** Whether a record with this 53-bit identity and this content is stored. */
export async function isStored(
  table: Table,
  tenant: string,
  stream: string,
  identity: number,
  contentHash: number,
): Promise<boolean> {
  const partition = itemKeys.recordPartition(tenant, stream, identity);
  for await (const item of table.queryAll({ index: null, partition })) {
    if ((item as RecordItem).c === contentHash) return true;
  }
  return false;
}

/**
 * The record that this event would be. A draft carries 53 bits of the identity, a record is found by 80 others, so the
 * identity is computed again from what it was made of: the event's id, and for a CloudEvent its source. Null: it is neither.
 */
export function failedRecordKey(
  draft: Pick<FailureDraft, "eventId" | "identity" | "original">,
  { tenant, stream, headers }: Pick<RawMeta, "tenant" | "stream" | "headers">,
): ItemKey | null {
  if (draft.eventId === null) return null;
  for (const source of ["", headers["ce-source"], sourceIn(draft.original)]) {
    if (source === undefined) continue;
    const { hash53, bytes10 } = identityHash(tenant, stream, source, draft.eventId);
    if (hash53 === draft.identity) return itemKeys.record(tenant, stream, bytes10);
  }
  return null;
}

/** `source` of a structured CloudEvent. */
function sourceIn(original: Uint8Array): string | undefined {
  try {
    const event = JSON.parse(Buffer.from(original).toString("utf8")) as { readonly source?: unknown } | null;
    return typeof event?.source === "string" ? event.source : undefined;
  } catch {
    return undefined;
  }
}
