import type { ItemResult, Job, JobDraft, JobItem, JobReason } from "../../model/job.ts";
import type { Database } from "./database.ts";

/** Reasons that a job shows. */
const reasonsShown = 20;
/** Reasons that a job counts: one that turns up late in a large job may still come to be one of the most frequent. */
const reasonsCounted = 200;

export const jobSelect = `SELECT number, id, tenant, action, mode, selection, mending, canary,
  rate_per_second AS ratePerSecond, created_by AS createdBy, reason, state, state_reason AS stateReason, items, results,
  reasons, samples, created_at AS createdAt, starts_at AS startsAt, finished_at AS finishedAt, step, version,
  created_at AS page_time, id AS page_id FROM jobs`;

export const itemSelect = "SELECT position, target, result, detail, record_id AS recordId FROM job_items";

export interface JobRow extends Omit<Job, "selection" | "mending" | "results" | "reasons" | "samples"> {
  /** Key of its items. */
  readonly number: number;
  readonly selection: string;
  readonly mending: string | null;
  readonly results: string;
  readonly reasons: string;
  readonly samples: string;
}

export function findJob(database: Database, tenant: string, id: string): JobRow | null {
  return database.get<JobRow>(`${jobSelect} WHERE tenant = ? AND id = ?`, tenant, id);
}

export function toJob(row: JobRow): Job {
  const { number: _number, ...rest } = row;
  const { page_time: _time, page_id: _id, ...job } = rest as typeof rest & { page_time: number; page_id: string };
  return {
    ...job,
    selection: JSON.parse(row.selection) as Job["selection"],
    mending: row.mending === null ? null : (JSON.parse(row.mending) as Job["mending"]),
    results: JSON.parse(row.results) as Job["results"],
    reasons: readReasons(row).slice(0, reasonsShown),
    samples: JSON.parse(row.samples) as Job["samples"],
  };
}

/** Rows of `itemSelect` come without a prototype. */
export function toItem(row: JobItem): JobItem {
  return { ...row };
}

/** Writes the row of a job that has no items yet; answers with its number. */
export function insertJob(database: Database, draft: JobDraft, now: number): number {
  const values = {
    id: draft.id,
    tenant: draft.tenant,
    action: draft.action,
    mode: draft.mode,
    selection: JSON.stringify(draft.selection),
    mending: draft.mending === null ? null : JSON.stringify(draft.mending),
    canary: draft.canary,
    rate_per_second: draft.ratePerSecond,
    created_by: draft.createdBy,
    reason: draft.reason,
    state: draft.graceMillis > 0 ? "scheduled" : "running",
    items: 0,
    created_at: now,
    starts_at: now + draft.graceMillis,
  };
  const columns = Object.keys(values);
  const sql = `INSERT INTO jobs (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
  return Number(database.statement(sql).run(...Object.values(values)).lastInsertRowid);
}

/** Writes the results of items that had none; answers with how many there were of each. */
export function writeItemResults(
  database: Database,
  job: number,
  items: readonly (JobItem & { readonly result: ItemResult })[],
): Partial<Record<ItemResult, number>> {
  const counts: Partial<Record<ItemResult, number>> = {};
  for (const { position, result, detail, recordId } of items) {
    const written = database.run(
      "UPDATE job_items SET result = ?, detail = ?, record_id = ? WHERE job = ? AND position = ? AND result IS NULL",
      result,
      detail,
      recordId,
      job,
      position,
    );
    if (written > 0) counts[result] = (counts[result] ?? 0) + written;
  }
  return counts;
}

/** Items without a result, ascending. By its partial index: what is done is not looked at again in each step. */
export function itemsTodo(database: Database, job: number, max: number): readonly JobItem[] {
  // What has no result has neither detail nor record.
  return database
    .arrays<readonly [position: number, target: string]>(
      "SELECT position, target FROM job_items INDEXED BY job_items_todo WHERE job = ? AND result IS NULL ORDER BY position LIMIT ?",
      job,
      max,
    )
    .map(([position, target]) => ({ position, target, result: null, detail: null, recordId: null }));
}

/** The reasons of a job with those of a step added, most frequent first. The detail and the example are the first one's. */
export function addReasons(row: JobRow, added: readonly JobReason[]): readonly JobReason[] {
  const reasons = new Map<string, JobReason>();
  for (const reason of [...readReasons(row), ...added]) {
    const key = JSON.stringify([reason.code, reason.pointer]);
    const known = reasons.get(key);
    reasons.set(key, known === undefined ? reason : { ...known, count: known.count + reason.count });
  }
  return [...reasons.values()].sort((left, right) => right.count - left.count).slice(0, reasonsCounted);
}

function readReasons({ reasons }: Pick<JobRow, "reasons">): readonly JobReason[] {
  return JSON.parse(reasons) as readonly JobReason[];
}
