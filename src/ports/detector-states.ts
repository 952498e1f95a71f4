import type { AnomalyDraft, DetectorState, StoredDetectorState } from "../model/anomaly.ts";
import type { NotificationDraft } from "../model/notification.ts";

/** A state whose detector wants to be asked although nothing came. */
export interface DueState {
  readonly tenant: string;
  readonly state: StoredDetectorState;
}

/** What came of it that nothing came: an outcome without a raw object. */
export interface SilenceOutcome {
  readonly tenant: string;
  readonly stream: string;
  /** With the version that it was computed from. */
  readonly state: DetectorState;
  /** All of periods: there is no record that they could belong to. */
  readonly anomalies: readonly AnomalyDraft[];
  readonly notifications: readonly NotificationDraft[];
  /** When the anomalies may be deleted, milliseconds since 1970. */
  readonly expiresAt: number;
}

/** States of detectors between outcomes. Outcomes load and store them with `RecordTable`. */
export interface DetectorStates {
  /** All states whose `dueAt` is `now` or earlier, of every tenant, in no promised order; each with its false positives. */
  due(now: number): AsyncIterable<DueState>;
  /**
   * Stores state, anomalies and notifications at once, or none of them: `stale` when the state has another version than the one
   * that it was computed from, for then something came after all. An anomaly that is there already stays as it is.
   */
  commit(outcome: SilenceOutcome): Promise<"committed" | "stale">;
}
