import type { FailureDraft } from "../../model/failure.ts";
import type { FailureLog, LoadedFailure } from "../../ports/failure-log.ts";
import { addToCounters, emptyTally } from "./counters.ts";
import { expiryItems } from "./expiry-items.ts";
import { changeFailure, discardFailures, moveFailure } from "./failure-changes.ts";
import { type FailureOrigin, newFailure, prepareFailures } from "./failure-items.ts";
import { type PayloadObjects, readPayloads } from "./failure-payloads.ts";
import { queryFailures } from "./failure-query.ts";
import { IssueChanges } from "./issue-changes.ts";
import { entityOf, keyText } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { findMarker } from "./object-marker.ts";
import type { Outbox } from "./outbox.ts";
import { failureItem, type StoredFailure, storedFailure, toFailure } from "./stored-failure.ts";
import { chunks, type Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

export interface FailureLogOptions {
  readonly outbox: Pick<Outbox, "add" | "dispatch">;
  /** Where payloads lie that are too big for an item; without it they are refused. */
  readonly objects?: PayloadObjects | null;
}

/** Failures that `add` writes in one transaction: each may bring an issue and its hour. */
const addedAtOnce = 30;

/** Failures in the table; big payloads in a bucket. */
export function dynamoFailureLog(table: Table, { outbox, objects = null }: FailureLogOptions): FailureLog {
  async function find(tenant: string, id: string): Promise<StoredFailure | null> {
    const failure = storedFailure(await table.get(itemKeys.failure(id)), table.clock());
    return failure?.tenant === tenant ? failure : null;
  }

  return {
    query: (query) => queryFailures(table, objects, query),
    async get(tenant, id) {
      const failure = await find(tenant, id);
      return failure && toFailure(failure);
    },
    async payload(tenant, id) {
      if ((await find(tenant, id)) === null) return null;
      return (await readPayloads(table, objects, [id])).get(id) ?? null;
    },
    load: (tenant, ids) => loadFailures(table, objects, tenant, ids),
    async retry(tenant, id, version, audit) {
      const retried = await changeFailure(
        table,
        { tenant, id, version, audit },
        {
          verb: "retried",
          write: async (unit, failure, issues) => {
            const { stream, attempts } = failure;
            const work = { kind: "failure", tenant, stream, failureId: id, attempt: attempts + 1 } as const;
            outbox.add(unit, work, table.clock());
            return moveFailure(unit, failure, "retrying", null, issues);
          },
        },
      );
      await outbox.dispatch();
      return retried;
    },
    discard: (tenant, id, version, note, audit) =>
      changeFailure(
        table,
        { tenant, id, version, audit },
        {
          verb: "discarded",
          write: (unit, failure, issues) => moveFailure(unit, failure, "discarded", note, issues),
        },
      ),
    edit: (tenant, id, version, edit, audit) =>
      changeFailure(
        table,
        { tenant, id, version, audit },
        {
          verb: "edited",
          write: async (unit, failure) => {
            const edited = { ...failure, edit, version: failure.version + 1 };
            unit.put(failureItem(edited));
            return edited;
          },
        },
      ),
    discardAll: (tenant, ids, note) => discardFailures(table, tenant, ids, note),
    async add(rawKey, meta, expiresAt, drafts) {
      const origin = { rawKey, meta, expiresAt, now: table.clock() };
      for (const part of chunks(drafts, addedAtOnce)) {
        const found = await table.getAll(part.map(({ id }) => itemKeys.failure(id)));
        const known = new Set([...found.values()].map((item) => entityOf<StoredFailure>(item).id));
        const missing = part.filter(({ id }) => !known.has(id));
        await prepareFailures(table, missing, origin, objects);
        const ids = missing.map(({ id }) => id);
        await table.putAll(expiryItems(ids, expiresAt));
        await transaction(table, (unit) => addEach(unit, part, origin));
      }
    },
  };
}

async function loadFailures(
  table: Table,
  objects: PayloadObjects | null,
  tenant: string,
  ids: readonly string[],
): Promise<(LoadedFailure | null)[]> {
  const [found, payloads] = await Promise.all([
    table.getAll(ids.map((id) => itemKeys.failure(id))),
    readPayloads(table, objects, ids),
  ]);
  return ids.map((id) => {
    const failure = storedFailure(found.get(keyText(itemKeys.failure(id))), table.clock());
    const payload = payloads.get(id);
    if (failure === null || payload == null || failure.tenant !== tenant) return null;
    const head = toFailure(failure);
    return { head, whole: () => ({ failure: head, payload }) };
  });
}

/** Writes and counts those that are neither there nor counted. */
async function addEach(unit: UnitOfWork, drafts: readonly FailureDraft[], origin: FailureOrigin): Promise<void> {
  const { rawKey, meta, now } = origin;
  const marker = await findMarker(unit, rawKey);
  const issues = new IssueChanges();
  const added = emptyTally();
  await unit.loadAll(drafts.map(({ id }) => itemKeys.failure(id)));
  for (const draft of drafts) {
    const item = await unit.load(itemKeys.failure(draft.id));
    const before = item && entityOf<StoredFailure>(item);
    // One that lies here without a committed outcome was written by a commit that never counted it.
    if (before !== null && (before.outside === true || (marker !== null && marker.committedAt !== null))) continue;
    const failure: StoredFailure = { ...newFailure(draft, origin), outside: true };
    unit.put(failureItem(failure));
    issues.added(failure, draft, now);
    added[draft.state]++;
  }
  const received = added.quarantined + added.dead;
  if (received === 0) return;
  await issues.write(unit, () => true);
  await addToCounters(unit, meta.tenant, meta.stream, rawKey, received, added);
}
