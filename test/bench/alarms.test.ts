import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alarmsAt, thresholdFor } from "../../bench/anomaly/alarms.ts";

const minute = 60_000;
const dayRows = 144;

/** Ten-minute rows over four weeks and what is before them for learning; `scores` by row. */
function series(scores: Readonly<Record<number, number>>, windows: readonly (readonly [number, number])[] = []) {
  const rows = 28 * dayRows;
  return {
    scores: Float64Array.from({ length: rows }, (_, row) => scores[row] ?? 0),
    times: Float64Array.from({ length: rows }, (_, row) => row * 10 * minute),
    windows,
  };
}

describe("alarms", () => {
  const everything = () => 0;
  const weekRows = 7 * dayRows;

  test("rows outside the windows are one false alarm an hour, from the first of them on", () => {
    const scores = { 1000: 0.9, 1001: 0.9, 1005: 0.6, 1006: 0.9, 3000: 0.5, 3500: 0.4 };
    const { falseAlarmsPerWeek } = alarmsAt([series(scores)], 0.5, everything);
    // 1000, 1006 (60 minutes later) and 3000.
    assert.equal(falseAlarmsPerWeek, 3 / ((28 * dayRows - 1) / weekRows));
  });

  test("rows that are for learning and rows in a window are no false alarms", () => {
    const scores = { 10: 1, 2000: 1, 2099: 1, 2100: 1 };
    const { falseAlarmsPerWeek } = alarmsAt([series(scores, [[2000, 2099]])], 0.5, () => 11);
    assert.equal(falseAlarmsPerWeek, 1 / ((28 * dayRows - 12) / weekRows));
  });

  test("recall counts windows, and the delay is the median over those that were hit", () => {
    const windows = [
      [1000, 1049],
      [2000, 2049],
      [3000, 3049],
      [3500, 3549],
    ] as const;
    const result = alarmsAt([series({ 1000: 1, 2006: 1, 2007: 1, 3049: 0.5 }, windows)], 0.5);
    assert.equal(result.recall, 3 / 4);
    assert.equal(result.delayRows, 6);
    assert.equal(result.delayHours, 1);
    assert.equal(result.delayShare, 6 / 50);
  });

  test("the threshold for one false alarm a week is the lowest that keeps to it over all series", () => {
    const loud = series({ 1000: 0.9, 1100: 0.8, 1200: 0.7, 1300: 0.6, 1400: 0.5, 1500: 0.4, 1600: 0.3, 1700: 0.2 });
    // Two series of 3.4 weeks without their learning part: 6.8 alarms are allowed.
    assert.equal(thresholdFor([loud, series({})], 1), 0.4);
    assert.equal(thresholdFor([loud], 1), 0.7);
  });

  test("a detector that says the same of every row has no threshold that keeps to it", () => {
    const constant = { ...series({}), scores: new Float64Array(28 * dayRows).fill(0.5) };
    assert.equal(thresholdFor([constant], 1), Number.POSITIVE_INFINITY);
    assert.equal(alarmsAt([constant], Number.POSITIVE_INFINITY).falseAlarmsPerWeek, 0);
  });
});
