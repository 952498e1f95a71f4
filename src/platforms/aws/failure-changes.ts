import type { AuditDraft } from "../../model/audit.ts";
import { EventPulseError } from "../../model/error.ts";
import type { Failure } from "../../model/failure.ts";
import { appendAudit } from "./audit-log.ts";
import { addToCounters, emptyTally } from "./counters.ts";
import { findFailure } from "./failure-items.ts";
import { IssueChanges, issueId } from "./issue-changes.ts";
import { keyText } from "./item.ts";
import { itemKeys, shardOf, shards } from "./item-keys.ts";
import { addToObject } from "./object-marker.ts";
import { failureItem, isOpen, type StoredFailure, storedFailure, toFailure } from "./stored-failure.ts";
import type { Table } from "./table.ts";
import { transaction, transactionItemsMax, type UnitOfWork } from "./unit-of-work.ts";

export interface FailureChangeRequest {
  readonly tenant: string;
  readonly id: string;
  /** Null: any. */
  readonly version: number | null;
  readonly audit: AuditDraft;
}

/** What a change makes of a failure; `write` adds to its unit. */
export interface FailureChange {
  /** Past participle, for the message of a refusal. */
  readonly verb: string;
  readonly write: (unit: UnitOfWork, failure: StoredFailure, issues: IssueChanges) => Promise<StoredFailure>;
}

/**
 * One change that somebody asked for, with its audit entry, its counters and its issue; null when there is no such failure.
 * Throws STATE_CONFLICT, ETAG_STALE.
 */
export async function changeFailure(
  table: Table,
  { tenant, id, version, audit }: FailureChangeRequest,
  { verb, write }: FailureChange,
): Promise<Failure | null> {
  return transaction(table, async (unit) => {
    const failure = await findFailure(unit, id);
    if (failure?.tenant !== tenant) return null;
    checkState(failure, version, verb);
    const issues = new IssueChanges();
    const changed = await write(unit, failure, issues);
    await issues.write(unit, () => true);
    await appendAudit(unit, audit);
    return toFailure(changed);
  });
}

/** Within a unit: moves a failure out of `quarantined` or `dead`; the counters of stream and object move with it. */
export async function moveFailure(
  unit: UnitOfWork,
  failure: StoredFailure,
  to: "retrying" | "discarded",
  note: string | null,
  issues: IssueChanges,
): Promise<StoredFailure> {
  const { tenant, stream, rawKey } = failure;
  const changed = { ...failure, state: to, note: note ?? failure.note, version: failure.version + 1 };
  unit.put(failureItem(changed));
  const change = emptyTally();
  change[failure.state === "dead" ? "dead" : "quarantined"]--;
  change[to === "retrying" ? "retrying" : "dropped"]++;
  await addToObject(unit, rawKey, change);
  await addToCounters(unit, tenant, stream, rawKey, 0, change);
  if (to === "discarded") issues.ended(failure, "discarded");
  return changed;
}

/** Discards each one that may be, in as few transactions as fit; answers for each id in turn. */
export async function discardFailures(
  table: Table,
  tenant: string,
  ids: readonly string[],
  note: string,
): Promise<("discarded" | "skipped" | "gone")[]> {
  const found = await table.getAll(ids.map((id) => itemKeys.failure(id)));
  const results: ("discarded" | "skipped" | "gone")[] = [];
  const failures = ids.map((id) => storedFailure(found.get(keyText(itemKeys.failure(id))), table.clock()));
  for (const part of partsOf(failures)) {
    const done = await transaction(table, async (unit) => {
      const issues = new IssueChanges();
      const partResults: ("discarded" | "skipped" | "gone")[] = [];
      const keys = part.flatMap((failure) => (failure === null ? [] : itemKeys.failure(failure.id)));
      await unit.loadAll(keys);
      for (const one of part) {
        const failure = one && (await findFailure(unit, one.id));
        if (failure?.tenant !== tenant) partResults.push("gone");
        else if (!isOpen(failure)) partResults.push("skipped");
        else {
          await moveFailure(unit, failure, "discarded", note, issues);
          partResults.push("discarded");
        }
      }
      await issues.write(unit, () => true);
      return partResults;
    });
    results.push(...done);
  }
  return results;
}

/** Consecutive failures whose change fits one transaction. Failures of one raw object and one cause share most items. */
function* partsOf(failures: readonly (StoredFailure | null)[]): Generator<readonly (StoredFailure | null)[]> {
  let part: (StoredFailure | null)[] = [];
  let keys = new Set<string>();
  for (const failure of failures) {
    const more = failure === null ? [] : keysOf(failure);
    if (keys.size + more.filter((key) => !keys.has(key)).length > transactionItemsMax) {
      yield part;
      part = [];
      keys = new Set();
    }
    part.push(failure);
    for (const key of more) keys.add(key);
  }
  if (part.length > 0) yield part;
}

/** Of all items that `moveFailure` and its issue write. */
function keysOf({ id, tenant, stream, rawKey, fingerprint }: StoredFailure): string[] {
  return [
    itemKeys.failure(id),
    itemKeys.marker(rawKey),
    itemKeys.counters(tenant, stream, shardOf(rawKey, shards.counters)),
    itemKeys.issue(tenant, issueId(fingerprint)),
  ].map(keyText);
}

function checkState(failure: StoredFailure, version: number | null, to: string): void {
  if (version !== null && version !== failure.version) {
    throw new EventPulseError(
      "ETAG_STALE",
      `Failure ${failure.id} is at version ${failure.version}, not ${version}: read it again, then repeat the change.`,
    );
  }
  if (isOpen(failure)) return;
  throw new EventPulseError(
    "STATE_CONFLICT",
    `Failure ${failure.id} is ${failure.state}: only one that is quarantined or dead can be ${to}.`,
  );
}
