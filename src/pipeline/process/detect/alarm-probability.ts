import { upperNormalQuantile } from "./normal-quantile.ts";

export const weekMillis = 7 * 24 * 3_600_000;

/** However few looks a week has: what happens once in a hundred looks is not worth telling anybody. */
const probabilityMax = 0.01;

/** Probability of a false alarm in one look, so that so many looks a week raise `falseAlarmsPerWeek` of them. */
export function alarmProbability(falseAlarmsPerWeek: number, looksPerWeek: number): number {
  return Math.min(probabilityMax, falseAlarmsPerWeek / Math.max(1, looksPerWeek));
}

/** The same as standard deviations of a normal value, to both sides. */
export function deviationLimit(falseAlarmsPerWeek: number, looksPerWeek: number): number {
  return upperNormalQuantile(alarmProbability(falseAlarmsPerWeek, looksPerWeek) / 2);
}

/** Score of a distance whose limit is the edge of what is ordinary: 0.5 there, tending to 1. */
export function scoreOf(distance: number, limit: number): number {
  if (distance === Number.POSITIVE_INFINITY) return 1;
  return distance > 0 ? distance / (distance + limit) : 0;
}
