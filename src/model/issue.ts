import type { FailureClass, FailureStage } from "./failure.ts";

/**
 * States of an issue.
 * - `open`: entered by its first failure, or by hand.
 * - `acknowledged`: somebody works on it.
 * - `ignored`: nobody wants to hear of it; its failures stay.
 * - `resolved`: entered by hand, or by itself when none of its failures waits any more (an ignored one stays ignored).
 * - `regressed`: entered from `resolved` by a new failure with the same cause.
 */
export type IssueState = "open" | "acknowledged" | "ignored" | "resolved" | "regressed";
export const issueStates = [
  "open",
  "acknowledged",
  "ignored",
  "resolved",
  "regressed",
] as const satisfies readonly IssueState[];

/** What a person may set it to. */
export const issueStatesByHand = [
  "open",
  "acknowledged",
  "ignored",
  "resolved",
] as const satisfies readonly IssueState[];

/** Failures of one tenant with one fingerprint: same stream, stage, code, pointer and contract version. */
export interface Issue {
  /** `iss_` + fingerprint. */
  readonly id: string;
  readonly tenant: string;
  readonly stream: string;
  readonly fingerprint: string;
  readonly class: FailureClass;
  readonly stage: FailureStage;
  readonly code: string;
  /** Of the first error, array indexes as `*`. */
  readonly pointer: string;
  /** What its first failure said, without personal data. */
  readonly detail: string;
  readonly contractVersion: string;
  readonly state: IssueState;
  readonly owner: string | null;
  readonly note: string | null;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  /** Failures ever, and how many of them are in which place now. What retention has removed is in `total` alone. */
  readonly total: number;
  readonly waiting: number;
  readonly recovered: number;
  readonly discarded: number;
  /** A failure of it, the latest when it was written. */
  readonly exampleId: string;
  /** Counts changes made by hand and of state; the ETag. */
  readonly version: number;
}

/** New failures per hour, ascending, without empty hours. */
export interface IssueTrend {
  readonly hours: readonly { readonly time: number; readonly count: number }[];
}

/** What its owner was last told, so that nobody is told twice: never one notice per event. */
export interface IssueNotice {
  /** `stopped` also when nobody was told: it is over, and nothing is left to tell. */
  readonly kind: "new" | "regressed" | "threshold" | "stopped";
  /** `state` and `total` when it was last decided about. */
  readonly state: IssueState;
  readonly total: number;
  /** When something was last told. */
  readonly at: number;
}
