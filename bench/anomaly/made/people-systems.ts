import { noSeason, shift, spike } from "./made-anomaly.ts";
import { clip, type MadeSystem, quantise, slowNoise, workingDay } from "./made-system.ts";

/** Counts with a heavy tail that excites itself: one mention brings others. */
function mentions(name: string, perRow: number, anomalies: MadeSystem["anomalies"]): MadeSystem {
  return {
    name,
    rows: 15_800,
    stepSeconds: 300,
    anomalies,
    start: (draw) => {
      const mood = slowNoise(draw, 0.99);
      let excited = 0;
      return ({ day, weekend, effect }) => {
        const ordinary = perRow * (0.35 + workingDay(day)) * (weekend ? 0.7 : 1) * Math.exp(0.25 * mood());
        const shared = draw.chance(0.002) ? perRow * draw.pareto(1.7) : 0;
        const count = draw.poisson((ordinary + excited) * draw.logNormal(0.25) * effect.factor + shared);
        excited = 0.8 * excited + 0.08 * Math.min(count, 50 * perRow);
        return count;
      };
    },
  };
}

/** What people do: talk, type, travel, buy. */
export const peopleSystems: readonly MadeSystem[] = [
  mentions("people/mentions_of_a_big_name.csv", 40, [
    spike("factor", 9, 40),
    shift("factor", 3, 100),
    spike("factor", 14, 12),
  ]),
  mentions("people/mentions_of_a_small_name.csv", 2, [spike("factor", 20, 20), shift("factor", 5, 60)]),
  mentions("people/mentions_of_a_steady_name.csv", 9, []),
  {
    name: "people/seconds_between_keys.csv",
    rows: 4_000,
    stepSeconds: 0.3,
    valueIsStep: true,
    anomalies: [shift("factor", 2.2, 180)],
    start: (draw) => {
      const tired = slowNoise(draw, 0.99);
      return ({ effect }) => {
        const pause = draw.chance(0.06) ? draw.pareto(1.6) : 0;
        return quantise(0.16 * draw.logNormal(0.35) * Math.exp(0.08 * tired()) * effect.factor + pause, 0.001);
      };
    },
  },
  {
    name: "people/passengers_per_half_hour.csv",
    rows: 10_320,
    stepSeconds: 1_800,
    anomalies: [
      shift("factor", 1.35, 12),
      shift("factor", 0.6, 40),
      noSeason(48),
      shift("factor", 0.15, 40),
      spike("factor", 2, 10),
    ],
    start: (draw) => {
      const wander = slowNoise(draw, 0.95);
      return ({ day, weekend, effect }) => {
        const late = weekend && (day < 0.1 || day > 0.85) ? 0.5 : 0;
        const swing = effect.season === 0 ? 0.35 : workingDay(day) + late;
        return draw.poisson(18_000 * (0.12 + swing) * (1 + 0.05 * wander()) * effect.factor);
      };
    },
  },
  {
    name: "people/orders_per_hour.csv",
    rows: 1_500,
    stepSeconds: 3_600,
    bursts: 3,
    anomalies: [],
    start: (draw) => {
      return ({ day, weekend, burst }) => draw.poisson((2 + 24 * workingDay(day) * (weekend ? 1.3 : 1)) * (1 + burst));
    },
  },
  {
    name: "people/turnover_per_hour.csv",
    rows: 3_000,
    stepSeconds: 3_600,
    anomalies: [shift("factor", 0.35, 8), shift("factor", 1.5)],
    start: (draw) => {
      return ({ day, weekend, effect }) =>
        Math.round(9e8 * (0.2 + workingDay(day)) * (weekend ? 0.8 : 1) * draw.logNormal(0.09) * effect.factor);
    },
  },
  {
    name: "people/balance.csv",
    rows: 5_000,
    stepSeconds: 600,
    irregular: 0.5,
    anomalies: [spike("add", 60_000, 1), shift("add", -45_000)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.995);
      return ({ effect }) => quantise(1_500 + 6_000 * slow() + 400 * draw.normal() + effect.add, 0.01);
    },
  },
  {
    name: "people/road_speed.csv",
    rows: 2_500,
    stepSeconds: 500,
    irregular: 0.7,
    missing: 0.02,
    anomalies: [shift("factor", 0.4, 25), shift("factor", 0.55, 30)],
    start: (draw) => {
      return ({ day, weekend, effect }) => {
        const rush = weekend ? 0 : 14 * Math.exp(-(((day - 0.72) / 0.05) ** 2));
        return clip(Math.round((66 - rush) * effect.factor + 4 * draw.normal()), 3, 90);
      };
    },
  },
  {
    name: "people/travel_time.csv",
    rows: 2_500,
    stepSeconds: 600,
    irregular: 0.5,
    bursts: 8,
    anomalies: [spike("factor", 6, 8), shift("factor", 2.2, 40)],
    start: (draw) => {
      return ({ day, weekend, burst, effect }) => {
        const rush = weekend ? 0 : Math.exp(-(((day - 0.35) / 0.06) ** 2));
        return Math.round(240 * (1 + 0.8 * rush + burst) * draw.logNormal(0.18) * effect.factor);
      };
    },
  },
];
