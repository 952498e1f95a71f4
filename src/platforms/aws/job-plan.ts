import type { ErrorDetail } from "../../model/error.ts";
import { causePointer } from "../../model/identity.ts";
import type { JobPlan, JobSelection } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import { type PayloadObjects, readPayloads } from "./failure-payloads.ts";
import { type ItemKey, keyText } from "./item.ts";
import { failedRecordKey } from "./known-events.ts";
import type { RecordItem } from "./record-items.ts";
import { selectedFailures, selectedObjects } from "./selected-targets.ts";
import { isOpen, type StoredFailure } from "./stored-failure.ts";
import type { Table } from "./table.ts";

/** Issues that a plan names. */
const issuesMax = 20;
/** Failures whose records are looked up in one go. */
const lookedUpAtOnce = 2_000;
/** Payloads read in one go, for the source that a CloudEvent names. */
const payloadsAtOnce = 200;

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/**
 * Counts what a selection matches, all of it, reading one page after the other. `replayable` and `unrecoverable` divide the
 * failures in a state that a replay takes, and only such a failure is an expected duplicate.
 */
export async function planJob(
  table: Table,
  objects: PayloadObjects | null,
  tenant: string,
  selection: JobSelection,
): Promise<JobPlan> {
  if (selection.kind === "raw") return planRaw(table, tenant, selection);
  const counted = new FailureCount();
  let identified: StoredFailure[] = [];
  for await (const failure of selectedFailures(table, objects, tenant, selection)) {
    counted.add(failure);
    if (!isOpen(failure) || failure.identity === null) continue;
    identified.push(failure);
    if (identified.length < lookedUpAtOnce) continue;
    counted.duplicates += await storedAlready(table, objects, identified);
    identified = [];
  }
  counted.duplicates += await storedAlready(table, objects, identified);
  return counted.plan();
}

class FailureCount {
  duplicates = 0;
  readonly #plan: Mutable<JobPlan> = { ...emptyPlan };
  readonly #streams = new Map<string, number>();
  readonly #states = new Map<string, number>();
  readonly #issues = new Map<
    string,
    { count: number; readonly code: string; readonly errors: readonly ErrorDetail[] }
  >();

  add(failure: StoredFailure): void {
    const plan = this.#plan;
    const { firstSeenAt, expiresAt, fingerprint, code, errors } = failure;
    plan.items++;
    plan.bytes += failure.payloadBytes;
    plan.oldestAt = Math.min(plan.oldestAt ?? firstSeenAt, firstSeenAt);
    plan.newestAt = Math.max(plan.newestAt ?? firstSeenAt, firstSeenAt);
    plan.firstExpiresAt = Math.min(plan.firstExpiresAt ?? expiresAt, expiresAt);
    if (failure.edit !== null) plan.edited++;
    if (isOpen(failure)) {
      if (failure.recoverable && failure.attempts < limits.replaysMax) plan.replayable++;
      else plan.unrecoverable++;
    }
    this.#streams.set(failure.stream, (this.#streams.get(failure.stream) ?? 0) + 1);
    this.#states.set(failure.state, (this.#states.get(failure.state) ?? 0) + 1);
    const issue = this.#issues.get(fingerprint);
    if (issue !== undefined) issue.count++;
    else this.#issues.set(fingerprint, { count: 1, code, errors });
  }

  plan(): JobPlan {
    const issues = [...this.#issues].sort(
      ([left, { count }], [right, { count: other }]) => other - count || (left < right ? -1 : 1),
    );
    return {
      ...this.#plan,
      streams: Object.fromEntries(this.#streams),
      states: Object.fromEntries(this.#states),
      issues: issues.slice(0, issuesMax).map(([fingerprint, { code, errors, count }]) => ({
        id: `iss_${fingerprint}`,
        code,
        pointer: causePointer(errors),
        count,
      })),
      duplicatesExpected: this.duplicates,
    };
  }
}

/** How many of these are stored as a record with the same content. */
async function storedAlready(
  table: Table,
  objects: PayloadObjects | null,
  failures: readonly StoredFailure[],
): Promise<number> {
  const keys = new Map<StoredFailure, ItemKey>();
  const named: StoredFailure[] = [];
  for (const failure of failures) {
    const key = failedRecordKey({ ...failure, original: nothing }, failure);
    if (key !== null) keys.set(failure, key);
    else named.push(failure);
  }
  // CloudEvents in JSON: their source is in their payload.
  for (let start = 0; start < named.length; start += payloadsAtOnce) {
    const part = named.slice(start, start + payloadsAtOnce);
    const payloads = await readPayloads(
      table,
      objects,
      part.map(({ id }) => id),
    );
    for (const failure of part) {
      const key = failedRecordKey({ ...failure, original: payloads.get(failure.id) ?? nothing }, failure);
      if (key !== null) keys.set(failure, key);
    }
  }
  const records = await table.getAll([...keys.values()]);
  let count = 0;
  for (const [{ contentHash }, key] of keys) {
    const record = records.get(keyText(key)) as RecordItem | undefined;
    if (record?.c === contentHash) count++;
  }
  return count;
}

const nothing = new Uint8Array();

const emptyPlan: JobPlan = {
  items: 0,
  bytes: 0,
  oldestAt: null,
  newestAt: null,
  firstExpiresAt: null,
  streams: {},
  states: {},
  issues: [],
  edited: 0,
  duplicatesExpected: 0,
  replayable: 0,
  unrecoverable: 0,
};

/** The table knows no size of raw objects, and they have no state that a job would not take. */
async function planRaw(
  table: Table,
  tenant: string,
  selection: JobSelection & { readonly kind: "raw" },
): Promise<JobPlan> {
  const plan: Mutable<JobPlan> = { ...emptyPlan };
  for await (const { receivedAt, expiresAt } of selectedObjects(table, tenant, selection)) {
    plan.items++;
    plan.oldestAt = Math.min(plan.oldestAt ?? receivedAt, receivedAt);
    plan.newestAt = Math.max(plan.newestAt ?? receivedAt, receivedAt);
    plan.firstExpiresAt = Math.min(plan.firstExpiresAt ?? expiresAt, expiresAt);
  }
  plan.replayable = plan.items;
  if (plan.items > 0) plan.streams = { [selection.stream]: plan.items };
  return plan;
}
