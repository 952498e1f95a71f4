import { drift, growth, noSeason, shift, spike, stuck } from "./made-anomaly.ts";
import { clip, daily, type MadeSystem, quantise, slowNoise } from "./made-system.ts";

const cycle = (hours: number, periodHours: number) => Math.sin((2 * Math.PI * hours) / periodHours);

/** Sensors: rooms, machines, weather, power. */
export const sensorSystems: readonly MadeSystem[] = [
  {
    name: "sensor/machine_temperature.csv",
    rows: 7_200,
    stepSeconds: 3_600,
    missing: 0.005,
    anomalies: [drift("add", -28, 110), growth("add", 26, 100), spike("add", -60, 4)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.998);
      const fast = slowNoise(draw, 0.8);
      return ({ day, effect }) => 84 + 6 * slow() + 2.2 * fast() + 1.5 * daily(day) + effect.add;
    },
  },
  {
    name: "sensor/room_temperature.csv",
    rows: 6_000,
    stepSeconds: 1_800,
    irregular: 0.1,
    anomalies: [drift("add", -6, 150)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.997);
      return ({ hours, day, weekend, effect }) => {
        const heated = day > 0.25 && day < 0.8 && !weekend ? 1.6 : 0;
        return quantise(
          20.5 + heated - 1.5 * cycle(hours, 8766) + 0.7 * slow() + 0.12 * draw.normal() + effect.add,
          0.1,
        );
      };
    },
  },
  {
    name: "sensor/strain.csv",
    rows: 6_000,
    stepSeconds: 60,
    anomalies: [shift("noise", 3, 250), spike("add", -9, 2)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.99);
      return ({ effect }) => 1e-6 * (-4 + 0.6 * slow() + 0.5 * effect.noise * draw.normal() + effect.add);
    },
  },
  {
    name: "sensor/vibration.csv",
    rows: 8_000,
    stepSeconds: 1,
    anomalies: [shift("tempo", 2.2, 300), shift("season", 1.8, 200)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.9);
      return ({ hours, effect }) =>
        effect.season * cycle(hours, 40 / 3600) * (1 + 0.05 * slow()) + 0.15 * effect.noise * draw.normal();
    },
  },
  {
    name: "sensor/humidity_percent.csv",
    rows: 5_000,
    stepSeconds: 1_800,
    anomalies: [stuck(120)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.985);
      return ({ day }) => clip(Math.round(78 - 16 * daily(day) + 12 * slow() + 1.5 * draw.normal()), 0, 100);
    },
  },
  {
    name: "sensor/mains_voltage.csv",
    rows: 12_000,
    stepSeconds: 60,
    bursts: 1,
    anomalies: [spike("add", -22, 5), shift("add", 7, 150), shift("noise", 0.1, 300)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.99);
      return ({ day, burst, effect }) =>
        quantise(
          231 - 1.8 * daily(day) + 1.1 * slow() - 3 * burst + 0.5 * effect.noise * draw.normal() + effect.add,
          0.1,
        );
    },
  },
  {
    name: "sensor/tide_metres.csv",
    rows: 9_000,
    stepSeconds: 600,
    anomalies: [spike("add", 1.8, 36), noSeason(140)],
    start: (draw) => {
      const slow = slowNoise(draw, 0.997);
      return ({ hours, effect }) => {
        const tide = 1.4 * cycle(hours, 12.42) + 0.5 * cycle(hours, 12) + 0.2 * cycle(hours, 25.82);
        return effect.season * tide + 0.12 * slow() + 0.02 * draw.normal() + effect.add;
      };
    },
  },
  {
    name: "sensor/pump_flow.csv",
    rows: 10_000,
    stepSeconds: 60,
    anomalies: [shift("tempo", 2.5, 240), shift("factor", 0.6, 240)],
    start: (draw) => {
      return ({ hours, effect }) => {
        const running = (hours / 0.7) % 1 < 0.18;
        return running ? quantise(14.2 * effect.factor + 0.4 * draw.normal(), 0.05) : 0;
      };
    },
  },
  {
    name: "sensor/solar_watts.csv",
    rows: 4_800,
    stepSeconds: 1_800,
    missing: 0.003,
    anomalies: [noSeason(48)],
    start: (draw) => {
      const clouds = slowNoise(draw, 0.9);
      return ({ day, effect }) => {
        const sun = Math.max(0, Math.sin(Math.PI * ((day - 0.25) / 0.55)));
        const sky = clip(0.75 + 0.3 * clouds(), 0.1, 1);
        return day < 0.25 || day > 0.8 ? 0 : Math.round(5_200 * sun * sky * effect.season);
      };
    },
  },
  {
    name: "sensor/battery_volts.csv",
    rows: 4_000,
    stepSeconds: 900,
    irregular: 0.3,
    repeats: 0.02,
    anomalies: [],
    start: (draw) => {
      return ({ hours }) => quantise(4.15 - 0.7 * ((hours / 61) % 1) + 0.004 * draw.normal(), 0.01);
    },
  },
  {
    name: "sensor/alarm_contact.csv",
    rows: 2_000,
    stepSeconds: 600,
    anomalies: [],
    start: () => () => 0,
  },
];
