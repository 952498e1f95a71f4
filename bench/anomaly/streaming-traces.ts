import { decide } from "../../src/pipeline/process/detect/streaming/decide.ts";
import { SeriesState } from "../../src/pipeline/process/detect/streaming/series-state.ts";
import type { StreamingTuning } from "../../src/pipeline/process/detect/streaming/streaming-tuning.ts";
import { sumOf, weigh } from "../../src/pipeline/process/detect/streaming/weigh.ts";
import type { TimedSeries } from "./alarms.ts";
import type { LabelledSeries } from "./labelled-series.ts";

/** A series and the evidence of each of its values: the slow part, in which decisions have no say. */
export interface Trace {
  readonly series: LabelledSeries;
  readonly evidence: Float64Array;
}

/** Needs finite values. */
export function traceOf(series: LabelledSeries, tuning: StreamingTuning): Trace {
  const { times, values } = series;
  const state = SeriesState.from(null);
  return { series, evidence: values.map((value, row) => sumOf(weigh(state, times[row] ?? 0, value, tuning))) };
}

/** The scores that the detector gives, at `limitFactor` times its limit. */
export function decideTrace({ series, evidence }: Trace, tuning: StreamingTuning, limitFactor = 1): TimedSeries {
  const { times } = series;
  const limit = limitFactor * tuning.limit;
  const state = SeriesState.from(null);
  state.set("firstTime", times[0] ?? 0);
  const scores = evidence.map((sum, row) => {
    state.set("rows", row + 1);
    return decide(state, times[row] ?? 0, sum, limit, tuning)?.score ?? 0;
  });
  return { ...series, scores };
}
