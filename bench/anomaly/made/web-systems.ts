import { drift, growth, noSeason, shift, spike } from "./made-anomaly.ts";
import { clip, daily, type MadeSystem, quantise, slowNoise, workingDay } from "./made-system.ts";

/** Services on the web and behind it: requests, errors, latencies, queues. */
export const webSystems: readonly MadeSystem[] = [
  {
    name: "web/requests_per_minute.csv",
    rows: 20_000,
    stepSeconds: 60,
    missing: 0.002,
    bursts: 1,
    anomalies: [shift("factor", 0.4, 90), spike("factor", 3, 20), noSeason(330)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.995);
      return ({ day, weekend, burst, effect }) => {
        const swing = effect.season === 0 ? 110 : 260 * workingDay(day) * (weekend ? 0.55 : 1);
        return draw.poisson((60 + swing) * effect.factor * (1 + 0.06 * wander() + 0.4 * burst));
      };
    },
  },
  {
    name: "web/requests_worldwide.csv",
    rows: 8_000,
    stepSeconds: 300,
    bursts: 2,
    anomalies: [shift("factor", 0.7)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.98);
      return ({ day, burst, effect }) =>
        draw.poisson(48_000 * (1 + 0.18 * daily(day)) * effect.factor * (1 + 0.03 * wander() + 0.1 * burst));
    },
  },
  {
    name: "web/errors_per_minute.csv",
    rows: 10_000,
    stepSeconds: 60,
    bursts: 3,
    anomalies: [shift("add", 3, 25), shift("add", 8, 12)],
    start: (draw) => {
      return ({ burst, effect }) => draw.poisson(0.04 + 1.5 * burst + effect.add);
    },
  },
  {
    name: "web/latency_p95_seconds.csv",
    rows: 12_000,
    stepSeconds: 60,
    bursts: 2,
    anomalies: [growth("factor", 5, 240), spike("factor", 12, 8)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.97);
      return ({ day, burst, effect }) =>
        0.12 * (1 + 0.35 * workingDay(day) + burst) * Math.exp(0.1 * wander()) * draw.logNormal(0.12) * effect.factor;
    },
  },
  {
    name: "web/latency_of_each_call.csv",
    rows: 6_000,
    stepSeconds: 45,
    irregular: 1,
    bursts: 1,
    anomalies: [shift("factor", 2.5, 300)],
    start: (draw) => {
      return ({ burst, effect }) =>
        quantise(38 * (draw.chance(0.03) ? 6 : 1) * (1 + burst) * draw.logNormal(0.45) * effect.factor, 0.1);
    },
  },
  {
    name: "web/sessions_per_hour.csv",
    rows: 2_160,
    stepSeconds: 3_600,
    anomalies: [noSeason(36), shift("factor", 0.3, 6), spike("factor", 2.2, 6)],
    start: (draw) => {
      return ({ hours, day, weekend, effect }) => {
        const growing = 1 + hours / 20_000;
        const swing = 900 * workingDay(day) * (weekend ? 0.4 : 1);
        return draw.poisson(
          (120 + (effect.season === 0 ? 300 : swing)) * growing * effect.factor * draw.logNormal(0.05),
        );
      };
    },
  },
  {
    name: "web/cache_hit_percent.csv",
    rows: 9_000,
    stepSeconds: 120,
    bursts: 2,
    anomalies: [shift("add", -25, 60), drift("add", -9, 260)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.9);
      return ({ burst, effect }) =>
        clip(quantise(97.5 + effect.add - 12 * burst - Math.abs(1.2 * wander() + 0.6 * draw.normal()), 0.01), 0, 100);
    },
  },
  {
    name: "web/requests_of_a_quiet_tenant.csv",
    rows: 6_000,
    stepSeconds: 300,
    bursts: 4,
    anomalies: [],
    start: (draw) => {
      return ({ day, weekend, burst }) => draw.poisson(3.5 * workingDay(day) * (weekend ? 0.1 : 1) + 6 * burst);
    },
  },
  {
    name: "queue/length.csv",
    rows: 7_000,
    stepSeconds: 60,
    bursts: 6,
    anomalies: [growth("add", 220, 120), spike("add", 3_000, 3)],
    start: (draw) => {
      let waiting = 0;
      return ({ day, burst, effect }) => {
        const arrived = draw.poisson(20 + 14 * workingDay(day) + 40 * burst) + effect.add * 0.08;
        waiting = Math.max(0, waiting + arrived - draw.poisson(38));
        return Math.round(waiting);
      };
    },
  },
  {
    name: "queue/age_of_oldest_seconds.csv",
    rows: 5_000,
    stepSeconds: 300,
    bursts: 3,
    anomalies: [shift("factor", 6)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.6);
      return ({ burst, effect }) => Math.round(4 * Math.exp(0.4 * wander()) * (1 + 6 * burst) * effect.factor);
    },
  },
  {
    name: "jobs/duration_seconds.csv",
    rows: 1_500,
    stepSeconds: 5_400,
    irregular: 0.6,
    anomalies: [shift("factor", 1.6, 60), spike("factor", 8, 1)],
    start: (draw) => {
      return ({ hours, effect }) => (310 + 0.02 * hours) * draw.logNormal(0.06) * effect.factor;
    },
  },
];
