import type { AuditDraft } from "../model/audit.ts";
import type {
  ItemResult,
  Job,
  JobAction,
  JobDraft,
  JobItem,
  JobPlan,
  JobReason,
  JobSample,
  JobSelection,
  JobState,
} from "../model/job.ts";
import type { Page, PageRequest } from "../model/page.ts";

export interface JobQuery extends PageRequest {
  readonly tenant: string;
  readonly state: JobState | null;
  readonly action: JobAction | null;
}

export interface JobItemQuery extends PageRequest {
  /** `todo`: those without a result; null: all. */
  readonly result: ItemResult | "todo" | null;
}

/** What a step of a job did; `reasons` and `samples` are added to those of the job. */
export interface JobStepResult {
  readonly tenant: string;
  readonly jobId: string;
  /** As `Job.step` was when the step began. */
  readonly step: number;
  /** The first ones without a result, in their order. */
  readonly items: readonly (JobItem & { readonly result: ItemResult })[];
  readonly reasons: readonly JobReason[];
  readonly samples: readonly JobSample[];
  /** Pauses the job, for this reason, before the next step. */
  readonly pauseReason: string | null;
  /** Until the next step. */
  readonly delayMillis: number;
}

/**
 * Jobs and their frozen lists of items. A running job has one message of kind `job` in the work queue, for its next step;
 * creating, resuming and finishing a step enqueue it in the same commit, so a job survives any crash.
 */
export interface JobLog {
  /** Counts what a selection matches now. A million failures take seconds, not minutes. */
  plan(tenant: string, selection: JobSelection): Promise<JobPlan>;
  /**
   * Freezes all that the selection matches at this moment (failures by last seen, or in the order they are named; raw objects
   * by received time; the first `limits.jobItemsMax`), starts the job (after its grace period) and writes the audit entry,
   * with `items` among its details, in one commit. An id that exists answers with that job. Throws SELECTION_EMPTY.
   */
  create(draft: JobDraft, audit: AuditDraft): Promise<Job>;
  get(tenant: string, id: string): Promise<Job | null>;
  /** Newest first. Throws CURSOR_INVALID. */
  query(query: JobQuery): Promise<Page<Job>>;
  /** Ascending by position. Throws CURSOR_INVALID. */
  items(tenant: string, id: string, query: JobItemQuery): Promise<Page<JobItem>>;
  /**
   * Pauses, resumes (`running`, also a cancelled one; `scheduled` again within its grace period) or cancels; the reason of
   * the audit entry says why it is paused or cancelled. Throws STATE_CONFLICT from a state that does not allow it
   * and ETAG_STALE when `version` (null: any) is not the stored one. Null when there is none.
   */
  change(
    tenant: string,
    id: string,
    version: number | null,
    to: "paused" | "running" | "cancelled",
    audit: AuditDraft,
  ): Promise<Job | null>;
  /** Up to `max` items that are still to do, ascending. */
  todo(tenant: string, id: string, max: number): Promise<readonly JobItem[]>;
  /**
   * Records a step and enqueues the next one, or ends the job when nothing is left, whatever its state. A step that is not
   * the job's current one changes nothing. A job that was paused or cancelled meanwhile, and has items left, keeps that
   * state and gets no next step. Reasons are added up by code and pointer; the first 10 samples are kept.
   */
  finishStep(result: JobStepResult): Promise<void>;
}
