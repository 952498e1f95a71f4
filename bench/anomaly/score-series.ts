import type { Detector } from "../../src/model/detector.ts";
import type { LabelledSeries } from "./labelled-series.ts";

export interface Judged {
  readonly scores: Float64Array;
  /** The expected band, NaN where it is open or not known. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  /** The largest state as JSON. */
  readonly stateBytesMax: number;
}

/**
 * A series through a detector as the pipeline does it: a batch at a time, with a detector that is made anew and a state that was JSON
 * text in between, so that what is measured survives a restart.
 */
export function scoreSeries({ times, values }: LabelledSeries, create: () => Detector, batchRows = 100): Judged {
  const scores = new Float64Array(times.length);
  const lows = new Float64Array(times.length).fill(Number.NaN);
  const highs = new Float64Array(times.length).fill(Number.NaN);
  let stateJson = "null";
  let stateBytesMax = 0;
  for (let start = 0; start < times.length; start += batchRows) {
    const detector = create();
    let state: unknown = JSON.parse(stateJson);
    for (let row = start; row < Math.min(start + batchRows, times.length); row++) {
      const point = { time: times[row] ?? 0, value: values[row] ?? 0, falsePositives: 0 };
      const judged = detector.judge(point, state);
      state = judged.state;
      const { score, expectedLow, expectedHigh } = judged.verdict;
      scores[row] = score;
      lows[row] = expectedLow ?? Number.NaN;
      highs[row] = expectedHigh ?? Number.NaN;
    }
    stateJson = JSON.stringify(state);
    stateBytesMax = Math.max(stateBytesMax, Buffer.byteLength(stateJson));
  }
  return { scores, lows, highs, stateBytesMax };
}
