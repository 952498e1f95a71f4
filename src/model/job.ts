import type { FailureClass, FailureState } from "./failure.ts";
import type { Condition } from "./page.ts";
import type { Mending } from "./recipe.ts";

/**
 * What a job does with its items.
 * - `replay`: processes failures again, mended or not; what fits now is recovered.
 * - `discard`: gives failures up, after a grace period.
 * - `reprocess`: processes raw objects again, and replaces the records whose output has changed.
 */
export type JobAction = "replay" | "discard" | "reprocess";
export const jobActions = ["replay", "discard", "reprocess"] as const satisfies readonly JobAction[];

/** `dry-run`: the real pipeline without a write; the job ends with what a run would have done. */
export type JobMode = "dry-run" | "run";
export const jobModes = ["dry-run", "run"] as const satisfies readonly JobMode[];

/**
 * States of a job.
 * - `scheduled`: entered at creation when it has a grace period, and by resume within it; left to `running` by its first step.
 * - `running`: entered at creation, or by resume.
 * - `paused`: entered by hand, or by itself (`stateReason` says why): after a canary that did not recover everything, and
 *   when a step cannot be computed or was tried too often; left by resume or cancel.
 * - `done`: no item is left; final.
 * - `cancelled`: entered by hand from any of the above but `done`. Items already done stay done. Left by resume, too.
 */
export type JobState = "scheduled" | "running" | "paused" | "done" | "cancelled";
export const jobStates = ["scheduled", "running", "paused", "done", "cancelled"] as const satisfies readonly JobState[];

/**
 * What became of an item.
 * - `recovered`: a record; `duplicate`: the record was there already; `dropped`: the transform dropped it.
 * - `failing`: fails still, for the reason in `detail`; it stays a failure. `unmended`: the recipe could not mend it.
 * - `unrecoverable`: its bytes are lost, or it was tried `limits.replaysMax` times.
 * - `skipped`: somebody else changed it meanwhile, or its state does not allow it. `gone`: retention removed it.
 * - `discarded`: given up, as asked.
 * - `same`, `changed`: a raw object whose output is what is stored, or was replaced (in a dry run: would be).
 */
export type ItemResult =
  | "recovered"
  | "duplicate"
  | "dropped"
  | "failing"
  | "unmended"
  | "unrecoverable"
  | "skipped"
  | "gone"
  | "discarded"
  | "same"
  | "changed";
export const itemResults = [
  "recovered",
  "duplicate",
  "dropped",
  "failing",
  "unmended",
  "unrecoverable",
  "skipped",
  "gone",
  "discarded",
  "same",
  "changed",
] as const satisfies readonly ItemResult[];

/** The filters of the failure log. Null: any. */
export interface FailureFilter {
  readonly stream: string | null;
  readonly state: FailureState | null;
  readonly class: FailureClass | null;
  readonly code: string | null;
  readonly fingerprint: string | null;
  /** Last seen, inclusive and exclusive. */
  readonly from: number | null;
  readonly to: number | null;
  /** Over the event as sent, as for records: a payload that is no JSON object has no fields. */
  readonly where: readonly Condition[];
  /** A text that the payload contains, byte for byte. */
  readonly contains: string | null;
}

/** The filter that everything passes: what is asked for is said on top of it. */
export const anyFailure: FailureFilter = {
  stream: null,
  state: null,
  class: null,
  code: null,
  fingerprint: null,
  from: null,
  to: null,
  where: [],
  contains: null,
};

/** What a job is about; all that it matches at its creation, frozen as a list. */
export type JobSelection =
  | { readonly kind: "ids"; readonly ids: readonly string[] }
  /** Without a state: those that wait (`quarantined`, `dead`). */
  | { readonly kind: "filter"; readonly filter: FailureFilter }
  /** Raw objects of a stream by received time, inclusive and exclusive; for `reprocess` only. */
  | { readonly kind: "raw"; readonly stream: string; readonly from: number; readonly to: number };

export interface JobDraft {
  /** `job_` + hex, sorts by time; fresh for each job, so that a second replay is never taken for the first. */
  readonly id: string;
  readonly tenant: string;
  readonly action: JobAction;
  readonly mode: JobMode;
  readonly selection: JobSelection;
  readonly mending: Mending | null;
  /** Items after which it pauses by itself unless all of them were recovered; null: none. */
  readonly canary: number | null;
  readonly ratePerSecond: number | null;
  readonly createdBy: string;
  readonly reason: string | null;
  /** Milliseconds before it starts. */
  readonly graceMillis: number;
}

export interface Job extends Omit<JobDraft, "graceMillis"> {
  readonly state: JobState;
  /** Why it is in this state, where that is not plain. */
  readonly stateReason: string | null;
  readonly items: number;
  /** Items by result; those without are still to do. */
  readonly results: Readonly<Partial<Record<ItemResult, number>>>;
  /** Why items fail, most frequent first, at most 20. */
  readonly reasons: readonly JobReason[];
  /** The first few items, with what changed. */
  readonly samples: readonly JobSample[];
  readonly createdAt: number;
  readonly startsAt: number;
  readonly finishedAt: number | null;
  /** Number of the step to come: a message for another is stale. */
  readonly step: number;
  /** Counts changes of state; the ETag. */
  readonly version: number;
}

export interface JobReason {
  readonly code: string;
  readonly pointer: string;
  readonly detail: string;
  readonly count: number;
  readonly exampleId: string;
}

/** JSON texts, personal fields masked, each cut at 2,000 characters; null: there is none. */
export interface JobSample {
  readonly target: string;
  readonly result: ItemResult;
  /** The event as sent, and as mended. */
  readonly before: string | null;
  readonly after: string | null;
  /** What became of it: a record's data, or for `reprocess` the record that is replaced and its replacement. */
  readonly output: string | null;
}

export interface JobItem {
  /** 1, 2, 3, … */
  readonly position: number;
  /** A failure's id, or the key of a raw object. */
  readonly target: string;
  /** Null: still to do. */
  readonly result: ItemResult | null;
  readonly detail: string | null;
  readonly recordId: string | null;
}

/** What a replay would meet; counted over the whole selection, nothing sampled. */
export interface JobPlan {
  readonly items: number;
  readonly bytes: number;
  /** First seen; null when there is nothing. */
  readonly oldestAt: number | null;
  readonly newestAt: number | null;
  /** When retention removes the first of them. */
  readonly firstExpiresAt: number | null;
  /** By stream, by state and by issue (most first, at most 20). */
  readonly streams: Readonly<Record<string, number>>;
  readonly states: Readonly<Record<string, number>>;
  readonly issues: readonly {
    readonly id: string;
    readonly code: string;
    readonly pointer: string;
    readonly count: number;
  }[];
  /** Have an edit that was kept. */
  readonly edited: number;
  /** In a state that a replay takes (`quarantined`, `dead`; the rest would be skipped), with their record stored already. */
  readonly duplicatesExpected: number;
  /** In such a state, recoverable, and tried less than `limits.replaysMax` times. */
  readonly replayable: number;
  /** In such a state, but lost, or tried that often. */
  readonly unrecoverable: number;
}
