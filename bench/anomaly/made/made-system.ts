import type { Draw } from "./draw.ts";
import type { MadeAnomaly } from "./made-anomaly.ts";

/** What a system knows of the row it makes. */
export interface Moment {
  readonly row: number;
  /** Hours since the start as the system feels them: an anomaly of the tempo stretches them. */
  readonly hours: number;
  /** 0 to 1, from midnight. */
  readonly day: number;
  readonly weekend: boolean;
  /** 0, or how far an ordinary burst that nobody labels is above the level, up to about 1. */
  readonly burst: number;
  /** What an anomaly does to this row; each part in words of the system, before it is rounded or clipped. */
  readonly effect: Effect;
}

export interface Effect {
  /** Times the level. */
  readonly factor: number;
  /** Added to the level, in units of the ordinary noise or of the range, as the system sees fit. */
  readonly add: number;
  /** Times the noise. */
  readonly noise: number;
  /** Times the swing of day, week and cycle. */
  readonly season: number;
  /** Times the speed of the cycle. */
  readonly tempo: number;
  /** The last value again. */
  readonly stuck: boolean;
}
export const noEffect: Effect = { factor: 1, add: 0, noise: 1, season: 1, tempo: 1, stuck: false };

/** A system of which one number is measured: how its ordinary days look, and what goes wrong. */
export interface MadeSystem {
  /** `category/name`. */
  readonly name: string;
  readonly rows: number;
  readonly stepSeconds: number;
  /** 0: a clock; 1: the steps are exponentially distributed, as arrivals are. */
  readonly irregular?: number;
  /** Share of rows that never arrived, some of them in a row; time goes on. */
  readonly missing?: number;
  /** Share of rows that arrived twice: the same value at the same time. */
  readonly repeats?: number;
  /** The value itself is how many seconds pass until the next row. */
  readonly valueIsStep?: boolean;
  /** Ordinary bursts for 1,000 rows. */
  readonly bursts?: number;
  readonly anomalies: readonly MadeAnomaly[];
  /** A fresh run of the system; what it remembers from row to row is in the closure. */
  readonly start: (draw: Draw) => (moment: Moment) => number;
}

/** Quiet at night, two humps by day; 0 to 1. */
export function workingDay(day: number): number {
  const hump = (at: number, width: number) => Math.exp(-(((day - at) / width) ** 2));
  return Math.min(1, hump(0.45, 0.13) + 0.8 * hump(0.68, 0.15));
}

/** -1 to 1, lowest at 4 in the morning. */
export function daily(day: number): number {
  return -Math.cos(2 * Math.PI * (day - 1 / 6));
}

/** Noise that remembers: `memory` of the last value and as much new as keeps the standard deviation 1. */
export function slowNoise(draw: Draw, memory: number): () => number {
  let value = draw.normal();
  return () => {
    value = memory * value + Math.sqrt(1 - memory * memory) * draw.normal();
    return value;
  };
}

export function clip(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** To steps of a sensor or of a printed number. */
export function quantise(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toPrecision(12));
}
