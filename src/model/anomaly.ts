import type { AnomalyValue, Verdict } from "./detector.ts";

export interface AnomalyDraft {
  /** `anom_` + hex, derived from the rule and what it is about. */
  readonly id: string;
  readonly rule: string;
  /** Dotted path of what is to blame in the record; "" is the number of records. A series of this field shows the anomaly. */
  readonly field: string;
  readonly key: string;
  readonly time: number;
  readonly value: AnomalyValue;
  readonly verdict: Required<Omit<Verdict, "about" | "inconclusive">>;
  /**
   * Index of the event in the raw object: an anomaly is kept only when its record is (the first one, where a transform made
   * several). Null: it is about a period, not a record, and is kept in any case.
   */
  readonly index: number | null;
}

export type AnomalyState = "open" | "acknowledged" | "false-positive";
export const anomalyStates = ["open", "acknowledged", "false-positive"] as const satisfies readonly AnomalyState[];

export interface Anomaly {
  readonly id: string;
  readonly stream: string;
  readonly rule: string;
  /** Dotted path in the record; "" is the number of records. */
  readonly field: string;
  /** The value of the rule's `per` field, "" when the rule has none. */
  readonly key: string;
  readonly time: number;
  readonly value: AnomalyValue;
  readonly score: number;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  readonly why: string;
  /** Null: it is about a period (a bucket of events, a silence), not about one record. */
  readonly recordId: string | null;
  readonly state: AnomalyState;
  readonly note: string | null;
  readonly version: number;
}

/** State of one detector for one key. Opaque JSON text: the detector alone reads it. `version` 0 means "none stored yet". */
export interface DetectorState {
  readonly rule: string;
  readonly key: string;
  readonly version: number;
  readonly stateJson: string;
  /** When its detector is to be asked what it means that nothing came, milliseconds since 1970. Left out: never, or what is stored is only read. */
  readonly dueAt?: number;
}
