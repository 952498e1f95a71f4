/** What a detector says of one point. Only the first three are needed. */
export interface Verdict {
  /** 0 (ordinary) to 1 (certain); 0.5 and more where it is anomalous. */
  readonly score: number;
  readonly anomalous: boolean;
  /** In words: what was expected, how unusual it is, compared with what. */
  readonly why: string;
  /** The expected band; null or left out on a side that is open or not known yet. */
  readonly expectedLow?: number | null;
  readonly expectedHigh?: number | null;
  /** Nothing was judged (still learning, no finite number): it says neither that all is well nor that it is not. Left out: false. */
  readonly inconclusive?: boolean;
  /** Still unusual, but part of what was found before: no find of its own. An incident that is open goes on. Left out: false. */
  readonly goesOn?: boolean;
  /** What it is about, where that is not the value of the rule's one field in this record. */
  readonly about?: VerdictSubject;
}

export interface VerdictSubject {
  /** Dotted path of the field to blame; "" is the number of records. Left out: the rule's one field. */
  readonly field?: string;
  readonly value: AnomalyValue;
  /** Start of the period that it is about, milliseconds since 1970: such an anomaly belongs to no record. Left out: to this one. */
  readonly since?: number;
}

/** A number, or the text of a category. */
export type AnomalyValue = number | string;

/** What a detector judges: one record's value, or values, as the rule selects them. */
export interface DetectorPoint<Value = number> {
  /** Event time, but never later than the event arrived; may lie before that of the point before. */
  readonly time: number;
  /** When the event arrived. Left out: at `time`. */
  readonly receivedAt?: number;
  readonly value: Value;
  /** How many times somebody called a find of this rule and key a false positive: each makes the detector more lenient. */
  readonly falsePositives: number;
}

/** What a detector is asked when nothing came. */
export interface SilencePoint {
  readonly now: number;
  /** Since when all that was sent would have been seen: EventPulse has run without a break from here to `now`. */
  readonly watchedSince: number;
  readonly falsePositives: number;
}

export interface Judgement<State = unknown> {
  readonly verdict: Verdict;
  readonly state: State;
}

/**
 * A detector is a pure function over a bounded state, one for each key of a rule: the same state and point give the same
 * answer, so that a redelivered event is judged as it was before. The state is what JSON keeps, at most
 * `limits.detectorStateBytes` of it; null for a key that is seen for the first time. It judges a point before it learns from it.
 */
export interface Detector<Value = number, State = unknown> {
  /** A name for people. */
  readonly kind: string;
  judge(point: DetectorPoint<Value>, state: State | null): Judgement<State>;
  /** Where it means something that nothing comes: when to ask `overdue`, milliseconds since 1970; null: not before the next point. */
  dueAt?(state: State): number | null;
  /** What there is to say although nothing came. */
  overdue?(point: SilencePoint, state: State): Judgement<State>;
}

/**
 * The detectors of the config, with every option. What each does is said where it is made, in `pipeline/process/detect`.
 * `falseAlarmsPerWeek` has one meaning in all of them: how many false alarms a series may raise in a week when nothing is wrong.
 */
export type DetectorOptions =
  | { readonly kind: "range"; readonly low: number | null; readonly high: number | null }
  | { readonly kind: "mad"; readonly window: number; readonly threshold: number; readonly warmup: number }
  | { readonly kind: "streaming"; readonly falseAlarmsPerWeek: number }
  | RateDetectorOptions
  | NoveltyDetectorOptions
  | DriftDetectorOptions
  | MultivariateDetectorOptions
  | { readonly kind: "own"; readonly detector: Detector };

export interface RateDetectorOptions {
  readonly kind: "rate";
  readonly bucketMillis: number;
  /** Buckets that are only learned from. */
  readonly warmup: number;
  /** Whether it is told that nothing comes any more. */
  readonly silence: boolean;
  readonly falseAlarmsPerWeek: number;
}

export interface NoveltyDetectorOptions {
  readonly kind: "novelty";
  /** Values that are only learned from. */
  readonly warmup: number;
  /** Whether values are personal: then neither the state nor a text holds them. */
  readonly hidden: boolean;
  readonly falseAlarmsPerWeek: number;
}

export interface DriftDetectorOptions {
  readonly kind: "drift";
  /** Records that are compared, as one, with those before; the first two windows are only learned from. */
  readonly window: number;
  readonly falseAlarmsPerWeek: number;
}

export interface MultivariateDetectorOptions {
  readonly kind: "multivariate";
  /** Dotted paths, in the order of the values of a point. */
  readonly fields: readonly string[];
  /** Records that are only learned from. */
  readonly warmup: number;
  readonly falseAlarmsPerWeek: number;
}
