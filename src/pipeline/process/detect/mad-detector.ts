import type { Detector, DetectorOptions, Verdict } from "../../../model/detector.ts";
import { leniency } from "./leniency.ts";
import { notANumber } from "./not-a-number.ts";
import { numberText } from "./number-text.ts";

type MadOptions = Extract<DetectorOptions, { readonly kind: "mad" }>;

/** The last values, oldest first: all that is kept between points. As JSON about 10 bytes a value. */
interface MadState {
  readonly values: readonly number[];
}

/** Makes a median absolute deviation comparable with a standard deviation of normally distributed values. */
const madScale = 1.4826;
/** The same for the mean absolute deviation, which stands in when more than half of the values are equal. */
const meanScale = 1.2533;
/** Spread assumed of a constant series, as a share of its value: 1 % of 20 V is noise, 10 % is news. */
const constantSpreadShare = 0.01;
/** Spread below this share of the median is the noise of floating point, not of the series. */
const floatNoiseShare = 1e-9;

/**
 * Distance from the median of the last `window` values, in median absolute deviations (Leys et al. 2013, "Detecting
 * outliers: do not use standard deviation around the mean"). Median and deviation ignore up to half of the window, so one
 * outlier neither hides the next nor widens the band. Everything finite is learned after it was judged, so a lasting change
 * of level is new for half a window and then normal.
 *
 * Below `warmup` values nothing is anomalous. Where more than half of the values are equal the deviation is 0; then the mean
 * absolute deviation counts, at least 1 % of the median; a series that was only ever 0 takes any other value as unusual.
 */
export function madDetector(options: MadOptions): Detector {
  // Sorted copies of the windows that this process has made itself: insertion (1 µs) instead of sorting (5 µs) per point.
  // A state that comes from the store is sorted once.
  const sortedOf = new WeakMap<MadState, readonly number[]>();
  return {
    kind: "mad",
    judge({ value, falsePositives }, state) {
      const known = parseState(state);
      const sorted = sortedOf.get(known) ?? [...known.values].sort((a, b) => a - b);
      const threshold = options.threshold * leniency(falsePositives);
      const verdict = judgeValue(value, sorted, { ...options, threshold });
      if (!Number.isFinite(value)) return { verdict, state: known };
      const learned = learn(known, sorted, value, options.window);
      sortedOf.set(learned.state, learned.sorted);
      return { verdict, state: learned.state };
    },
  };
}

function parseState(state: unknown): MadState {
  if (typeof state === "object" && state !== null && "values" in state && Array.isArray(state.values)) {
    return state as MadState;
  }
  return { values: [] };
}

function learn(
  known: MadState,
  sorted: readonly number[],
  value: number,
  window: number,
): { readonly state: MadState; readonly sorted: readonly number[] } {
  // More than one too many when the window has become smaller in the config.
  const leaving = Math.max(0, known.values.length + 1 - window);
  const values = known.values.slice(leaving);
  values.push(value);
  const next = sorted.slice();
  for (let index = 0; index < leaving; index += 1) {
    const old = known.values[index];
    if (old !== undefined) next.splice(lowerBound(next, old), 1);
  }
  next.splice(lowerBound(next, value), 0, value);
  return { state: { values }, sorted: next };
}

/** Index of the first element that is not smaller than `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function judgeValue(value: number, sorted: readonly number[], options: MadOptions): Verdict {
  const count = sorted.length;
  if (!Number.isFinite(value)) return notANumber(null, null);
  if (count < options.warmup) {
    const why = `Learning: ${count} of the ${options.warmup} values needed before this rule judges.`;
    return { score: 0, anomalous: false, inconclusive: true, expectedLow: null, expectedHigh: null, why };
  }
  const median = medianOf(sorted);
  const scale = scaleOf(sorted, median);
  const expectedLow = bounded(median - options.threshold * scale);
  const expectedHigh = bounded(median + options.threshold * scale);
  const anomalous = value < expectedLow || value > expectedHigh;
  const distance = Math.abs(value - median);
  const deviations = distance === 0 ? 0 : distance / scale;
  return {
    score: Number.isFinite(deviations) ? deviations / (deviations + options.threshold) : 1,
    anomalous,
    expectedLow,
    expectedHigh,
    // Only asked of what is reported: four numbers in words cost more than the judgement itself.
    get why() {
      const band = `${numberText(expectedLow)} to ${numberText(expectedHigh)}`;
      return whyText(value, median, scale, deviations, count, options.threshold, band, anomalous);
    },
  };
}

function whyText(
  value: number,
  median: number,
  scale: number,
  deviations: number,
  count: number,
  threshold: number,
  band: string,
  anomalous: boolean,
): string {
  const compared = `the median ${numberText(median)} of the last ${count} values`;
  if (scale === 0) {
    return anomalous
      ? `${numberText(value)} differs from ${compared}, which were all the same.`
      : `${numberText(value)} equals ${compared}, which were all the same.`;
  }
  const side = value < median ? "below" : "above";
  return `${numberText(value)} is ${numberText(deviations)} deviations ${side} ${compared}; expected ${band} (up to ${numberText(threshold)} deviations).`;
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? 0;
  if (sorted.length % 2 === 1) return upper;
  const lower = sorted[middle - 1] ?? 0;
  // Each of the two ways to say it overflows near 1e308: one for equal signs, one for different ones.
  return lower < 0 && upper > 0 ? (lower + upper) / 2 : lower + (upper - lower) / 2;
}

/** An edge beyond all numbers would be lost as JSON. Every value lies within the largest number. */
function bounded(edge: number): number {
  return Math.min(Math.max(edge, -Number.MAX_VALUE), Number.MAX_VALUE);
}

function scaleOf(sorted: readonly number[], median: number): number {
  const noise = Math.abs(median) * floatNoiseShare;
  const deviation = medianDeviation(sorted, median);
  if (deviation > noise) return deviation * madScale;
  let sum = 0;
  for (const value of sorted) sum += Math.abs(value - median);
  return Math.max((sum / sorted.length) * meanScale, Math.abs(median) * constantSpreadShare);
}

/** Median of the distances from the median. Distances grow outward from the middle of a sorted window, so half of them are walked and none is sorted. */
function medianDeviation(sorted: readonly number[], median: number): number {
  const count = sorted.length;
  let right = lowerBound(sorted, median);
  let left = right - 1;
  const target = count >>> 1;
  let previous = 0;
  let current = 0;
  for (let taken = 0; taken <= target; taken += 1) {
    previous = current;
    const onLeft = left >= 0 ? median - (sorted[left] ?? 0) : Number.POSITIVE_INFINITY;
    const onRight = right < count ? (sorted[right] ?? 0) - median : Number.POSITIVE_INFINITY;
    if (onLeft <= onRight) {
      current = onLeft;
      left -= 1;
    } else {
      current = onRight;
      right += 1;
    }
  }
  return count % 2 === 1 ? current : previous + (current - previous) / 2;
}
