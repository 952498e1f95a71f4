import { alarmProbability, weekMillis } from "../alarm-probability.ts";
import { expectedMeans, hourMillis, hoursPerWeek, type RateProfile } from "./rate-profile.ts";

/** A silence is measured in the records that should have come meanwhile: a night without any is short, a minute at noon may be long. */
export interface SilenceMeasure {
  readonly bucketMillis: number;
  readonly falseAlarmsPerWeek: number;
  readonly profile: RateProfile;
  /** The longest one so far, in records. */
  readonly longest: number;
}

/** Longer than the longest one so far by this factor is news. */
const longerThanLongest = 1.5;
/** Buckets that must pass without a record, besides: the clock that asks ticks once a minute. */
const bucketsMin = 2;
/** Two weeks: what is not due by then never is. */
const hoursMax = 2 * hoursPerWeek;

/**
 * Records that may be missing before it is told. Between independent events, `n` expected ones stay away with probability
 * e^-n; where they come in bursts of `dispersion`, bursts do. And a silence that has been there before is not news.
 */
export function silenceLimit({ bucketMillis, falseAlarmsPerWeek, profile, longest }: SilenceMeasure): number {
  const bucketsPerWeek = weekMillis / bucketMillis;
  const gapsPerWeek = bucketsPerWeek * Math.min(1, profile.level);
  const independent = -Math.log(alarmProbability(falseAlarmsPerWeek, gapsPerWeek)) * profile.dispersion;
  return Math.max(independent, longerThanLongest * longest);
}

/** Records that were to be expected between two times, at the least. */
export function expectedBetween({ bucketMillis, profile }: SilenceMeasure, from: number, to: number): number {
  let sum = 0;
  let start = from;
  for (let hours = 0; start < to && hours < hoursMax; hours++) {
    const hour = Math.floor(start / hourMillis);
    const end = Math.min(to, (hour + 1) * hourMillis);
    sum += ((end - start) / bucketMillis) * Math.min(...expectedMeans(profile, hour));
    start = end;
  }
  return sum;
}

/** When a silence that began at `from` has lasted for longer than `limit` records; null: not within two weeks. */
export function silentAt(measure: SilenceMeasure, from: number, limit: number): number | null {
  const { bucketMillis, profile } = measure;
  let left = limit;
  let start = from;
  for (let hours = 0; hours < hoursMax; hours++) {
    const hour = Math.floor(start / hourMillis);
    const end = (hour + 1) * hourMillis;
    const perMilli = Math.min(...expectedMeans(profile, hour)) / bucketMillis;
    const expected = perMilli * (end - start);
    if (expected > left) return Math.max(Math.ceil(start + left / perMilli), from + bucketsMin * bucketMillis);
    left -= expected;
    start = end;
  }
  return null;
}
