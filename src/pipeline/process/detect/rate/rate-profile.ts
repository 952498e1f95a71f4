import { countDeviation } from "../count-band.ts";

/** How many records a bucket has: what is learned of the buckets so far. About 1.5 KB as JSON. */
export interface RateProfile {
  /** Buckets learned from. */
  readonly buckets: number;
  /** Mean of about the last twenty buckets. */
  readonly level: number;
  /** How many times the variance of a bucket exceeds its mean: 1 where events are independent of each other, more where they come in bursts. */
  readonly dispersion: number;
  /** Mean of a bucket in each hour of the week, UTC, from Thursday 0:00 as in 1970; null: not seen yet. */
  readonly hours: readonly (number | null)[];
  /** The hour under way, since 1970, and its buckets so far. */
  readonly hour: { readonly number: number; readonly sum: number; readonly buckets: number };
}

export const hourMillis = 3_600_000;
const hoursPerDay = 24;
export const hoursPerWeek = 168;
const levelBuckets = 20;
const dispersionBuckets = 100;
/** Share of the latest week in the mean of an hour. */
const latestShare = 0.5;
/** What one bucket may add to the dispersion, in dispersions: an outlier must not widen the band for those that follow. */
const dispersionTermMax = 9;

export function newProfile(time: number): RateProfile {
  const hour = { number: Math.floor(time / hourMillis), sum: 0, buckets: 0 };
  return { buckets: 0, level: 0, dispersion: 1, hours: new Array<null>(hoursPerWeek).fill(null), hour };
}

/**
 * What a bucket of this hour may be expected to have: as many as the last ones, as the same hour of the day before, as the
 * same hour of the week before. A count is ordinary when one of them explains it, so neither a morning nor a Sunday is news.
 */
export function expectedMeans(profile: RateProfile, hour: number): readonly number[] {
  const { level, hours } = profile;
  return [level, ...[hour - hoursPerDay, hour].flatMap((one) => hours[weekHour(one)] ?? [])];
}

/** Learns from `buckets` buckets of one hour that have `count` records each. */
export function learnBuckets(profile: RateProfile, hour: number, count: number, buckets = 1): RateProfile {
  const means = expectedMeans(profile, hour);
  const seen = profile.buckets + buckets;
  const follow = 1 - (1 - share(profile.buckets + 1, levelBuckets)) ** buckets;
  const nearest = means.reduce((best, mean) =>
    countDeviation(count, mean, 1) < countDeviation(count, best, 1) ? mean : best,
  );
  const term = profile.buckets === 0 ? 1 : (count - nearest) ** 2 / Math.max(nearest, 1);
  const clipped = Math.min(term, dispersionTermMax * profile.dispersion);
  const weight = 1 - (1 - share(seen, dispersionBuckets)) ** buckets;
  return {
    ...learnHour(profile, hour, count, buckets),
    buckets: seen,
    level: profile.level + (count - profile.level) * follow,
    dispersion: Math.max(1, profile.dispersion + (clipped - profile.dispersion) * weight),
  };
}

/** Learns for the hour alone, not for the level. */
export function learnHour(profile: RateProfile, hour: number, count: number, buckets: number): RateProfile {
  const before = profile.hour.number === hour ? profile : endHour(profile, hour);
  const { sum, buckets: known } = before.hour;
  return { ...before, hour: { number: hour, sum: sum + count * buckets, buckets: known + buckets } };
}

function endHour(profile: RateProfile, next: number): RateProfile {
  const { number, sum, buckets } = profile.hour;
  if (buckets === 0) return { ...profile, hour: { number: next, sum: 0, buckets: 0 } };
  const place = weekHour(number);
  const mean = sum / buckets;
  const known = profile.hours[place] ?? null;
  const learned = known === null ? mean : known + (mean - known) * latestShare;
  // Four digits: the rest would only lengthen the state.
  const hours = profile.hours.with(place, Number(learned.toPrecision(4)));
  return { ...profile, hours, hour: { number: next, sum: 0, buckets: 0 } };
}

/** Of a mean over all until there are `enough`, then over about the last so many. */
function share(seen: number, enough: number): number {
  return 1 / Math.min(seen, enough);
}

function weekHour(hour: number): number {
  return ((hour % hoursPerWeek) + hoursPerWeek) % hoursPerWeek;
}
