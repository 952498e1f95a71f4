/** What a rule says of one value. */
export interface Verdict {
  /** 0 (ordinary) to 1 (certain). */
  readonly score: number;
  readonly anomalous: boolean;
  /** The expected band; null on a side that is open or not known yet. */
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  /** In words: what was expected, how unusual it is, compared with what. */
  readonly why: string;
}

export interface AnomalyDraft {
  /** `anom_` + hex, derived from rule and record. */
  readonly id: string;
  readonly rule: string;
  /** The rule's `value`: dotted path of the number in the record. A series of this field shows the anomaly. */
  readonly field: string;
  readonly key: string;
  readonly time: number;
  readonly value: number;
  readonly verdict: Verdict;
  /** Index of the event in the raw object: an anomaly is kept only when its record is (the first one, where a transform made several). */
  readonly index: number;
}

export type AnomalyState = "open" | "acknowledged" | "false-positive";
export const anomalyStates = ["open", "acknowledged", "false-positive"] as const satisfies readonly AnomalyState[];

export interface Anomaly {
  readonly id: string;
  readonly stream: string;
  readonly rule: string;
  /** Dotted path of the number in the record. */
  readonly field: string;
  /** The value of the rule's `per` field, "" when the rule has none. */
  readonly key: string;
  readonly time: number;
  readonly value: number;
  readonly score: number;
  readonly expectedLow: number | null;
  readonly expectedHigh: number | null;
  readonly why: string;
  readonly recordId: string;
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
}
