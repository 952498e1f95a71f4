/**
 * Scoring of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection Algorithms", ICMLA).
 *
 * A detection inside a labelled window earns up to 1, more the earlier it comes, once per window; each detection outside costs,
 * less just behind a window; a window without any costs. The first 15 % of a series (at most 750 rows) are for learning and do
 * not count. 0 is a detector that says nothing, 100 a perfect one.
 */

/** One series: a score per row, and the first and last row of each labelled window. */
export interface ScoredSeries {
  readonly scores: Float64Array;
  readonly windows: readonly (readonly [first: number, last: number])[];
}

export const nabProfiles = {
  standard: { falsePositive: 0.11, falseNegative: 1 },
  "low FP": { falsePositive: 0.22, falseNegative: 1 },
  "low FN": { falsePositive: 0.11, falseNegative: 2 },
} as const;
export type NabProfile = keyof typeof nabProfiles;

export interface NabResult {
  /** Up to 100; below 0 when the false alarms cost more than the finds earn. */
  readonly score: number;
  readonly threshold: number;
}

interface Point {
  readonly score: number;
  /** A number of its own for each window of all series; -1 outside. */
  readonly window: number;
  /** -1 to 1: what a detection here is worth before the profile's weights. */
  readonly credit: number;
}

/** Rows of a series that are for learning only. */
export function probationRows(rows: number): number {
  return Math.floor(0.15 * Math.min(rows, 5000));
}

/** The threshold that is best over all series, as NAB chooses it, and its score. */
export function nabBest(corpus: readonly ScoredSeries[], profile: NabProfile): NabResult {
  let best: NabResult = { score: 0, threshold: Number.POSITIVE_INFINITY };
  for (const result of sweep(corpus, profile)) if (result.score > best.score) best = result;
  return best;
}

/** The score when every row at or above `threshold` is a detection. */
export function nabAt(corpus: readonly ScoredSeries[], profile: NabProfile, threshold: number): NabResult {
  let score = 0;
  for (const result of sweep(corpus, profile, threshold)) score = result.score;
  return { score, threshold };
}

/** The result at each threshold from `lowest` up that makes a difference, highest threshold first. */
function* sweep(
  corpus: readonly ScoredSeries[],
  profile: NabProfile,
  lowest = Number.NEGATIVE_INFINITY,
): Generator<NabResult> {
  const { falsePositive, falseNegative } = nabProfiles[profile];
  const points: Point[] = [];
  let windows = 0;
  for (const series of corpus) windows = judgePoints(series, windows, points, lowest);
  points.sort((one, other) => other.score - one.score);
  const earned = new Map<number, number>();
  // Relative to a detector that says nothing, whose raw score is `-falseNegative` a window.
  let gained = 0;
  for (let index = 0; index < points.length; ) {
    const threshold = points[index]?.score ?? 0;
    for (let point = points[index]; point !== undefined && point.score === threshold; point = points[++index]) {
      if (point.window === -1) {
        gained += falsePositive * point.credit;
        continue;
      }
      const before = earned.get(point.window) ?? -falseNegative;
      if (point.credit <= before) continue;
      earned.set(point.window, point.credit);
      gained += point.credit - before;
    }
    yield { score: (100 * gained) / (windows * (1 + falseNegative)), threshold };
  }
}

/** Appends the rows that count, if they score `lowest`; answers the number of windows so far. A window that lies in the probation counts as missed, as in NAB. */
function judgePoints(
  { scores, windows }: ScoredSeries,
  windowsBefore: number,
  points: Point[],
  lowest: number,
): number {
  const start = probationRows(scores.length);
  const highest = sigmoid(-1);
  let current = 0;
  let lastEnd = -1;
  let lastLength = 0;
  for (let row = 0; row < scores.length; row++) {
    const [first, last] = windows[current] ?? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    const inside = row >= first;
    const length = last - first + 1;
    const outside = lastEnd === -1 ? -1 : sigmoid((row - lastEnd) / Math.max(lastLength - 1, 1));
    const credit = inside ? sigmoid(-(last - row + 1) / length) / highest : outside;
    const score = scores[row] ?? 0;
    if (row >= start && score >= lowest) points.push({ score, window: inside ? windowsBefore + current : -1, credit });
    if (row === last) {
      lastEnd = last;
      lastLength = length;
      current++;
    }
  }
  return windowsBefore + windows.length;
}

function sigmoid(x: number): number {
  return x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1;
}
