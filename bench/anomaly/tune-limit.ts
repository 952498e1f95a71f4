import { streamingTuning } from "../../src/pipeline/process/detect/streaming/streaming-tuning.ts";
import { halves } from "./halves.ts";
import type { LabelledSeries } from "./labelled-series.ts";
import { ownScore, tracesOf } from "./tuning-search.ts";

export interface TunedLimit {
  readonly tried: readonly { readonly limit: number; readonly nab: number }[];
  /** The best of those tried; of several, the first. */
  readonly chosen: number;
}

/** From 4 to 7, 0.1 apart. */
const limitsTried = Array.from({ length: 31 }, (_, step) => (40 + step) / 10);

/** The limit with which the streaming detector scores best on the first half of `real`, NAB standard; the second half is not read. */
export function tuneLimit(real: readonly LabelledSeries[], limits: readonly number[] = limitsTried): TunedLimit {
  const traces = tracesOf(halves(real).first, streamingTuning);
  const tried = limits.map((limit) => ({ limit, nab: ownScore(traces, { ...streamingTuning, limit }).nab }));
  const best = tried.reduce((left, right) => (right.nab > left.nab ? right : left));
  return { tried, chosen: best.limit };
}
