import type { AnomalyValue, Verdict } from "./detector.ts";
import type { Severity } from "./incident.ts";

export interface AnomalyDraft {
  /** `anom_` + hex, derived from the rule and what it is about. */
  readonly id: string;
  readonly rule: string;
  /** Dotted path of what is to blame in the record; "" is the number of records. A series of this field shows the anomaly. */
  readonly field: string;
  readonly key: string;
  readonly time: number;
  readonly value: AnomalyValue;
  readonly verdict: Required<Omit<Verdict, "about" | "inconclusive" | "goesOn">>;
  /**
   * Index of the event in the raw object: an anomaly is kept only when its record is (the first one, where a transform made
   * several). Null: it is about a period, not a record, and is kept in any case.
   */
  readonly index: number | null;
  /** The id of its incident. */
  readonly incident: string;
  /** Of its incident, with this point. */
  readonly severity: Severity;
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
  /** The incident that it belongs to: what one alert is about. */
  readonly incident: string;
  /** How severe the incident was with this point; it may have become critical later. */
  readonly severity: Severity;
  readonly state: AnomalyState;
  readonly note: string | null;
  readonly version: number;
}

/** Which anomalies; null: any. */
export interface AnomalyFilter {
  readonly stream: string | null;
  readonly rule: string | null;
  readonly state: AnomalyState | null;
  /** Id of an incident. */
  readonly incident: string | null;
  readonly severity: Severity | null;
  /** Event time, inclusive and exclusive. */
  readonly from: number | null;
  readonly to: number | null;
}
export const anyAnomaly: AnomalyFilter = {
  stream: null,
  rule: null,
  state: null,
  incident: null,
  severity: null,
  from: null,
  to: null,
};

/** What a change of an anomaly's state does to the false positives that are counted of its rule and key, and what the audit log says of it. */
export function falsePositiveFeedback(from: AnomalyState, to: AnomalyState, counted: number) {
  const change = Number(to === "false-positive") - Number(from === "false-positive");
  const after = Math.max(0, counted + change);
  return { after, details: { falsePositivesBefore: counted, falsePositivesAfter: after } } as const;
}

/** What is kept of one rule and key: opaque JSON text for stores (`rule-state.ts` reads it). `version` 0 means "none stored yet". */
export interface DetectorState {
  readonly rule: string;
  readonly key: string;
  readonly version: number;
  readonly stateJson: string;
  /** When its detector is to be asked what it means that nothing came, milliseconds since 1970. Left out: never, or what is stored is only read. */
  readonly dueAt?: number;
}

export interface StoredDetectorState extends DetectorState {
  /** How many anomalies of this rule and key people call false positives now. Stored apart: a commit of the state leaves it alone. */
  readonly falsePositives: number;
}
