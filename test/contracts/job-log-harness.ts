import type { FailureDraft } from "../../src/model/failure.ts";
import {
  anyFailure,
  type FailureFilter,
  type Job,
  type JobDraft,
  type JobItem,
  type JobSelection,
} from "../../src/model/job.ts";
import type { AuditLog } from "../../src/ports/audit-log.ts";
import type { FailureLog } from "../../src/ports/failure-log.ts";
import type { JobLog } from "../../src/ports/job-log.ts";
import type { RecordTable } from "../../src/ports/record-table.ts";
import type { Work, WorkQueue } from "../../src/ports/work-queue.ts";
import { anyEntry, auditDraft } from "./audit-log.ts";
import { failureDraft, newRawKey, outcome, stream, tenant } from "./outcome-samples.ts";
import { allRows } from "./store-harness.ts";

/** The ports that jobs are about, over one empty store. */
export interface JobLogHarness {
  readonly jobs: JobLog;
  readonly audit: AuditLog;
  readonly failures: FailureLog;
  readonly records: RecordTable;
  readonly queue: WorkQueue;
  /** The platform's time, milliseconds since 1970. */
  now(): number;
  /** Lets at least this much of the platform's time pass. */
  wait(millis: number): Promise<void>;
  /** Resolves when all that was written can be read. */
  settle(): Promise<void>;
  /** Ends the process that holds the log, without warning, and starts it again. */
  restart(): Promise<JobLog>;
  close(): Promise<void>;
}

/** All failures, but for what is said otherwise. */
export function byFilter(change: Partial<FailureFilter> = {}): JobSelection {
  return { kind: "filter", filter: { ...anyFailure, ...change } };
}

let drafts = 0;

export function jobDraft(change: Partial<JobDraft> = {}): JobDraft {
  return {
    id: `job_${String(drafts++).padStart(20, "0")}`,
    tenant,
    action: "replay",
    mode: "run",
    selection: byFilter(),
    mending: null,
    canary: null,
    ratePerSecond: null,
    createdBy: "ana",
    reason: null,
    graceMillis: 0,
    ...change,
  };
}

/** Runs a test over stores of its own. */
export function withJobs<Harness extends JobLogHarness>(create: () => Promise<Harness>) {
  return (body: (harness: Harness) => Promise<void>) => async () => {
    const harness = await create();
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };
}

/** Commits one failure; answers with its id. */
export async function fail({ records, settle }: JobLogHarness, change: Partial<FailureDraft> = {}, ofStream = stream) {
  const rawKey = newRawKey(ofStream);
  const draft = failureDraft(rawKey, change);
  await records.commit([outcome({ rawKey, meta: { stream: ofStream }, failures: [draft] })]);
  await settle();
  return draft.id;
}

/** Commits failures one after the other; answers with their ids, in the order that a job has them. */
export async function failMany(harness: JobLogHarness, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    ids.push(await fail(harness));
    await harness.wait(1);
  }
  return ids;
}

export async function startJob({ jobs, settle }: JobLogHarness, change: Partial<JobDraft> = {}): Promise<Job> {
  const draft = jobDraft(change);
  const job = await jobs.create(draft, auditDraft({ action: "job.start", target: draft.id }));
  await settle();
  return job;
}

export async function itemsOf({ jobs }: JobLogHarness, { id }: Pick<Job, "id">): Promise<JobItem[]> {
  return allRows((request) => jobs.items(tenant, id, { result: null, ...request }), 7);
}

/** Takes what is due out of the queue. */
export async function takeWork({ queue }: JobLogHarness): Promise<readonly Work[]> {
  const messages = await queue.receive(10);
  for (const message of messages) await queue.acknowledge(message);
  return messages.map(({ work }) => work);
}

export function stepWork({ id }: Pick<Job, "id">, step: number): Work {
  return { kind: "job", tenant, stream: "", jobId: id, step };
}

export async function auditsOf({
  audit,
}: JobLogHarness): Promise<readonly (readonly [action: string, target: string])[]> {
  const { rows } = await audit.query({ ...anyEntry, limit: 100 });
  return rows.map(({ action, target }) => [action, target] as const);
}
