/** A mean below this is not known well enough to call a single event unusual. */
const meanMin = 0.1;

/**
 * How unusual a count is where `mean` is expected, in standard deviations; 0 at the mean. Signed root of the deviance of a
 * Poisson count, with a correction for continuity (McCullagh and Nelder, "Generalized Linear Models", 2.4 and 12.3), divided
 * by the root of `dispersion`: how many times the variance exceeds the mean. Holds for means of a tenth as for millions.
 */
export function countDeviation(count: number, mean: number, dispersion: number): number {
  const expected = Math.max(mean, meanMin);
  const nearer = count > expected ? Math.max(expected, count - 0.5) : Math.min(expected, count + 0.5);
  const deviance = 2 * (nearer * Math.log(nearer / expected) - (nearer - expected));
  return Math.sqrt(Math.max(0, deviance) / dispersion);
}

export interface CountBand {
  /** Smallest count within the limit; 0 is never too few to tell. */
  readonly low: number;
  readonly high: number;
}

/** The counts that deviate by no more than `limit` from one of the means. */
export function countBand(means: readonly number[], dispersion: number, limit: number): CountBand {
  const bands = means.map((mean) => ({
    low: lowest(mean, dispersion, limit),
    high: highest(mean, dispersion, limit),
  }));
  return { low: Math.min(...bands.map(({ low }) => low)), high: Math.max(...bands.map(({ high }) => high)) };
}

function lowest(mean: number, dispersion: number, limit: number): number {
  return firstWhere(0, Math.ceil(mean), (count) => countDeviation(count, mean, dispersion) <= limit);
}

function highest(mean: number, dispersion: number, limit: number): number {
  let above = Math.ceil(mean) + 1;
  while (countDeviation(above, mean, dispersion) <= limit) above *= 2;
  return firstWhere(Math.ceil(mean), above, (count) => countDeviation(count, mean, dispersion) > limit) - 1;
}

/** The first whole number from `low` to `high` where `holds`, which it does at `high` and behind the first one. */
function firstWhere(low: number, high: number, holds: (count: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor(from + (to - from) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
