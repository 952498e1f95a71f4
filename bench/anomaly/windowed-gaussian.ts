import type { Detector } from "../../src/model/detector.ts";

/** Both as in the runs that NAB published. */
const windowRows = 6400;
const stepRows = 100;
/** Stands in for the deviation of a window whose values are all the same. */
const deviationMin = 1e-6;

interface GaussianState {
  /** Oldest first; beyond `windowRows` those that wait until the window moves. */
  readonly values: number[];
  mean: number;
  /** Sum of the squared distances from the mean. */
  squares: number;
}

/**
 * NAB's baseline of this name: how likely a normal distribution with mean and deviation of the last values gives one nearer to the
 * mean, 0.5 to 1. The first value scores 0. Unlike a detector of the product it changes its state in place, which nothing else holds
 * here: a copy of the window for each point would make it a slow baseline.
 */
export function windowedGaussian(): Detector<number, GaussianState> {
  return {
    kind: "windowed Gaussian",
    judge({ value }, known) {
      const state = known ?? { values: [], mean: 0, squares: 0 };
      const rows = Math.min(state.values.length, windowRows);
      const deviation = Math.sqrt(state.squares / rows) || deviationMin;
      const score = rows === 0 ? 0 : 1 - upperTail(Math.abs(value - state.mean) / deviation);
      learn(state, value);
      return { verdict: { score, anomalous: score >= 0.5, why: "" }, state };
    },
  };
}

/** A window that grows learns each value; a full one moves on by `stepRows` at a time. */
function learn(state: GaussianState, value: number): void {
  const { values } = state;
  values.push(value);
  if (values.length <= windowRows) include(state, value, values.length);
  if (values.length < windowRows + stepRows) return;
  values.splice(0, stepRows);
  state.mean = 0;
  state.squares = 0;
  for (const [index, kept] of values.entries()) include(state, kept, index + 1);
}

/** Welford 1962: without the loss of digits that sums of squares suffer. */
function include(state: GaussianState, value: number, count: number): void {
  const distance = value - state.mean;
  state.mean += distance / count;
  state.squares += distance * (value - state.mean);
}

/** The share of a standard normal distribution above `z`, from 0 up, to 12 digits (Abramowitz and Stegun 1964, 26.2.11 and 26.2.14). */
function upperTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 4) {
    let fraction = z;
    for (let term = 60; term > 0; term--) fraction = z + term / fraction;
    return density / fraction;
  }
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 - density * sum;
}
