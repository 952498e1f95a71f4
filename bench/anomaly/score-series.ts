import type { Detector, Verdict } from "../../src/model/detector.ts";
import type { LabelledSeries } from "./labelled-series.ts";

export interface Judged {
  readonly scores: Float64Array;
  /** The largest state as JSON. */
  readonly stateBytesMax: number;
}

export interface JudgedWithBand extends Judged {
  /** The expected band, NaN where it is open or not known. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

/**
 * A series through a detector as the pipeline does it: a batch at a time, with a detector that is made anew and a state that was JSON
 * text in between, so that what is measured survives a restart.
 */
export function scoreSeries(
  { times, values }: LabelledSeries,
  create: () => Detector,
  batchRows = 100,
  onVerdict?: (row: number, verdict: Verdict) => void,
): Judged {
  const scores = new Float64Array(times.length);
  let stateJson = "null";
  let stateBytesMax = 0;
  for (let start = 0; start < times.length; start += batchRows) {
    const detector = create();
    let state: unknown = JSON.parse(stateJson);
    for (let row = start; row < Math.min(start + batchRows, times.length); row++) {
      const point = { time: times[row] ?? 0, value: values[row] ?? 0, falsePositives: 0 };
      const judged = detector.judge(point, state);
      state = judged.state;
      scores[row] = judged.verdict.score;
      onVerdict?.(row, judged.verdict);
    }
    stateJson = JSON.stringify(state);
    stateBytesMax = Math.max(stateBytesMax, Buffer.byteLength(stateJson));
  }
  return { scores, stateBytesMax };
}

/** The same with the expected band of every row: the pipeline asks for it only where it shows one, and it may cost as much as the score. */
export function scoreWithBand(series: LabelledSeries, create: () => Detector): JudgedWithBand {
  const lows = new Float64Array(series.times.length).fill(Number.NaN);
  const highs = new Float64Array(series.times.length).fill(Number.NaN);
  const judged = scoreSeries(series, create, undefined, (row, { expectedLow, expectedHigh }) => {
    lows[row] = expectedLow ?? Number.NaN;
    highs[row] = expectedHigh ?? Number.NaN;
  });
  return { ...judged, lows, highs };
}
