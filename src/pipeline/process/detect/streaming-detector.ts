import type { Detector, DetectorOptions, Verdict } from "../../../model/detector.ts";
import { leniency } from "./leniency.ts";
import { notANumber } from "./not-a-number.ts";
import { decide, learningRowsMax } from "./streaming/decide.ts";
import { expectedBand, explain } from "./streaming/explain.ts";
import { SeriesState } from "./streaming/series-state.ts";
import { streamingTuning } from "./streaming/streaming-tuning.ts";
import { sumOf, weigh } from "./streaming/weigh.ts";

type StreamingOptions = Omit<Extract<DetectorOptions, { readonly kind: "streaming" }>, "kind">;

/** False alarms on 66 series fall with this power of the limit: ten times as few need 2.8 times the evidence. */
const limitPower = -0.45;

/**
 * Finds what is unusual for a series without being told what it looks like: one pass, bounded state, no setting for a series.
 *
 * A value is looked at in five aspects, each of which has a distance from all that was there before: beyond the extremes; the
 * spread of the last 12 and of the last 48 values, from the nearest spread so far; the course of the last 96 values, from the
 * nearest course so far (`ShapeMemory`), which learns seasons of any length; and the smoothed level, from what the same time of day
 * had on the last eight days (`DayMemory`). Values are compared as asinh of their deviation in robust scales that follow the series.
 * Each distance becomes the share of distances so far that were as large, extended beyond the largest as a Pareto tail (`Rarity`): a
 * conformal p-value (Laxhammar and Falkman 2014, "Online learning and sequential anomaly detection in trajectories"; Burnaev
 * and Ishimtsev 2016, "Conformalized density- and distance-based anomaly detection in time-series data"). The sum of their
 * negative logarithms (Fisher 1932) is the evidence. Its limit is not Fisher's, since aspects depend on each other: it was
 * measured once, over all series, as false alarms a week (`bench/anomaly`), and `falseAlarmsPerWeek` moves it.
 *
 * The score is evidence / (evidence + limit): 0.5 begins an incident. While it lasts (3 % of the rows so far, 20 to 100)
 * further unusual values score just below 0.5 and only say that it goes on, unless they are far more unusual.
 */
export function streamingDetector(
  { falseAlarmsPerWeek }: StreamingOptions,
  tuning = streamingTuning,
): Detector<number, SeriesState> {
  const limit = tuning.limit * falseAlarmsPerWeek ** limitPower;
  return {
    kind: "streaming",
    judge({ time, value, falsePositives }, stored) {
      const known = SeriesState.from(stored);
      if (!Number.isFinite(value)) return { verdict: notANumber(null, null), state: known };
      const state = known.copy();
      const evidence = weigh(state, time, value, tuning);
      const decision = decide(state, time, sumOf(evidence), limit * leniency(falsePositives), tuning);
      if (decision === null) return { verdict: learningVerdict(state.get("rows"), tuning.learningRows), state };
      return {
        state,
        verdict: {
          ...decision,
          // Only asked of what is shown: the band and the words cost as much as the judgement itself.
          get expectedLow() {
            return expectedBand(known, time)?.low ?? null;
          },
          get expectedHigh() {
            return expectedBand(known, time)?.high ?? null;
          },
          get why() {
            return explain(known, state, time, value, evidence);
          },
        },
      };
    },
  };
}

function learningVerdict(rows: number, learningRows: number): Verdict {
  const why = `Learning: ${rows} values so far. This rule judges after ${learningRows} over a day, or ${learningRowsMax}.`;
  return { score: 0, anomalous: false, inconclusive: true, expectedLow: null, expectedHigh: null, why };
}
