import type { AuditDraft } from "../../model/audit.ts";
import { assert, EventPulseError } from "../../model/error.ts";
import type { ItemResult, JobDraft, JobState } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { JobLog, JobStepResult } from "../../ports/job-log.ts";
import { insertAudit } from "./audit-log.ts";
import type { Clock, Database } from "./database.ts";
import { JobItems } from "./job-items.ts";
import { freezeSelection, planJob } from "./job-plan.ts";
import { addReasons, findJob, insertJob, type JobRow, jobSelect, toJob } from "./job-rows.ts";
import { type KeysetList, keysetPage } from "./keyset-page.ts";
import { insertWork } from "./work-queue.ts";

export interface SqliteJobLog extends JobLog {
  /** `finishStep` inside a transaction of the caller, so that a step and what it committed count together or not at all. */
  finishStepSync(result: JobStepResult): void;
}

export interface JobLogOptions {
  /** Default `limits.jobItemsMax`. */
  readonly itemsMax?: number;
}

/** Items that a job keeps as samples. */
const samplesMax = 10;
/** Jobs that are over can be looked at for a month, as notifications can. */
const jobMillis = 30 * 24 * 60 * 60 * 1000;

const list: KeysetList = { kind: "jobs", select: jobSelect, timeColumn: "created_at", idColumn: "id" };

type ByHand = Parameters<JobLog["change"]>[3];

/** From where a job can be brought by hand to where. Resumed in its grace period it is `scheduled` again. */
const changes: Readonly<Record<ByHand, readonly JobState[]>> = {
  paused: ["scheduled", "running"],
  running: ["paused", "cancelled"],
  cancelled: ["scheduled", "running", "paused"],
};

/** Jobs in the embedded database. `plan`, `get`, `query` and `items` work on a reading connection too. */
export function sqliteJobLog(
  database: Database,
  clock: Clock,
  { itemsMax = limits.jobItemsMax }: JobLogOptions = {},
): SqliteJobLog {
  return {
    async plan(tenant, selection) {
      return planJob(database, tenant, selection);
    },
    async create(draft, audit) {
      return database.transaction(() => {
        const row = findJob(database, draft.tenant, draft.id) ?? startJob(database, clock, draft, audit, itemsMax);
        return toJob(row);
      });
    },
    async get(tenant, id) {
      const row = findJob(database, tenant, id);
      return row && toJob(row);
    },
    async query(query) {
      const { rows, next } = keysetPage<JobRow>(
        database,
        list,
        [
          ["tenant = ?", query.tenant],
          ["state = ?", query.state],
          ["action = ?", query.action],
        ],
        query,
      );
      return { rows: rows.map(toJob), next };
    },
    async items(tenant, id, query) {
      const row = findJob(database, tenant, id);
      return row === null ? { rows: [], next: null } : new JobItems(database, row.number).page(query);
    },
    async change(tenant, id, version, to, audit) {
      return database.transaction(() => {
        const row = findJob(database, tenant, id);
        if (row === null) return null;
        checkChange(row, version, to);
        changeJob(database, clock, row, to, audit);
        const changed = findJob(database, tenant, id);
        return changed && toJob(changed);
      });
    },
    async todo(tenant, id, max) {
      const row = findJob(database, tenant, id);
      return row === null ? [] : new JobItems(database, row.number).todo(max);
    },
    finishStepSync(result) {
      finishStep(database, clock, result);
    },
    async finishStep(result) {
      database.transaction(() => finishStep(database, clock, result));
    },
  };
}

function startJob(database: Database, clock: Clock, draft: JobDraft, audit: AuditDraft, itemsMax: number): JobRow {
  const { tenant, id, selection, graceMillis } = draft;
  const now = clock();
  const number = insertJob(database, draft, now);
  const items = freezeSelection(database, tenant, selection, new JobItems(database, number), itemsMax);
  if (items === 0) {
    throw new EventPulseError(
      "SELECTION_EMPTY",
      "Nothing fits the selection, so no job was started. Plan it first, and widen the filter or the range of time.",
    );
  }
  const full = `It holds ${items} items, as many as a job can. If the selection matches more, another job takes the rest.`;
  const stateReason = items === itemsMax ? full : null;
  database.run("UPDATE jobs SET items = ?, state_reason = ? WHERE number = ?", items, stateReason, number);
  const row = findJob(database, tenant, id);
  assert(row !== null, "a job that was just written can be read");
  enqueueStep(database, row, now + graceMillis);
  insertAudit(database, clock, { ...audit, details: { ...audit.details, items } });
  return row;
}

function changeJob(database: Database, clock: Clock, row: JobRow, to: ByHand, audit: AuditDraft): void {
  const now = clock();
  if (to === "running") {
    enter(database, row, row.startsAt > now ? "scheduled" : "running", null);
    enqueueStep(database, row, Math.max(now, row.startsAt));
  } else {
    enter(database, row, to, audit.reason);
  }
  insertAudit(database, clock, audit);
}

function finishStep(database: Database, clock: Clock, result: JobStepResult): void {
  const row = findJob(database, result.tenant, result.jobId);
  if (row === null || row.step !== result.step || row.state === "done") return;
  const items = new JobItems(database, row.number);
  items.finish(result.items);
  recordStep(database, row, result);
  const now = clock();
  const goesOn = row.state === "running" || row.state === "scheduled";
  if (items.todo(1).length === 0) {
    enter(database, row, "done", null, now);
  } else if (goesOn && result.pauseReason !== null) {
    enter(database, row, "paused", result.pauseReason);
  } else if (goesOn) {
    enter(database, row, "running", row.stateReason);
    enqueueStep(database, { ...row, step: row.step + 1 }, now + result.delayMillis);
  }
}

function enqueueStep(database: Database, { tenant, id, step }: JobRow, dueAt: number): void {
  insertWork(database, [{ kind: "job", tenant, stream: "", jobId: id, step }], dueAt);
}

/**
 * Removes jobs that are done or cancelled 30 days after their creation, in up to `max` rows with their items: a large job
 * goes in several sweeps. Belongs into the transaction of a sweep; answers with the rows removed.
 */
export function sweepJobs(database: Database, now: number, max: number): number {
  let count = 0;
  while (count < max) {
    const job = database.get<{ number: number }>(
      "SELECT number FROM jobs WHERE state IN ('done', 'cancelled') AND created_at <= ? ORDER BY number LIMIT 1",
      now - jobMillis,
    );
    if (job === null) break;
    const left = max - count;
    const swept = new JobItems(database, job.number).sweep(left);
    count += swept;
    if (swept < left) count += database.run("DELETE FROM jobs WHERE number = ?", job.number);
  }
  return count;
}

/** What a step adds to its job, whatever becomes of the job's state. */
function recordStep(database: Database, row: JobRow, { items, reasons, samples }: JobStepResult): void {
  const { results, samples: kept } = toJob(row);
  const counts: Partial<Record<ItemResult, number>> = { ...results };
  for (const { result } of items) counts[result] = (counts[result] ?? 0) + 1;
  database.run(
    "UPDATE jobs SET results = ?, reasons = ?, samples = ?, step = step + 1 WHERE number = ?",
    JSON.stringify(counts),
    JSON.stringify(addReasons(row, reasons)),
    JSON.stringify([...kept, ...samples].slice(0, samplesMax)),
    row.number,
  );
}

function enter(
  database: Database,
  { number, state }: JobRow,
  to: JobState,
  reason: string | null,
  finishedAt: number | null = null,
): void {
  if (state === to) return;
  database.run(
    "UPDATE jobs SET state = ?, state_reason = ?, finished_at = ?, version = version + 1 WHERE number = ?",
    to,
    reason,
    finishedAt,
    number,
  );
}

function checkChange({ id, version: stored, state }: JobRow, version: number | null, to: ByHand): void {
  if (version !== null && version !== stored) {
    throw new EventPulseError(
      "ETAG_STALE",
      `Job ${id} is at version ${stored}, not ${version}: read it again, then repeat the change.`,
    );
  }
  if (changes[to].includes(state)) return;
  throw new EventPulseError(
    "STATE_CONFLICT",
    `Job ${id} is ${state}: only ${changes[to].join(" and ")} jobs become ${to}.`,
  );
}
