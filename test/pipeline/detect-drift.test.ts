import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { DriftDetectorOptions, Verdict } from "../../src/model/detector.ts";
import { driftDetector } from "../../src/pipeline/process/detect/drift-detector.ts";
import { randomOf } from "./random-of.ts";

const minute = 60_000;
const options: DriftDetectorOptions = { kind: "drift", window: 100, falseAlarmsPerWeek: 1 };
type Fields = Record<string, unknown>;

/** One record a minute. */
class Feed {
  readonly #detector = driftDetector(options);
  state: unknown = null;
  falsePositives = 0;
  #minutes = 0;

  record(value: Fields): Verdict {
    const point = { time: this.#minutes++ * minute, value, falsePositives: this.falsePositives };
    const judged = this.#detector.judge(point, this.state as never);
    this.state = judged.state;
    return judged.verdict;
  }

  records(values: readonly Fields[]): readonly Verdict[] {
    return values.map((value) => this.record(value)).filter(({ anomalous }) => anomalous);
  }
}

/** Orders of which a third have a coupon. */
function orders(count: number, seed = 1, change: (order: Fields) => Fields = (order) => order): Fields[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, () =>
    change({
      total: random() * 100,
      buyer: { country: "DE", email: null },
      ...(random() < 1 / 3 && { coupon: "x" }),
      tags: ["a"],
    }),
  );
}

describe("the drift detector", () => {
  test("finds a new field with the first record that has it, once", () => {
    const feed = new Feed();
    assert.deepEqual(feed.records(orders(500)), []);
    const found = feed.record({ ...orders(1)[0], buyer: { country: "DE", email: null, vat: "1" } });
    assert(found.anomalous && found.score > 0.9);
    assert.deepEqual(found.about, { field: "buyer.vat", value: "string" });
    assert.equal(found.why, "buyer.vat is a new field (string).");
    assert.equal(feed.record({ ...orders(1)[0], buyer: { vat: "1" } }).anomalous, false);
  });

  test("finds a changed type, and names all that is new together", () => {
    const feed = new Feed();
    feed.records(orders(500));
    const found = feed.record({ ...orders(1)[0], total: "12.50", extra: 1 });
    assert.equal(found.why, "total is a string and was always number; extra is a new field (number).");
    assert.equal(found.about?.field, "total");
  });

  test("finds a field that has vanished, when the window has ended", () => {
    const feed = new Feed();
    feed.records(orders(500));
    const found = feed.records(orders(500, 2, ({ total: _total, ...rest }) => rest));
    assert(found.length >= 1 && found.length <= 6, String(found.length));
    const [first] = found;
    assert.equal(
      first?.why,
      "total has vanished: it is missing or null in all of the last 100 records; before in 0 %.",
    );
    assert.deepEqual(first?.about, { field: "total", value: 1, since: 500 * minute });
  });

  test("finds a field that is empty more often, and one that is less often", () => {
    for (const [share, seed] of [
      [0.02, 3],
      [0.9, 4],
    ] as const) {
      const feed = new Feed();
      feed.records(orders(1000));
      const random = randomOf(seed);
      const changed = ({ coupon: _coupon, ...rest }: Fields) => (random() < share ? { ...rest, coupon: "x" } : rest);
      const [found] = feed.records(orders(100, seed, changed));
      assert.match(found?.why ?? "", /^coupon is missing or null in \d+ % of the last 100 records; before in 6\d %\.$/);
      assert((found?.expectedLow ?? 0) > 0.3 && (found?.expectedHigh ?? 1) < 0.95, JSON.stringify(found));
    }
  });

  test("keeps to its false alarms over eight quiet weeks", () => {
    const seed = Number(process.env["SEED"] ?? 5);
    console.log(`seed ${seed}`);
    const found = new Feed().records(orders(8 * 7 * 24 * 60, seed));
    console.log(`${found.length} false alarms in 8 weeks`);
    assert(found.length <= 16, String(found.length));
  });

  test("says nothing more where the names of a map are new all the time", () => {
    const feed = new Feed();
    feed.records(orders(300));
    const found = feed.records(orders(1000).map((order, index) => ({ ...order, [`user ${index}`]: 1 })));
    assert(found.length >= 1 && found.length <= 8, String(found.length));
  });

  test("a false positive makes it more lenient", () => {
    const found = [0, 12].map((falsePositives) => {
      const feed = new Feed();
      feed.records(orders(1000));
      feed.falsePositives = falsePositives;
      return feed.records(orders(100, 2, ({ coupon: _coupon, ...rest }) => rest)).length;
    });
    assert.deepEqual(found, [1, 0]);
  });

  test("keeps a bounded state of records with any number of fields", () => {
    const feed = new Feed();
    const wide = (from: number) =>
      Object.fromEntries(Array.from({ length: 39 }, (_, at) => [`${"x".repeat(70)}${from + at}`, at]));
    feed.records(Array.from({ length: 500 }, (_, index) => wide(index * 39)));
    assert(JSON.stringify(feed.state).length < 16_384, String(JSON.stringify(feed.state).length));
  });
});

test("the drift detector takes any record and time, keeps its state small, and says the same again", () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const key = fc.oneof(fc.constantFrom("__proto__", "constructor", "hasOwnProperty", "", "a", "a.b"), fc.string());
  const record = fc.dictionary(key, fc.anything({ key, maxDepth: 7, withNullPrototype: true }), { maxKeys: 60 });
  const point = fc.tuple(record, fc.integer({ min: -8.64e15, max: 8.64e15 }));
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 80 }), (points) => {
      const detector = driftDetector({ ...options, window: 20 });
      let state = null;
      for (const [value, time] of points) {
        const one = { time, value, falsePositives: 1 };
        const judged = detector.judge(one, state);
        assert.deepEqual(detector.judge(one, state), judged);
        const { score, anomalous } = judged.verdict;
        assert(score >= 0 && score <= 1 && anomalous === score >= 0.5, JSON.stringify(judged.verdict));
        const json = JSON.stringify(judged.state);
        assert(Buffer.byteLength(json) < 65_536 && !json.includes(":null"), json);
        state = JSON.parse(json);
      }
    }),
    { seed, numRuns: 100 },
  );
});
