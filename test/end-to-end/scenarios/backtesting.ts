import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type BacktestOutput, runBacktest } from "../../../src/cli/run-backtest.ts";
import { connect } from "../../../src/client/connection.ts";
import type { AnomalyDefinition } from "../../../src/model/definition.ts";
import { type AnomalyRow, isoTime, type Platform, type Running } from "../running.ts";

const config = `
import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ sensor: z.string(), value: z.number(), at: z.iso.datetime() });
const readings = stream({ schema, time: "at" });
const high = anomaly(readings, { value: "value", per: "sensor", detect: { range: { high: 10 } } });
export default defineConfig({ name: "backtesting", streams: { readings }, anomalies: { high } });
`;

const start = Date.UTC(2026, 0, 31);
const minute = 60_000;
/** More than a page. */
const minutes = 700;

const ruleOf = (detect: AnomalyDefinition["detect"], name = "high"): AnomalyDefinition => {
  return { kind: "anomaly", name, stream: "readings", fields: ["value"], per: "sensor", detect };
};
const upTo = (high: number) => ruleOf({ kind: "range", low: null, high });

export function backtestingScenarios(platform: Platform): void {
  describe("backtesting a rule on stored records", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
      const values = new Map([
        ["a 100", 120],
        ["b 650", 200],
      ]);
      const events = ["a", "b"].flatMap((sensor) =>
        Array.from({ length: minutes }, (_, number) => ({
          sensor,
          value: values.get(`${sensor} ${number}`) ?? number % 8,
          at: isoTime(start + number * minute),
        })),
      );
      // The latest come first: a backtest goes by event time all the same.
      await running.send("readings", events.slice(events.length / 2));
      await running.send("readings", events.slice(0, events.length / 2));
      await running.settled();
    });
    after(() => running.close());

    const backtest = async (rule: AnomalyDefinition) => {
      const connection = connect({
        url: running.url,
        key: null,
        // The calls of the scenario have the key.
        fetch: (url, init) => running.request(String(url), init),
      });
      const finds: string[] = [];
      const gone: string[] = [];
      const output: BacktestOutput = {
        find: async ({ id, key, value }, stored) => {
          finds.push(`${id} ${key} ${value} ${stored ? "stored" : "new"}`);
        },
        gone: async ({ id }) => {
          gone.push(id);
        },
      };
      const range = { from: isoTime(start), to: isoTime(start + minutes * minute) };
      const comparison = await runBacktest(connection, rule, range, output, new AbortController().signal);
      return { finds, gone, comparison };
    };

    test("the rule that is deployed finds in all records, over their pages, what is stored", async () => {
      const stored = await running.list<AnomalyRow>("/v1/anomalies?rule=high");
      const { finds, gone, comparison } = await backtest(upTo(10));
      assert.deepEqual(
        finds,
        stored.toReversed().map(({ id, key, value }) => `${id} ${key} ${value} stored`),
      );
      assert.deepEqual([finds.length, gone], [2, []]);
      const { records, series, incidents, complete } = comparison;
      assert.deepEqual(
        { records, series, incidents, complete },
        { records: 1_400, series: 2, incidents: 2, complete: true },
      );
    });

    test("a changed rule says what it would find besides, and what no longer", async () => {
      const [last, first] = await running.list<AnomalyRow>("/v1/anomalies?rule=high");
      const lenient = await backtest(upTo(150));
      assert.deepEqual([lenient.finds.length, lenient.gone], [1, [first?.id]]);
      const strict = await backtest(upTo(6));
      // Every eighth value is 7, in both series.
      const sevens = strict.finds.filter((find) => / [ab] 7 new$/.test(find));
      assert.equal(strict.comparison.new, sevens.length);
      assert.ok(sevens.length > 100);
      assert.equal(strict.finds.filter((find) => find.endsWith("stored")).length, 2);
      assert.ok(last !== undefined && strict.finds.includes(`${last.id} b 200 stored`));
    });

    test("a rule that is not deployed learns as it would have, and stores nothing", async () => {
      const fresh = ruleOf({ kind: "mad", window: 50, threshold: 6, warmup: 20 }, "fresh");
      const { finds, comparison } = await backtest(fresh);
      assert.deepEqual(
        finds.map((find) => find.split(" ").slice(1)),
        [
          ["a", "120", "new"],
          ["b", "200", "new"],
        ],
      );
      assert.equal(comparison.new, 2);
      assert.deepEqual(await running.list("/v1/anomalies?rule=fresh"), []);
    });
  });
}
