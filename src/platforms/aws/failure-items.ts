import { hash } from "node:crypto";
import type { FailureDraft, FailureState } from "../../model/failure.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { expiryItems } from "./expiry-items.ts";
import { type PayloadObjects, writePayloads } from "./failure-payloads.ts";
import type { IssueChanges } from "./issue-changes.ts";
import { entityOf, type Item, keyText, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { knownEvents } from "./known-events.ts";
import { failureGraceMillis, failureItem, isWaiting, type StoredFailure, storedFailure } from "./stored-failure.ts";
import { inParallel, type Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

export { failureItem, type StoredFailure } from "./stored-failure.ts";

/** Where a failure comes from. */
export interface FailureOrigin {
  readonly rawKey: string;
  readonly meta: RawMeta;
  readonly expiresAt: number;
  readonly now: number;
}

export interface FailureEnd {
  readonly state: FailureState;
  readonly recordId: string | null;
  /** Why it fails now; null: it does not, or is tried again. */
  readonly draft: FailureDraft | null;
  readonly expiresAt: number;
  /** Null: no job; the one before stays. */
  readonly jobId: string | null;
}

/**
 * Writes new failures with their payloads, before the transaction that counts them: ids are derived from the place of the
 * event, so writing them again writes the same. Answers for each draft: `new` (also when an earlier try of this same commit
 * wrote it), or `known`: its event waits as another failure, which is then seen again, or is stored as a record from before
 * its contract became stricter, or was counted outside an outcome. Two deliveries of one event in two objects at the very
 * same time may both be new.
 */
export async function writeFailures(
  table: Table,
  drafts: readonly FailureDraft[],
  origin: FailureOrigin,
  issues: IssueChanges,
  objects: PayloadObjects | null = null,
): Promise<readonly ("new" | "known")[]> {
  const { now } = origin;
  const written = await table.getAll(drafts.map(({ id }) => itemKeys.failure(id)));
  const earlier = (id: string) => storedFailure(written.get(keyText(itemKeys.failure(id))), now);
  const known = await knownEvents(table, drafts, origin);
  const isNew = (draft: FailureDraft) => !known.has(draft.id) && earlier(draft.id)?.outside !== true;

  const missing = drafts.filter((draft) => isNew(draft) && earlier(draft.id) === null);
  const outdated = drafts.filter((draft) => isNew(draft) && isOutdated(earlier(draft.id), draft));
  await prepareFailures(table, [...missing, ...outdated], origin, objects);
  // All of them, so that a redelivery that finds some written does not leave those out.
  const ids = drafts.map(({ id }) => id);
  if (missing.length > 0) await table.putAll(expiryItems(ids, origin.expiresAt));
  const items = missing.map((draft) => failureItem(newFailure(draft, origin)));
  const there = await table.putAllNew(items);
  await inParallel(outdated, (draft) => replaceUncounted(table, draft, origin));
  const stored = new Map(missing.map(({ id }, index) => [id, there[index] ?? items[index]]));

  const again = new Map<string, StoredFailure>();
  for (const draft of drafts) {
    const waiting = known.get(draft.id) ?? null;
    if (isNew(draft)) {
      const item = stored.get(draft.id);
      const failure = item === undefined ? earlier(draft.id) : entityOf<StoredFailure>(item);
      // It counts as what it was when it was found, whatever somebody has made of it since.
      if (failure !== null) issues.added({ ...failure, fingerprint: draft.fingerprint }, draft, now);
    } else if (waiting !== null) {
      again.set(waiting.id, waiting);
      issues.again(waiting, null, now);
    }
  }
  await inParallel([...again.values()], (failure) => seeAgain(table, failure.id, now));
  return drafts.map((draft) => (isNew(draft) ? "new" : "known"));
}

/**
 * What must be there before a failure is: its payload, and where its event is looked up. Without the failure they lead
 * nowhere, and go with their time.
 */
export async function prepareFailures(
  table: Table,
  drafts: readonly FailureDraft[],
  { meta, expiresAt }: FailureOrigin,
  objects: PayloadObjects | null,
): Promise<void> {
  if (drafts.length === 0) return;
  const payloads = drafts.map(({ id, original }) => ({ id, original, expiresAt }));
  await writePayloads(table, objects, payloads);
  const ttl = ttlOf(expiresAt + failureGraceMillis);
  const pointers = drafts.flatMap(({ id, identity, contentHash }): Item[] =>
    identity === null
      ? []
      : [{ ...itemKeys.waiting(meta.tenant, meta.stream, identity, contentHash), j: JSON.stringify(id), ttl }],
  );
  // One write may not name an item twice.
  const distinct = new Map(pointers.map((pointer) => [pointer.pk, pointer]));
  await table.putAll([...distinct.values()]);
}

/** A failure as it is when it is found. */
export function newFailure(draft: FailureDraft, { rawKey, meta, expiresAt, now }: FailureOrigin): StoredFailure {
  const { index, original, ...rest } = draft;
  return {
    ...rest,
    tenant: meta.tenant,
    stream: meta.stream,
    door: meta.door,
    firstSeenAt: now,
    lastSeenAt: now,
    expiresAt,
    traceId: traceId(meta),
    principal: meta.principal,
    rawKey,
    rawIndex: index,
    contentType: meta.contentType,
    headers: meta.headers,
    payloadBytes: original.byteLength,
    payloadSha256: hash("sha256", original, "hex"),
    edit: null,
    jobId: null,
    recordId: null,
    note: null,
    version: 1,
  };
}

/**
 * Whether an earlier try of the same commit, which was never counted, found another cause than this one does: the code has
 * changed between them, or the object was given up. What somebody has changed since stays.
 */
function isOutdated(failure: StoredFailure | null, { state, code, fingerprint }: FailureDraft): boolean {
  if (failure === null || failure.version > 1) return false;
  return failure.state !== state || failure.code !== code || failure.fingerprint !== fingerprint;
}

async function replaceUncounted(table: Table, draft: FailureDraft, origin: FailureOrigin): Promise<void> {
  await transaction(table, async (unit) => {
    const failure = await findFailure(unit, draft.id);
    if (!isOutdated(failure, draft)) return;
    unit.put(failureItem({ ...newFailure(draft, origin), firstSeenAt: failure?.firstSeenAt ?? origin.now }));
  });
}

async function seeAgain(table: Table, id: string, now: number): Promise<void> {
  await transaction(table, async (unit) => {
    const failure = await findFailure(unit, id);
    if (failure === null || !isWaiting(failure) || failure.lastSeenAt >= now) return;
    unit.put(failureItem({ ...failure, lastSeenAt: now }));
  });
}

/** Within a unit: the failure as it is, null when there is none. */
export async function findFailure(unit: UnitOfWork, id: string): Promise<StoredFailure | null> {
  return storedFailure(await unit.load(itemKeys.failure(id)), unit.table.clock());
}

/** Within a unit: ends a retry or a replay, attempts + 1. */
export function endFailure(
  unit: UnitOfWork,
  failure: StoredFailure,
  end: FailureEnd,
  now: number,
  issues: IssueChanges,
): void {
  const { state, draft } = end;
  const ended: StoredFailure = {
    ...failure,
    state,
    attempts: failure.attempts + 1,
    recordId: end.recordId,
    jobId: end.jobId ?? failure.jobId,
    version: failure.version + 1,
  };
  // What was recovered was not seen failing: its times stay.
  if (state === "recovered") {
    unit.put(failureItem(ended));
    issues.ended(failure, "recovered");
    return;
  }
  const expiresAt = Math.max(failure.expiresAt, end.expiresAt);
  unit.put(failureItem({ ...ended, ...causeOf(draft), lastSeenAt: now, expiresAt }));
  issues.again({ ...failure, expiresAt }, draft, now);
}

function causeOf(draft: FailureDraft | null): Partial<StoredFailure> {
  if (draft === null) return {};
  const { class: ofClass, stage, code, errors, fingerprint, contractVersion, recoverable, recoverableWhy } = draft;
  return { class: ofClass, stage, code, errors, fingerprint, contractVersion, recoverable, recoverableWhy };
}

/** The trace id of a W3C `traceparent` header (https://www.w3.org/TR/trace-context/#traceparent-header). */
function traceId({ headers }: RawMeta): string | null {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(headers["traceparent"] ?? "")?.[1] ?? null;
}
