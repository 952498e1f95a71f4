import type { LabelledSeries } from "./labelled-series.ts";
import { type Draw, seededDraw } from "./made/draw.ts";
import { hostSystems } from "./made/host-systems.ts";
import type { MadeAnomaly } from "./made/made-anomaly.ts";
import { type Effect, type MadeSystem, noEffect } from "./made/made-system.ts";
import { peopleSystems } from "./made/people-systems.ts";
import { sensorSystems } from "./made/sensor-systems.ts";
import { webSystems } from "./made/web-systems.ts";

/** As in NAB: the windows of a series share a tenth of its rows. */
const windowShare = 0.1;
/** Anomalies begin after the part that is for learning. */
const firstShare = 0.25;
const lastShare = 0.95;
/** A Monday. */
const startMillis = Date.UTC(2024, 0, 1);
const hourMillis = 3_600_000;

interface Placed {
  readonly anomaly: MadeAnomaly;
  readonly first: number;
  readonly strength: number;
}

/**
 * Made series that stand for what real systems emit, with labelled windows: a second corpus, of other scales, rates, lengths and kinds
 * of anomaly. Any whole number is a seed, and each gives other places, strengths and noise: a seed that nobody has looked at is unseen.
 */
export function madeSeries(seed: number): readonly LabelledSeries[] {
  const systems = [...webSystems, ...hostSystems, ...sensorSystems, ...peopleSystems];
  return systems.map((system, index) => runSystem(system, seededDraw(seed, index)));
}

function runSystem(system: MadeSystem, draw: Draw): LabelledSeries {
  const { rows } = system;
  const length = Math.max(3, Math.round((windowShare * rows) / Math.max(1, system.anomalies.length)));
  const placed = place(system, length, draw);
  const windows = placed.map(({ anomaly, first }) => {
    const centre = first + (anomaly.gradual ? Math.floor(anomaly.rows / 2) : 0);
    const start = Math.min(Math.max(0, centre - Math.floor(length / 2)), rows - length);
    return [start, start + length - 1] as const;
  });
  return { name: system.name, ...measure(system, placed, draw), windows };
}

/** Each anomaly somewhere in its own share of the rows, so that windows do not touch. */
function place(system: MadeSystem, length: number, draw: Draw): Placed[] {
  const { rows, anomalies } = system;
  const slot = ((lastShare - firstShare) * rows) / Math.max(1, anomalies.length);
  return anomalies.map((anomaly, index) => {
    const room = Math.max(0, slot - 1.2 * length);
    const first = Math.floor(firstShare * rows + index * slot + 0.6 * length + draw.next() * room);
    return { anomaly, first, strength: draw.between(0.8, 1.25) };
  });
}

function measure(system: MadeSystem, placed: readonly Placed[], draw: Draw) {
  const times = new Float64Array(system.rows);
  const values = new Float64Array(system.rows);
  const sample = system.start(draw);
  const burst = ordinaryBursts(system.bursts ?? 0, draw);
  let millis = 0;
  let felt = draw.between(0, 24 * hourMillis);
  for (let row = 0; row < system.rows; row++) {
    const effect = effectAt(row, placed);
    const repeated = row > 0 && draw.chance(system.repeats ?? 0);
    const day = (felt / (24 * hourMillis)) % 1;
    const weekend = Math.floor(felt / (24 * hourMillis)) % 7 >= 5;
    const value = sample({ row, hours: felt / hourMillis, day, weekend, burst: burst(), effect });
    values[row] = repeated || effect.stuck ? (values[row - 1] ?? value) : value;
    times[row] = repeated ? (times[row - 1] ?? startMillis) : startMillis + Math.round(millis);
    const step = system.valueIsStep === true ? 1000 * value : stepMillis(system, draw);
    millis += step;
    felt += step * effect.tempo;
  }
  return { times, values };
}

function stepMillis(system: MadeSystem, draw: Draw): number {
  const { stepSeconds, irregular = 0, missing = 0 } = system;
  const step = 1000 * stepSeconds * (1 - irregular + irregular * draw.exponential());
  // Losses come in runs of three on average, now and then as an outage of the collector.
  if (!draw.chance(missing / 4)) return step;
  return step + 1000 * stepSeconds * Math.ceil(draw.chance(0.02) ? 100 * draw.exponential() : 3 * draw.exponential());
}

function effectAt(row: number, placed: readonly Placed[]): Effect {
  let effect = noEffect;
  for (const { anomaly, first, strength } of placed) {
    if (row < first || row >= first + anomaly.rows) continue;
    const progress = Number.isFinite(anomaly.rows) ? (row - first) / anomaly.rows : 0;
    effect = { ...effect, ...anomaly.effect(progress, strength) };
  }
  return effect;
}

/** Every system has its small unrest: somebody runs a report, a cache is cold. None of it is labelled. */
function ordinaryBursts(perThousandRows: number, draw: Draw): () => number {
  let height = 0;
  return () => {
    if (draw.chance(perThousandRows / 1000)) height = Math.min(1.5, height + draw.between(0.1, 0.5) * draw.pareto(3));
    const now = height;
    height = height < 0.02 ? 0 : height * 0.7;
    return now;
  };
}
