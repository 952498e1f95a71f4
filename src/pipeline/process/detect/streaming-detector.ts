import type { Detector, DetectorOptions, Verdict } from "../../../model/detector.ts";
import { scoreOf } from "./alarm-probability.ts";
import { leniency } from "./leniency.ts";
import { notANumber } from "./not-a-number.ts";
import { type Evidence, expectedBand, explain } from "./streaming/explain.ts";
import { learnValue } from "./streaming/learn-value.ts";
import { aspects, SeriesState } from "./streaming/series-state.ts";

type StreamingOptions = Omit<Extract<DetectorOptions, { readonly kind: "streaming" }>, "kind">;

/** Evidence from which a value is unusual, where one false alarm a series and week is asked for. */
const limitOfOneAWeek = 5;
/** False alarms on 66 series fall with this power of the limit: ten times as few need 2.8 times the evidence. */
const limitPower = -0.45;
/** Distances below this one are all the same; it keeps those of a series that never changes from being rare. */
const distanceMin = 0.02;
/** Values before one can be unusual: so many, over a day so that its course is known; or so many more. */
const learningRows = 150;
const learningMillis = 24 * 3_600_000;
const learningRowsMax = 750;
/** Rows that belong to the incident that one of them began: a share of the rows so far, within these bounds. */
const incidentShare = 0.03;
const incidentRowsMin = 20;
const incidentRowsMax = 100;
/** So many times the evidence that began the incident is a find of its own: else a small false alarm would hide an outage. */
const worseBy = 2;
/** Scores of rows that belong to an incident lie just below those that begin one. */
const incidentScore = 0.45;

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
export function streamingDetector({ falseAlarmsPerWeek }: StreamingOptions): Detector<number, SeriesState> {
  const limit = limitOfOneAWeek * falseAlarmsPerWeek ** limitPower;
  return {
    kind: "streaming",
    judge({ time, value, falsePositives }, stored) {
      const known = SeriesState.from(stored);
      if (!Number.isFinite(value)) return { verdict: notANumber(null, null), state: known };
      const state = known.copy();
      const evidence = weigh(state, time, value);
      if (isLearning(state, time)) return { verdict: learningVerdict(state.get("rows")), state };
      const all = sum(evidence);
      const score = scoreOf(all, limit * leniency(falsePositives));
      const unusual = score >= 0.5;
      const anomalous = unusual && begins(state, all);
      return {
        state,
        verdict: {
          score: unusual && !anomalous ? incidentScore + (0.5 - incidentScore) * 0.99 * score : score,
          anomalous,
          goesOn: unusual && !anomalous,
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

/** Whether an unusual value is a find: outside of an incident, or far more unusual than what that was about. */
function begins(state: SeriesState, evidence: number): boolean {
  const rows = state.get("rows");
  const isWithin = rows < state.get("incidentEnd");
  if (isWithin && evidence < worseBy * state.get("incidentPeak")) return false;
  const length = Math.min(incidentRowsMax, Math.max(incidentRowsMin, incidentShare * rows));
  state.set("incidentEnd", rows + length);
  state.set("incidentPeak", evidence);
  return true;
}

function isLearning(state: SeriesState, time: number): boolean {
  const rows = state.get("rows");
  return rows < learningRows || (rows < learningRowsMax && time - state.get("firstTime") < learningMillis);
}

function learningVerdict(rows: number): Verdict {
  const why = `Learning: ${rows} values so far. This rule judges after ${learningRows} over a day, or ${learningRowsMax}.`;
  return { score: 0, anomalous: false, inconclusive: true, expectedLow: null, expectedHigh: null, why };
}

/** Learns the value; answers how rare its distance is in each aspect that can be judged by now. */
function weigh(state: SeriesState, time: number, value: number): Evidence {
  const distances = learnValue(state, time, value);
  const evidence: Evidence = {};
  for (const aspect of aspects) {
    const distance = distances[aspect];
    if (distance === undefined) continue;
    const rarity = state.rarities[aspect];
    evidence[aspect] = rarity.of(distance + distanceMin);
    rarity.learn(distance + distanceMin);
  }
  return evidence;
}

function sum(evidence: Evidence): number {
  let all = 0;
  for (const aspect of aspects) all += evidence[aspect] ?? 0;
  return all;
}
