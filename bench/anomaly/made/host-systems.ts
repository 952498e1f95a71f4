import { drift, growth, noSeason, shift, spike, stuck } from "./made-anomaly.ts";
import { clip, type MadeSystem, quantise, slowNoise, workingDay } from "./made-system.ts";

/** Machines: processor, memory, disks, network. */
export const hostSystems: readonly MadeSystem[] = [
  {
    name: "host/cpu_percent_saturating.csv",
    rows: 4_032,
    stepSeconds: 300,
    bursts: 5,
    anomalies: [shift("add", 70, 30), stuck(60)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.85);
      return ({ day, burst, effect }) => {
        const backup = day > 0.08 && day < 0.115 ? 80 : 0;
        const load = 24 + 14 * workingDay(day) + 60 * burst + 5 * wander() + 2 * draw.normal();
        return clip(quantise(load + backup + effect.add, 0.01), 0, 100);
      };
    },
  },
  {
    name: "host/cpu_percent_idle.csv",
    rows: 4_032,
    stepSeconds: 300,
    bursts: 1,
    anomalies: [shift("add", 0.5), spike("add", 25, 2)],
    start: (draw) => {
      return ({ burst, effect }) => {
        const base = draw.chance(0.85) ? 0.066 : draw.chance(0.6) ? 0.068 : 0.134;
        return Math.max(0, quantise(base + 3 * burst + effect.add + 0.01 * Math.abs(draw.normal()), 0.002));
      };
    },
  },
  {
    name: "host/cpu_percent_of_a_schedule.csv",
    rows: 10_000,
    stepSeconds: 60,
    bursts: 1,
    anomalies: [noSeason(200), shift("noise", 4, 150)],
    start: (draw) => {
      return ({ hours, burst, effect }) => {
        const minute = (hours * 60) % 60;
        const running = minute < 6 ? 45 * effect.season * (1 - minute / 12) : 0;
        return clip(8 + running + 20 * burst + 1.5 * effect.noise * draw.normal(), 0, 100);
      };
    },
  },
  {
    name: "host/disk_write_bytes.csv",
    rows: 4_032,
    stepSeconds: 300,
    anomalies: [shift("add", 4e6, 60), spike("add", 9e8, 3)],
    start: (draw) => {
      return ({ effect }) => {
        const flush = draw.chance(0.04) ? 3e6 * draw.pareto(1.8) : 0;
        return Math.round(Math.min(4e9, (draw.chance(0.5) ? 0 : 4096 * draw.poisson(3)) + flush + effect.add));
      };
    },
  },
  {
    name: "host/disk_read_bytes_quiet.csv",
    rows: 5_000,
    stepSeconds: 300,
    anomalies: [],
    start: (draw) => {
      return () => (draw.chance(0.97) ? 0 : 4096 * Math.ceil(20 * draw.pareto(1.3)));
    },
  },
  {
    name: "host/network_in_bytes.csv",
    rows: 8_640,
    stepSeconds: 300,
    missing: 0.004,
    bursts: 3,
    anomalies: [spike("factor", 60, 6), shift("factor", 0.02, 36), shift("factor", 4, 120)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.95);
      return ({ day, weekend, burst, effect }) => {
        const swing = (1 + 4 * workingDay(day)) * (weekend ? 0.5 : 1);
        return Math.round(
          2.4e6 * swing * Math.exp(0.25 * wander()) * draw.logNormal(0.3) * (1 + 4 * burst) * effect.factor,
        );
      };
    },
  },
  {
    name: "host/network_out_bytes_constant.csv",
    rows: 3_000,
    stepSeconds: 300,
    repeats: 0.1,
    anomalies: [],
    start: (draw) => {
      return () => 18_400 + 40 * draw.poisson(2);
    },
  },
  {
    name: "host/memory_percent_of_a_heap.csv",
    rows: 9_000,
    stepSeconds: 60,
    bursts: 1,
    anomalies: [growth("add", 38, 380), shift("tempo", 4, 200)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.99);
      return ({ hours, burst, effect }) => {
        const collected = (hours / 0.8) % 1;
        return clip(30 + 22 * collected + 2 * wander() + 8 * burst + effect.add + 0.4 * draw.normal(), 0, 100);
      };
    },
  },
  {
    name: "host/disk_used_percent.csv",
    rows: 4_000,
    stepSeconds: 900,
    anomalies: [growth("add", 21, 160)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.99);
      return ({ hours, day, effect }) =>
        quantise(clip(52 + 0.006 * hours + 7 * day + 0.5 * wander() + effect.add, 0, 100), 0.1);
    },
  },
  {
    name: "host/load_average.csv",
    rows: 15_000,
    stepSeconds: 60,
    bursts: 4,
    anomalies: [shift("noise", 5, 200), shift("add", 6, 80), drift("add", 3, 240)],
    start: (draw) => {
      const wander = slowNoise(draw, 0.93);
      return ({ day, burst, effect }) =>
        quantise(
          Math.max(0, 1.1 + 0.8 * workingDay(day) + 0.3 * effect.noise * wander() + 3 * burst + effect.add),
          0.01,
        );
    },
  },
];
