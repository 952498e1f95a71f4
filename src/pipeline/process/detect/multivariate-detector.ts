import type { Detector, MultivariateDetectorOptions, Verdict } from "../../../model/detector.ts";
import { alarmProbability, scoreOf, weekMillis } from "./alarm-probability.ts";
import { leniency } from "./leniency.ts";
import {
  type Covariance,
  distanceOf,
  type FieldDistance,
  learnPoint,
  newCovariance,
} from "./multivariate/covariance.ts";
import { type DistanceTail, learnDistance, newTail, tailDistance } from "./multivariate/distance-tail.ts";
import { notANumber } from "./not-a-number.ts";
import { numberText } from "./number-text.ts";

/** With 8 fields about 2 KB as JSON. */
interface MultivariateState {
  readonly covariance: Covariance;
  readonly tail: DistanceTail;
  readonly lastAt: number;
  /** Mean time between points. */
  readonly intervalMillis: number;
}

/** Points that are remembered, with falling weight. */
const memory = 1_000;
/** Points from which on outliers are clipped: before, nobody knows what one is. */
const clippedFrom = 20;
/** Larger values have squares that are no numbers any more. */
const valueMax = 1e150;

/**
 * Several numbers of a record that do not fit each other, even where each is ordinary by itself: the Mahalanobis distance from
 * means and covariances of about the last thousand records, all learned point by point. Robust, since a point beyond the limit
 * is learned as if it lay on it (Huber's winsorising). The limit is the distance that is exceeded as often as there may be false
 * alarms, taken from the tail of the distances themselves (`distance-tail.ts`), not from a normal distribution that few fields have.
 * To blame is the field that differs most from what the others let one expect of it (the conditional terms of Mason, Tracy and
 * Young 1995, "Decomposition of T² for multivariate control chart interpretation"); the expected band is that of this field beside the others.
 */
export function multivariateDetector(
  options: MultivariateDetectorOptions,
): Detector<readonly number[], MultivariateState> {
  const { fields, warmup, falseAlarmsPerWeek } = options;
  const size = fields.length;
  return {
    kind: "multivariate",
    judge({ time, value: point, falsePositives }, stored) {
      const known = stored?.covariance.means.length === size ? stored : newState(size, time);
      if (point.length !== size || !point.every((value) => Math.abs(value) < valueMax)) {
        return { verdict: notANumber(null, null), state: known };
      }
      const { covariance, tail, intervalMillis } = known;
      const found = distanceOf(covariance, point);
      const probability = alarmProbability(falseAlarmsPerWeek, weekMillis / Math.max(1, intervalMillis));
      const limit = tailDistance(tail, size, probability) * leniency(falsePositives);
      const state = learn(known, time, point, found.distance, limit);
      if (covariance.count < warmup) {
        const why = `Learning: ${covariance.count} of the ${warmup} records needed before this rule judges.`;
        return { verdict: { score: 0, anomalous: false, inconclusive: true, why }, state };
      }
      return { verdict: verdictOf(fields, point, found.distance, found.fields, limit), state };
    },
  };
}

function newState(size: number, time: number): MultivariateState {
  return { covariance: newCovariance(size), tail: newTail, lastAt: time, intervalMillis: 0 };
}

function learn(
  known: MultivariateState,
  time: number,
  point: readonly number[],
  distance: number,
  limit: number,
): MultivariateState {
  const { covariance, tail, lastAt, intervalMillis } = known;
  const { count, means } = covariance;
  const towardsMean = count >= clippedFrom && distance > limit ? limit / distance : 1;
  const clipped = point.map((value, index) => {
    const mean = means[index] ?? 0;
    return mean + (value - mean) * towardsMean;
  });
  const step = Math.max(0, time - lastAt);
  return {
    covariance: learnPoint(covariance, clipped, memory),
    // The first distances are from means that nobody knows yet.
    tail: count >= clippedFrom ? learnDistance(tail, means.length, count, distance, limit) : tail,
    lastAt: Math.max(lastAt, time),
    intervalMillis: intervalMillis + (step - intervalMillis) / Math.min(Math.max(1, count), memory),
  };
}

function verdictOf(
  names: readonly string[],
  point: readonly number[],
  distance: number,
  fields: readonly FieldDistance[],
  limit: number,
): Verdict {
  const anomalous = distance > limit;
  if (!anomalous) {
    return { score: scoreOf(distance, limit), anomalous, why: "The fields go together as they usually do." };
  }
  const blamed = fields.reduce((worst, field, index) => (outness(field) > outness(fields[worst]) ? index : worst), 0);
  const { expected, spread, alone } = fields[blamed] as FieldDistance;
  const [expectedLow, expectedHigh] = [expected - limit * spread, expected + limit * spread];
  const others = names.flatMap((name, index) => (index === blamed ? [] : `${name} ${numberText(point[index] ?? 0)}`));
  const field = names[blamed] ?? "";
  const value = point[blamed] ?? 0;
  const by = Math.abs(alone) <= limit ? "ordinary by itself, but does not fit" : "unusual beside";
  return {
    score: scoreOf(distance, limit),
    anomalous,
    expectedLow,
    expectedHigh,
    why: `${field} ${numberText(value)} is ${by} ${others.join(", ")}; expected with them ${numberText(expectedLow)} to ${numberText(expectedHigh)}.`,
    about: { field, value },
  };
}

/** How much a field is to blame; where two differ from each other alike, the one that is farther out by itself. */
function outness(field: FieldDistance | undefined): number {
  return field === undefined ? 0 : Math.abs(field.deviation) + Math.abs(field.alone) * 1e-6;
}
