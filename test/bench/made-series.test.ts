import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { madeSeries } from "../../bench/anomaly/made-series.ts";

describe("the made series", () => {
  const series = madeSeries(1);

  test("are the same for the same seed and others for another", () => {
    assert.deepEqual(madeSeries(1), series);
    for (const [index, { name, values }] of madeSeries(2).entries()) {
      // A contact that nobody touches is 0 whatever the seed.
      if (name !== "sensor/alarm_contact.csv") assert.notDeepEqual(values, series[index]?.values, name);
    }
  });

  test("hold finite values at times that never go back", () => {
    for (const { name, times, values } of series) {
      assert.ok(values.every(Number.isFinite), name);
      assert.ok(
        times.every((time, row) => row === 0 || time >= (times[row - 1] ?? 0)),
        name,
      );
    }
  });

  test("have windows that share a tenth of the rows, apart from each other and behind the learning part", () => {
    for (let seed = 1; seed <= 5; seed++) {
      for (const { name, values, windows } of madeSeries(seed)) {
        let before = Math.floor(0.15 * Math.min(values.length, 5000));
        let rows = 0;
        for (const [first, last] of windows) {
          assert.ok(first > before && last < values.length, `seed ${seed}, ${name}: ${first} to ${last}`);
          before = last;
          rows += last - first + 1;
        }
        assert.ok(windows.length === 0 || Math.abs(rows - values.length / 10) <= windows.length, name);
      }
    }
  });
});
