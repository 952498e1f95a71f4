import { type Aspect, courseRows, type SeriesState, sampleMax } from "./series-state.ts";
import { shapeSize } from "./shape-memory.ts";
import type { StreamingTuning } from "./streaming-tuning.ts";

/** How far a value lies from what was there before, in each aspect that can be judged by now. */
export type Distances = Partial<Record<Aspect, number>>;

/** Values before extremes mean anything. */
const extremeRowsMin = 50;
/** Rows after which the scale is looked at again. */
const scaleRows = 64;
/** The scale is changed only by as much as this factor: each change rewrites what is remembered. */
const scaleChangeMin = 4;
/** Of a normal distribution 90 % lie within 3.3 standard deviations. */
const scaleShare = 3.3;
/** A series that is nearly always the same has no other scale than how far it ever went. */
const deviationShare = 0.1;
/** Differences below this share of the value are those of floating point. */
const floatNoise = 1e-9;
/** Spreads below this share of a scale are all the same. */
const spreadFloor = 0.01;
const noiseSmoothing = 0.01;
/** Sums and squares of larger numbers would be infinite. */
const valueMax = 1e150;

/** Takes a value into `state`, which is changed, and tells how new it is there. */
export function learnValue(state: SeriesState, time: number, given: number, tuning: StreamingTuning): Distances {
  const value = Math.max(-valueMax, Math.min(valueMax, given));
  const distances: Distances = {};
  const rows = state.get("rows") + 1;
  if (rows === 1) state.set("firstTime", time);
  if (rows > extremeRowsMin) distances.extreme = beyondExtremes(state, value);
  learnNumbers(state, value, rows, tuning);
  if (rows % scaleRows === 0) updateScale(state);
  if (state.get("scale") === 0) return distances;
  learnSpreads(state, rows, distances, tuning);
  if (rows >= courseRows) {
    const known = state.shapes.visit(shapeOf(state, rows), rows, rows - courseRows);
    if (known !== null) distances.course = known;
  }
  const level = compared(state, state.get("level"));
  const season = rows > courseRows ? state.days.distance(time, level) : null;
  if (season !== null) distances.timeOfDay = season;
  state.days.learn(time, level);
  return distances;
}

/** A value as it is compared: near the centre in scales, far from it as their logarithm, so that one outlier is not all there is. */
export function compared(state: SeriesState, value: number): number {
  return Math.asinh((value - state.get("centre")) / state.get("scale"));
}

/** The value that is compared so. */
export function uncompared(state: SeriesState, number: number): number {
  return Math.sinh(number) * state.get("scale") + state.get("centre");
}

/** How far beyond all values so far, as a share of their range. */
function beyondExtremes(state: SeriesState, value: number): number {
  const min = state.get("min");
  const max = state.get("max");
  const range = Math.max(max - min, floatNoise * Math.abs(max), Number.MIN_VALUE);
  return Math.min(Math.max(0, value - max, min - value) / range, 1 / floatNoise);
}

function learnNumbers(state: SeriesState, value: number, rows: number, { smoothing }: StreamingTuning): void {
  const first = rows === 1;
  state.set("rows", rows);
  state.set("min", first ? value : Math.min(state.get("min"), value));
  state.set("max", first ? value : Math.max(state.get("max"), value));
  const mean = state.get("mean") + (value - state.get("mean")) / rows;
  state.set("mean", mean);
  state.set("deviation", state.get("deviation") + (Math.abs(value - mean) - state.get("deviation")) / rows);
  const level = first ? value : state.get("level") + smoothing * (value - state.get("level"));
  state.set("level", level);
  const share = Math.max(noiseSmoothing, 1 / rows);
  state.set("noise", state.get("noise") + share * (Math.abs(value - level) - state.get("noise")));
  state.course[(rows - 1) % courseRows] = value;
  sample(state, value, rows);
}

/** Every so many rows one value, from the first to the last: when there are too many, every other one goes. */
function sample(state: SeriesState, value: number, rows: number): void {
  const stride = Math.max(1, state.get("sampleStride"));
  if ((rows - 1) % stride !== 0) return;
  let count = state.get("sampleCount");
  if (count === sampleMax) {
    for (let index = 0; index < sampleMax / 2; index++) state.sample[index] = state.sample[2 * index] ?? 0;
    count = sampleMax / 2;
    state.set("sampleStride", 2 * stride);
  }
  state.sample[count] = value;
  state.set("sampleCount", count + 1);
}

function updateScale(state: SeriesState): void {
  const count = state.get("sampleCount");
  const sorted = state.sample.slice(0, count).sort();
  const quantile = (share: number) => sorted[Math.min(count - 1, Math.floor(share * count))] ?? 0;
  const centre = quantile(0.5);
  const scale = Math.max((quantile(0.95) - quantile(0.05)) / scaleShare, deviationShare * state.get("deviation"));
  // A series that was always the same has no scale yet.
  if (scale <= floatNoise * Math.abs(centre)) return;
  const before = state.get("scale");
  if (before > 0 && scale < scaleChangeMin * before && before < scaleChangeMin * scale) return;
  const centreBefore = state.get("centre");
  state.set("centre", centre);
  state.set("scale", scale);
  if (before === 0) return;
  const change = (number: number) => compared(state, Math.sinh(number) * before + centreBefore);
  state.shapes.convert(change);
  state.days.convert(change);
  const changeSpread = (number: number) => logSpread((Math.exp(number) - spreadFloor) * before, scale);
  state.shortSpreads.convert(changeSpread);
  state.longSpreads.convert(changeSpread);
}

function learnSpreads(
  state: SeriesState,
  rows: number,
  distances: Distances,
  { shortRows, longRows }: StreamingTuning,
): void {
  const short = spreadOf(state, rows, shortRows);
  const shortDistance = state.shortSpreads.distance(short);
  state.shortSpreads.learn(short);
  if (shortDistance !== null) distances.shortSpread = shortDistance;
  const long = spreadOf(state, rows, longRows);
  const longDistance = state.longSpreads.distance(long);
  state.longSpreads.learn(long);
  if (longDistance !== null) distances.longSpread = longDistance;
}

/** Logarithm of the standard deviation of the last values, in scales. */
export function spreadOf(state: SeriesState, rows: number, window: number): number {
  const { course } = state;
  let mean = 0;
  for (let back = 1; back <= window; back++) mean += (course[(rows - back) % courseRows] ?? 0) / window;
  let square = 0;
  for (let back = 1; back <= window; back++) square += ((course[(rows - back) % courseRows] ?? 0) - mean) ** 2 / window;
  return logSpread(Math.sqrt(square), state.get("scale"));
}

function logSpread(deviation: number, scale: number): number {
  return Math.log(Math.max(0, deviation) / scale + spreadFloor);
}

/** The standard deviation of such a logarithm. */
export function deviationOf(logarithm: number, scale: number): number {
  return Math.max(0, Math.exp(logarithm) - spreadFloor) * scale;
}

/** The last values as means of six, the latest first. */
function shapeOf(state: SeriesState, rows: number): Float64Array {
  const shape = new Float64Array(shapeSize);
  const each = courseRows / shapeSize;
  for (let index = 0; index < shapeSize; index++) {
    let mean = 0;
    for (let back = 1; back <= each; back++)
      mean += (state.course[(rows - index * each - back) % courseRows] ?? 0) / each;
    shape[index] = compared(state, mean);
  }
  return shape;
}
