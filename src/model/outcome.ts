import type { AnomalyDraft, DetectorState } from "./anomaly.ts";
import type { FailureDraft } from "./failure.ts";
import type { NotificationDraft } from "./notification.ts";
import type { RawMeta } from "./raw-object.ts";
import type { RecordDraft } from "./record.ts";

/** An event whose processing failed in a way that time may mend: it is tried again, later and alone. */
export interface EventRetry {
  readonly index: number;
  /** Attempts so far. */
  readonly attempts: number;
  readonly delayMillis: number;
}

/**
 * What an outcome is about, and so what "done already" means.
 * - `object`: a whole raw object, first delivery. Its marker makes a redelivery change nothing.
 * - `event`: one event of a raw object, tried again after a transient error.
 * - `failure`: a failure that somebody retries; `failureId` turns `recovered` or goes back. With a `jobId` it is replayed:
 *   the outcome counts only while the failure is `quarantined` or `dead`; without, only while it is `retrying`.
 *
 * `attempt` is the number of the attempt just made (attempts so far, this one included), as `Work` asked for it.
 */
export type OutcomeSubject =
  | { readonly kind: "object" }
  | { readonly kind: "event"; readonly index: number; readonly attempt: number }
  | { readonly kind: "failure"; readonly failureId: string; readonly attempt: number; readonly jobId: string | null };

/**
 * All that processing one raw object (or one event of it) produced; committed at once or not at all.
 *
 * Everything is counted in events. Each event of the subject (`meta.events` of an object, else one) is in exactly one of
 * `records`, `dropped`, `failures` and `retries`. Where a transform made several records of one event, their drafts stand
 * next to each other with one `index`, and the first decides for all: they are stored, or a duplicate, or a conflict.
 */
export interface Outcome {
  readonly rawKey: string;
  readonly meta: RawMeta;
  readonly subject: OutcomeSubject;
  /** When the records, failures and the raw object may be deleted, milliseconds since 1970. */
  readonly expiresAt: { readonly records: number; readonly failures: number; readonly raw: number };
  readonly records: readonly RecordDraft[];
  /** Events that a transform dropped on purpose (by returning null). */
  readonly dropped: number;
  readonly failures: readonly FailureDraft[];
  readonly anomalies: readonly AnomalyDraft[];
  readonly retries: readonly EventRetry[];
  /** New states, each with the version that it was computed from. */
  readonly states: readonly DetectorState[];
  /** Names of the numeric fields whose count, min, max and sum per minute are kept; `RecordDraft.numbers` follows this order. */
  readonly rollupFields: readonly string[];
  readonly notifications: readonly NotificationDraft[];
}

/** What a commit did with one outcome. */
export interface OutcomeResult {
  /** False when the marker was there already: nothing has changed. */
  readonly applied: boolean;
  readonly stored: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly dead: number;
  readonly retrying: number;
  /** Events that were in the store already, same identity and same content. */
  readonly duplicates: number;
  /** Of a failure that was recovered: the record it became, or duplicates; else null. */
  readonly recordId: string | null;
}

/** Counters of one stream, in events, since the data folder (or table) began. `received = stored + dropped + quarantined + dead + retrying + duplicates` of what is committed. */
export interface StreamCounters {
  readonly received: number;
  readonly stored: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly dead: number;
  readonly retrying: number;
  readonly duplicates: number;
}

/** `accepted = stored + dropped + quarantined + dead + inFlight`, counted in events; duplicates stand beside it. */
export interface Balance {
  readonly accepted: number;
  readonly stored: number;
  readonly dropped: number;
  readonly quarantined: number;
  readonly dead: number;
  readonly inFlight: number;
  readonly duplicates: number;
}
