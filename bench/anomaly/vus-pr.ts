import type { ScoredSeries } from "./nab-score.ts";

/**
 * The longest buffer in rows. Part of the measure, results with another one do not compare: 100 is what the authors' examples use, and
 * is about a quarter of a window of the Numenta Anomaly Benchmark.
 */
export const bufferRowsMax = 100;

/**
 * The volume under the surface of precision and recall (Paparrizos et al. 2022, "Volume Under the Surface: A New Accuracy Evaluation
 * Measure for Time-Series Anomaly Detection", PVLDB 15(11)): 0 to 1, without a threshold, the mean over the series that have windows.
 *
 * Around each window lies a buffer, of 0 rows up to `bufferRows` in all, in which a row counts in part: the square root of
 * `1 - distance / buffer`. Recall is multiplied by the share of windows that were hit at all. As in the authors' current
 * implementation (TSB-AD, 2024) a buffer is owed only where it was hit, and the area is summed in steps; the trapezoids of the first
 * one give every detector half a point whose scores are mostly ties. That one takes 250 thresholds, this one all.
 */
export function vusPr(corpus: readonly ScoredSeries[], bufferRows = bufferRowsMax): number {
  const volumes = corpus.filter(({ windows }) => windows.length > 0).map((series) => volumeOf(series, bufferRows));
  return volumes.reduce((sum, volume) => sum + volume, 0) / volumes.length;
}

function volumeOf({ scores, windows }: ScoredSeries, bufferRows: number): number {
  const order = scores.map((_, row) => row).sort((one, other) => (scores[other] ?? 0) - (scores[one] ?? 0));
  let sum = 0;
  for (let buffer = 0; buffer <= bufferRows; buffer++) sum += areaOf(scores, windows, order, buffer);
  return sum / (bufferRows + 1);
}

/** The area under precision and recall with one length of buffer; `order` holds the rows, highest score first. */
function areaOf(scores: Float64Array, windows: ScoredSeries["windows"], order: Float64Array, buffer: number): number {
  const { weights, inside, regions, regionCount } = labelRows(scores.length, windows, buffer);
  const owed = windows.reduce((rows, [first, last]) => rows + last - first + 1, 0);
  const hit = new Set<number>();
  let hits = 0;
  let bufferHits = 0;
  let area = 0;
  let recallBefore = 0;
  for (let taken = 0; taken < order.length; ) {
    const threshold = scores[order[taken] ?? 0];
    for (let row = order[taken] ?? 0; scores[row] === threshold; row = order[taken] ?? -1) {
      const weight = weights[row] ?? 0;
      const region = regions[row] ?? -1;
      if (region !== -1) hit.add(region);
      if (inside[row] === 1) hits++;
      else bufferHits += weight;
      taken++;
    }
    // Half of the buffer is owed, so that recall is neither easier nor harder to reach with it.
    const recall = Math.min(1, (hits + bufferHits) / (owed + bufferHits / 2)) * (hit.size / regionCount);
    area += (recall - recallBefore) * ((hits + bufferHits) / taken);
    recallBefore = recall;
  }
  return area;
}

/** How much each row counts, and which window's surroundings it lies in (-1: none). Surroundings that meet are one. */
function labelRows(rows: number, windows: ScoredSeries["windows"], buffer: number) {
  const weights = new Float64Array(rows);
  const inside = new Uint8Array(rows);
  const regions = new Int32Array(rows).fill(-1);
  const reach = Math.floor(buffer / 2);
  let region = -1;
  let regionEnd = -1;
  for (const [first, last] of windows) {
    if (region === -1 || first - reach > regionEnd) region++;
    regionEnd = last + reach;
    inside.fill(1, first, last + 1);
    for (let row = Math.max(0, first - reach); row <= Math.min(rows - 1, last + reach); row++) {
      const distance = Math.max(first - row, row - last, 0);
      const weight = distance === 0 ? 1 : Math.sqrt(1 - distance / buffer);
      weights[row] = Math.min(1, (weights[row] ?? 0) + weight);
      regions[row] = region;
    }
  }
  return { weights, inside, regions, regionCount: region + 1 };
}
