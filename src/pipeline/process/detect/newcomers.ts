import { weekMillis } from "./alarm-probability.ts";
import { leniency } from "./leniency.ts";

/**
 * How often something new comes (a category, a field), so that the first new country in months is news and the hundredth
 * new order number is not. A count that falls to a third in a week: in the long run, new ones a week.
 */
export interface Newcomers {
  readonly count: number;
  readonly at: number;
}

export function newcomersAt({ count, at }: Newcomers, time: number): number {
  return count * Math.exp(-Math.max(0, time - at) / weekMillis);
}

export function addNewcomer(newcomers: Newcomers, time: number): Newcomers {
  return { count: newcomersAt(newcomers, time) + 1, at: Math.max(newcomers.at, time) };
}

/**
 * Score of one more now: 1 when none came for long, 0.5 where so many come that it is ordinary, and less. Ordinary is what
 * exceeds the false alarms of a week by more than chance (three times their root). Each false positive takes away from that;
 * one that comes when none came for long is told in any case.
 */
export function newcomerScore(
  newcomers: Newcomers,
  time: number,
  falseAlarmsPerWeek: number,
  falsePositives: number,
): number {
  const allowed = (falseAlarmsPerWeek + 3 * Math.sqrt(falseAlarmsPerWeek)) / leniency(falsePositives);
  const share = newcomersAt(newcomers, time) / allowed;
  return share <= 1 ? 1 - share / 2 : 0.49 / share;
}
