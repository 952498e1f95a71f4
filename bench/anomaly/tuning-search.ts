import { type StreamingTuning, streamingTuning } from "../../src/pipeline/process/detect/streaming/streaming-tuning.ts";
import { alarmsAt } from "./alarms.ts";
import { coordinateSearch, type SearchResult } from "./coordinate-search.ts";
import { halves } from "./halves.ts";
import type { LabelledSeries } from "./labelled-series.ts";
import { nabAt } from "./nab-score.ts";
import { decideTrace, type Trace, traceOf } from "./streaming-traces.ts";

/** From which score on a row is a find. */
const threshold = 0.5;
/** A value that is good only at one limit is luck. */
const limitFactors = [0.9, 1, 1.1];
/** What clean series are promised, and the points that each false alarm beyond costs. */
const cleanAlarmsAllowed = 1;
const pointsPerAlarm = 5;
const roundsMax = 2;

/** Around the shipped values; those that need no new traces in finer steps, since they cost little. */
export const tuningCandidates: { readonly [Name in keyof StreamingTuning]: readonly number[] } = {
  limit: [3.8, 4.3, 4.9, 5.4, 5.9, 6.5, 7.6],
  distanceMin: [0.01, 0.02, 0.04],
  shortRows: [8, 12, 18],
  longRows: [32, 48, 72],
  smoothing: [0.1, 0.2, 0.4],
  learningRows: [100, 150, 225, 300],
  incidentShare: [0.01, 0.02, 0.03, 0.045, 0.06],
  worseBy: [1.5, 2, 3, 4],
};

/** What the detector scores on a corpus at its own threshold. */
export interface OwnScore {
  /** NAB standard. */
  readonly nab: number;
  /** False alarms a series and week where nothing is labelled, the start included. */
  readonly cleanAlarms: number;
}

/**
 * Searches the tuning of the streaming detector on the first half of `real`, and on `made`; the second half is not read.
 *
 * Criterion: the mean of two NAB standard scores, that of the first half and that of `made`, less 5 points for each false alarm a
 * series and week beyond one in the clean series of `made`; all at the detector's own threshold, as the mean over its limit and
 * those 10 % lower and higher.
 */
export function searchTuning(
  real: readonly LabelledSeries[],
  made: readonly LabelledSeries[],
  candidates = tuningCandidates,
): SearchResult<StreamingTuning> {
  const { first } = halves(real);
  const known = new Map<string, { readonly first: readonly Trace[]; readonly made: readonly Trace[] }>();
  const traced = (tuning: StreamingTuning) => {
    const key = evidenceKey(tuning);
    const traces = known.get(key) ?? { first: tracesOf(first, tuning), made: tracesOf(made, tuning) };
    known.set(key, traces);
    return traces;
  };
  return coordinateSearch(streamingTuning, candidates, (tuning) => worthOf(traced(tuning), tuning), roundsMax);
}

/** The traces are those of `tuning`. */
export function ownScore(traces: readonly Trace[], tuning: StreamingTuning, limitFactor = 1): OwnScore {
  const corpus = traces.map((trace) => decideTrace(trace, tuning, limitFactor));
  const clean = corpus.filter(({ windows }) => windows.length === 0);
  return {
    nab: nabAt(corpus, "standard", threshold).score,
    cleanAlarms: alarmsAt(clean, threshold, () => 0).falseAlarmsPerWeek,
  };
}

export function tracesOf(all: readonly LabelledSeries[], tuning: StreamingTuning): readonly Trace[] {
  return all.map((series) => traceOf(series, tuning));
}

function worthOf(
  { first, made }: { readonly first: readonly Trace[]; readonly made: readonly Trace[] },
  tuning: StreamingTuning,
): number {
  const worths = limitFactors.map((limitFactor) => {
    const onMade = ownScore(made, tuning, limitFactor);
    const penalty = pointsPerAlarm * Math.max(0, onMade.cleanAlarms - cleanAlarmsAllowed);
    return (ownScore(first, tuning, limitFactor).nab + onMade.nab) / 2 - penalty;
  });
  return worths.reduce((sum, worth) => sum + worth, 0) / worths.length;
}

/** Tunings with the same key weigh alike; all else is decided afterwards. */
function evidenceKey({ distanceMin, shortRows, longRows, smoothing }: StreamingTuning): string {
  return [distanceMin, shortRows, longRows, smoothing].join();
}
