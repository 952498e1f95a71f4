import type { Detector } from "../model/detector.ts";
import { callSite } from "./call-site.ts";
import type { Column, NumericColumn } from "./column.ts";
import type { Duration } from "./duration.ts";
import type { Handle } from "./handle.ts";
import type { StreamHandle } from "./stream.ts";

export interface AnomalyHandle extends Handle<"anomaly"> {
  readonly stream: unknown;
}

export interface MadOptions {
  /** Last values of a key that a new one is compared with: 10 to 1,000. Default 100. */
  readonly window?: number;
  /** Median absolute deviations from the median that are still ordinary: more than 0, up to 1,000. Default 6. */
  readonly threshold?: number;
  /** Values of a key before anything is judged: 2 to `window`. Default 20. */
  readonly warmup?: number;
}

export interface RangeOptions {
  /** Smallest ordinary value. Default: open. */
  readonly low?: number;
  /** Largest ordinary value. Default: open. */
  readonly high?: number;
}

/** How sensitive a rule is, in a unit that means something. */
export interface SensitivityOptions {
  /** False alarms that a series may raise in a week when nothing is wrong: 0.001 to 1,000. Default 1. */
  readonly falseAlarmsPerWeek?: number;
}

export interface RateOptions extends SensitivityOptions {
  /** Length of time in which events are counted: 1s to 1d. Default "1m". */
  readonly bucket?: Duration;
  /** Buckets before anything is judged: 10 to 10,000. Default 60. */
  readonly warmup?: number;
  /** Whether you are told when no events come any more. Default true. */
  readonly silence?: boolean;
}

export interface NoveltyOptions extends SensitivityOptions {
  /** Values before anything is judged: 10 to 1,000,000. Default 500. */
  readonly warmup?: number;
}

export interface DriftOptions extends SensitivityOptions {
  /** Records that are compared, as one, with those before: 20 to 10,000. Default 200. The first two windows are only learned from. */
  readonly window?: number;
}

export interface MultivariateOptions extends SensitivityOptions {
  /** Records before anything is judged: 20 to 10,000. Default 200. */
  readonly warmup?: number;
}

/**
 * For one number. `mad`: unusual compared with the last values of the same key. `range`: outside a fixed band. `streaming`: learns
 * the level, trend and seasons of a series. Or a detector of your own, a pure function over a state that it returns:
 *
 * ```ts
 * const jump: Detector<number, number> = {
 *   kind: "jump",
 *   judge({ value }, last) {
 *     const factor = last === null ? 1 : value / last;
 *     const anomalous = factor > 10;
 *     return { verdict: { score: anomalous ? 1 : 0, anomalous, why: `${factor} times the value before.` }, state: value };
 *   },
 * };
 * anomaly(orders, { value: "total", per: "country", detect: jump });
 * ```
 *
 * When it throws, the record is stored all the same, and whom the rule's alerts and the stream's `owner` name is told.
 */
export type NumberDetect =
  | "mad"
  | { readonly mad: MadOptions }
  | { readonly range: RangeOptions }
  | "streaming"
  | { readonly streaming: SensitivityOptions }
  | Detector;

/** A category that was never there before, or a rare one that is common all at once. */
export type CategoryDetect = "novelty" | { readonly novelty: NoveltyOptions };

/** An unusual combination of 2 to 8 numbers, each of which may be ordinary by itself. */
export type FieldsDetect = "multivariate" | { readonly multivariate: MultivariateOptions };

/** `rate`: too many or too few records, or none any more. `drift`: fields that come, go, change their type or are empty more often. */
export type RecordDetect = "rate" | { readonly rate: RateOptions } | "drift" | { readonly drift: DriftOptions };

export type Detect = NumberDetect | CategoryDetect | FieldsDetect | RecordDetect;

interface Split<Result> {
  /** Dotted path of the field that splits the series: each of its values is judged by itself. Default: one series. */
  readonly per?: Column<Result>;
}

interface NumberRule<Result> extends Split<Result> {
  /** Dotted path of a number in the record. */
  readonly value: NumericColumn<Result>;
  readonly detect: NumberDetect;
}

interface CategoryRule<Result> extends Split<Result> {
  /** Dotted path of a text, number or boolean in the record. */
  readonly value: Column<Result>;
  readonly detect: CategoryDetect;
}

interface FieldsRule<Result> extends Split<Result> {
  /** Dotted paths of 2 to 8 numbers in the record. */
  readonly value: readonly [NumericColumn<Result>, NumericColumn<Result>, ...NumericColumn<Result>[]];
  readonly detect: FieldsDetect;
}

interface RecordRule<Result> extends Split<Result> {
  /** Such a rule is about whole records. */
  readonly value?: never;
  readonly detect: RecordDetect;
}

/** What a rule judges, and how. */
export type AnomalyOptions<Result> =
  | NumberRule<Result>
  | CategoryRule<Result>
  | FieldsRule<Result>
  | RecordRule<Result>;

/** A rule that finds what is unusual in the records of a stream. Its name is its key in `anomalies`. */
export function anomaly<Input, Result>(
  stream: StreamHandle<Input, Result>,
  options: AnomalyOptions<Result>,
): AnomalyHandle {
  return { kind: "anomaly", stream, options, site: callSite(anomaly) };
}
