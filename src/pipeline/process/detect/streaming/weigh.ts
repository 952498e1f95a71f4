import type { Evidence } from "./explain.ts";
import { learnValue } from "./learn-value.ts";
import { aspects, type SeriesState } from "./series-state.ts";
import type { StreamingTuning } from "./streaming-tuning.ts";

/** Learns the value; answers how rare its distance is in each aspect that can be judged by now. */
export function weigh(state: SeriesState, time: number, value: number, tuning: StreamingTuning): Evidence {
  const distances = learnValue(state, time, value, tuning);
  const evidence: Evidence = {};
  for (const aspect of aspects) {
    const distance = distances[aspect];
    if (distance === undefined) continue;
    const rarity = state.rarities[aspect];
    evidence[aspect] = rarity.of(distance + tuning.distanceMin);
    rarity.learn(distance + tuning.distanceMin);
  }
  return evidence;
}

/** Of all aspects together. */
export function sumOf(evidence: Evidence): number {
  let sum = 0;
  for (const aspect of aspects) sum += evidence[aspect] ?? 0;
  return sum;
}
