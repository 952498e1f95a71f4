import type { ErrorDetail } from "./error.ts";
import type { Door } from "./glossary.ts";
import type { PatchOperation } from "./recipe.ts";

/**
 * States of a failure.
 * - `quarantined`: entered when an event breaks its contract or conflicts; needs an edit or a code change.
 * - `dead`: entered when the attempts at an event are exhausted or its object is poison.
 * - `retrying`: entered by a retry from `quarantined` or `dead`; left to `recovered`, or back with attempts + 1.
 * - `recovered`: the event was processed after all; final. `recordId` links to the result (null when a transform dropped it).
 * - `discarded`: somebody decided that it is not needed; final.
 */
export type FailureState = "quarantined" | "dead" | "retrying" | "recovered" | "discarded";
export const failureStates = [
  "quarantined",
  "dead",
  "retrying",
  "recovered",
  "discarded",
] as const satisfies readonly FailureState[];

/** `invalid` needs an edit; `transient` was retried; `bug` needs code; `poison` was isolated; `conflict` same id, other content; `security` size, type, bomb. */
export type FailureClass = "invalid" | "transient" | "bug" | "poison" | "conflict" | "security";
export const failureClasses = [
  "invalid",
  "transient",
  "bug",
  "poison",
  "conflict",
  "security",
] as const satisfies readonly FailureClass[];

export type FailureStage = "decode" | "validate" | "identify" | "transform" | "detect" | "store";
export const failureStages = [
  "decode",
  "validate",
  "identify",
  "transform",
  "detect",
  "store",
] as const satisfies readonly FailureStage[];

/** One failure on its way into the log: what processing found out. */
export interface FailureDraft {
  /** `fail_` + hex; derived from the raw object and the index, so a redelivery writes the same failure. */
  readonly id: string;
  readonly state: "quarantined" | "dead";
  readonly class: FailureClass;
  readonly stage: FailureStage;
  /** An ErrorCode. */
  readonly code: string;
  readonly errors: readonly ErrorDetail[];
  readonly attempts: number;
  readonly index: number;
  readonly eventId: string | null;
  /** 53-bit hashes as in RecordDraft; a second failure with the same identity and content is a duplicate. */
  readonly identity: number | null;
  readonly contentHash: number;
  /** Groups failures into issues: hash of stream, stage, code, first pointer and contract version. */
  readonly fingerprint: string;
  /** The contract that judged it. */
  readonly contractVersion: string;
  readonly recoverable: boolean;
  readonly recoverableWhy: string;
  /** The event's bytes as sent. */
  readonly original: Uint8Array;
}

/** A change of the event that was judged good and kept, beside the original, which stays as it is. */
export interface FailureEdit {
  /** Applies to the event as the contract sees it (a CSV row by its columns, the data of a CloudEvent). */
  readonly patch: readonly PatchOperation[];
  readonly by: string;
  readonly at: number;
  readonly reason: string | null;
  /** SHA-256, hex, of the event after the patch as JSON text. */
  readonly sha256: string;
}

/** One failure as kept. */
export interface Failure {
  readonly id: string;
  readonly tenant: string;
  readonly stream: string;
  readonly door: Door;
  readonly state: FailureState;
  readonly class: FailureClass;
  readonly stage: FailureStage;
  readonly code: string;
  readonly errors: readonly ErrorDetail[];
  readonly attempts: number;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
  readonly traceId: string | null;
  readonly principal: string;
  readonly contractVersion: string;
  readonly fingerprint: string;
  readonly recoverable: boolean;
  readonly recoverableWhy: string;
  readonly rawKey: string;
  readonly rawIndex: number;
  readonly eventId: string | null;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadBytes: number;
  readonly payloadSha256: string;
  /** Used by every retry and replay from now on; null: none. */
  readonly edit: FailureEdit | null;
  /** The job that processed it last. */
  readonly jobId: string | null;
  /** Set when recovered. */
  readonly recordId: string | null;
  /** Why it was discarded, by whom. */
  readonly note: string | null;
  /** Counts changes; the ETag. */
  readonly version: number;
}

/** What a job goes by when it takes a failure. */
export type FailureHead = Pick<
  Failure,
  | "id"
  | "stream"
  | "state"
  | "attempts"
  | "recoverable"
  | "rawKey"
  | "rawIndex"
  | "payloadBytes"
  | "edit"
  | "jobId"
  | "recordId"
  | "note"
>;
