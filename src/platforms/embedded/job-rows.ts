import type { Job, JobDraft, JobReason } from "../../model/job.ts";
import type { Database } from "./database.ts";

/** Reasons that a job shows. */
const reasonsShown = 20;
/** Reasons that a job counts: one that turns up late in a large job may still come to be one of the most frequent. */
const reasonsCounted = 200;

export const jobSelect = `SELECT number, id, tenant, action, mode, selection, mending, canary,
  rate_per_second AS ratePerSecond, created_by AS createdBy, reason, state, state_reason AS stateReason, items, results,
  reasons, samples, created_at AS createdAt, starts_at AS startsAt, finished_at AS finishedAt, step, version,
  created_at AS page_time, id AS page_id FROM jobs`;

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
