import type { Verdict } from "../../../../model/detector.ts";
import { scoreOf } from "../alarm-probability.ts";
import type { SeriesState } from "./series-state.ts";
import type { StreamingTuning } from "./streaming-tuning.ts";

/** Where less than a day was seen, so many values are enough to judge the next one. */
export const learningRowsMax = 750;
const learningMillis = 24 * 3_600_000;
/** Bounds of the rows that belong to an incident. */
const incidentRowsMin = 20;
const incidentRowsMax = 100;
/** Scores of rows that belong to an incident lie just below those that begin one. */
const incidentScore = 0.45;

/** Whether a value that is in `state` by now is a find, by the sum of its evidence; null while the state is learning. */
export function decide(
  state: SeriesState,
  time: number,
  evidence: number,
  limit: number,
  tuning: StreamingTuning,
): Pick<Verdict, "score" | "anomalous" | "goesOn"> | null {
  if (isLearning(state, time, tuning)) return null;
  const score = scoreOf(evidence, limit);
  const unusual = score >= 0.5;
  const anomalous = unusual && begins(state, evidence, tuning);
  return {
    score: unusual && !anomalous ? incidentScore + (0.5 - incidentScore) * 0.99 * score : score,
    anomalous,
    goesOn: unusual && !anomalous,
  };
}

/** Whether an unusual value is a find: outside of an incident, or far more unusual than what that was about. */
function begins(state: SeriesState, evidence: number, { incidentShare, worseBy }: StreamingTuning): boolean {
  const rows = state.get("rows");
  const isWithin = rows < state.get("incidentEnd");
  if (isWithin && evidence < worseBy * state.get("incidentPeak")) return false;
  const length = Math.min(incidentRowsMax, Math.max(incidentRowsMin, incidentShare * rows));
  state.set("incidentEnd", rows + length);
  state.set("incidentPeak", evidence);
  return true;
}

function isLearning(state: SeriesState, time: number, { learningRows }: StreamingTuning): boolean {
  const rows = state.get("rows");
  return rows < learningRows || (rows < learningRowsMax && time - state.get("firstTime") < learningMillis);
}
