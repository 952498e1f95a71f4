import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnomalyDefinition } from "../../src/model/definition.ts";
import { recordId, recordIdText } from "../../src/model/record.ts";
import { Backtest, type BacktestRecord } from "../../src/pipeline/process/rules/backtest.ts";

const start = Date.UTC(2026, 0, 1);
const hour = 3_600_000;

const rule = (detect: AnomalyDefinition["detect"], per: string | null = null): AnomalyDefinition => {
  return { kind: "anomaly", name: "level", stream: "readings", fields: ["value"], per, detect };
};
const range = rule({ kind: "range", low: null, high: 10 });

function record(number: number, data: Record<string, unknown>, time = start + number * hour): BacktestRecord {
  const id = recordIdText(recordId(time, Buffer.from(String(number).padStart(10, "0"))));
  return { id, time, receivedAt: time, data };
}

describe("a backtest", () => {
  test("finds what processing would find, with the record that each is about", async () => {
    const backtest = new Backtest(range);
    const records = [5, 11, 5, 5, 30].map((value, number) => record(number, { value }));
    const finds = await backtest.add(records);
    assert.deepEqual(
      finds.map(({ rule: name, value, time, recordId: of }) => [name, value, time, of]),
      [
        ["level", 11, records[1]?.time, records[1]?.id],
        ["level", 30, records[4]?.time, records[4]?.id],
      ],
    );
    assert.equal(new Set(finds.map(({ id }) => id)).size, 2);
  });

  test("learns over all of its records, however many are given at a time", async () => {
    const mad = rule({ kind: "mad", window: 20, threshold: 6, warmup: 10 });
    const records = Array.from({ length: 100 }, (_, number) =>
      record(number, { value: number === 70 ? 500 : number % 7 }),
    );
    const whole = await new Backtest(mad).add(records);
    const backtest = new Backtest(mad);
    const single = [];
    for (const one of records) single.push(...(await backtest.add([one])));
    assert.deepEqual(
      whole.map(({ value }) => value),
      [500],
    );
    assert.deepEqual(
      single.map(({ id }) => id),
      whole.map(({ id }) => id),
    );
  });

  test("judges each key for itself, and counts incidents, not finds, as alarms of a series and week", async () => {
    const backtest = new Backtest(rule({ kind: "range", low: null, high: 10 }, "sensor"));
    // Two weeks of two sensors; three values above the band within minutes are one incident.
    const minute = hour / 60;
    const high = [0, 1, 2].map((number) => record(900 + number, { sensor: "a", value: 11 }, start + number * minute));
    const rest = Array.from({ length: 14 * 24 + 1 }, (_, number) =>
      record(number, { sensor: number % 2 ? "a" : "b", value: 1 }),
    );
    await backtest.add(high);
    await backtest.add(rest);
    const { records, series, finds, incidents, falseAlarmsPerWeek } = backtest.summary();
    assert.deepEqual({ records, series, finds, incidents }, { records: 340, series: 2, finds: 3, incidents: 1 });
    assert.equal(falseAlarmsPerWeek, 1 / (2 * 2));
  });

  test("says that it cannot tell how many false alarms a week there are when nothing was judged", async () => {
    const backtest = new Backtest(range);
    assert.equal(backtest.summary().falseAlarmsPerWeek, null);
    await backtest.add([record(0, { value: "eleven" }), record(1, {})]);
    assert.deepEqual(backtest.summary(), { records: 2, series: 0, finds: 0, incidents: 0, falseAlarmsPerWeek: null });
  });

  test("takes an event time after the receipt as that of the receipt, as processing does", async () => {
    const backtest = new Backtest(range);
    const values = [11, 1, 1, 1, 11];
    const [first, ...rest] = values.map((value, number) => record(number, { value }));
    const ahead = { ...(first as BacktestRecord), time: start + 10 * 365 * 24 * hour };
    await backtest.add([ahead, ...rest]);
    assert.equal(backtest.summary().incidents, 2, "a clock that is years ahead keeps no incident open");
  });

  test("ends with what a detector of one's own throws: who tries a rule wants to know", async () => {
    const judge = () => {
      throw new TypeError("total is not defined");
    };
    const backtest = new Backtest(rule({ kind: "own", detector: { kind: "jump", judge } }));
    await assert.rejects(backtest.add([record(0, { value: 1 })]), {
      code: "CONFIG_INVALID",
      message: /The detector of level failed: .*total is not defined/,
    });
  });
});
