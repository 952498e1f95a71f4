import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { NoveltyDetectorOptions, Verdict } from "../../src/model/detector.ts";
import { noveltyDetector } from "../../src/pipeline/process/detect/novelty-detector.ts";
import { randomOf } from "./random-of.ts";

const minute = 60_000;
const options: NoveltyDetectorOptions = { kind: "novelty", warmup: 500, hidden: false, falseAlarmsPerWeek: 1 };

/** One value a minute. */
class Feed {
  readonly #detector: ReturnType<typeof noveltyDetector>;
  state: unknown = null;
  falsePositives = 0;
  #minutes = 0;

  constructor(change: Partial<NoveltyDetectorOptions> = {}) {
    this.#detector = noveltyDetector({ ...options, ...change });
  }

  value(value: string): Verdict {
    const point = { time: this.#minutes++ * minute, value, falsePositives: this.falsePositives };
    const judged = this.#detector.judge(point, this.state as never);
    this.state = judged.state;
    return judged.verdict;
  }

  values(values: readonly string[]): readonly Verdict[] {
    return values.map((value) => this.value(value)).filter(({ anomalous }) => anomalous);
  }
}

/** Shares of 60, 30, 9 and 1 %. */
function countries(count: number, seed = 1): string[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, () => {
    const at = random();
    return at < 0.6 ? "DE" : at < 0.9 ? "FR" : at < 0.99 ? "AT" : "CH";
  });
}

describe("the novelty detector", () => {
  test("finds a category that was never there, once", () => {
    const feed = new Feed();
    assert.deepEqual(feed.values(countries(1000)), []);
    const found = feed.value("NZ");
    assert(found.anomalous && found.score > 0.9);
    assert.deepEqual(found.about, { value: "NZ" });
    assert.equal(found.why, '"NZ" was never seen in 1000 values; about 0 new ones came in the last week.');
    assert.equal(feed.value("NZ").anomalous, false);
  });

  test("finds a rare category that is common all at once, once", () => {
    const feed = new Feed();
    feed.values(countries(2000));
    const found = feed.values(Array.from({ length: 40 }, () => "CH"));
    assert.equal(found.length, 1);
    assert.match(found[0]?.why ?? "", /^"CH" is \d+ of the last 100 values; expected about (0\.\d+|1\.\d+)\.$/);
    assert.deepEqual(feed.values(countries(3000, 5)), []);
  });

  test("leaves categories alone that always come in batches", () => {
    const feed = new Feed();
    const batches = Array.from({ length: 400 }, (_, batch) => Array.from({ length: 25 }, () => `shop ${batch % 40}`));
    assert.deepEqual(feed.values(batches.flat()), []);
  });

  test("says nothing of a column in which everything is new", () => {
    const feed = new Feed();
    assert.deepEqual(feed.values(Array.from({ length: 5000 }, (_, index) => `order ${index}`)), []);
  });

  test("tells the first few of many new ones, and then no more", () => {
    const feed = new Feed();
    feed.values(countries(1000));
    const found = feed.values(Array.from({ length: 300 }, (_, index) => `new ${index}`));
    assert(found.length >= 1 && found.length <= 6, String(found.length));
  });

  test("a false positive makes it more lenient, and the first new one in long is still told", () => {
    const found = [0, 8].map((falsePositives) => {
      const feed = new Feed();
      feed.values(countries(1000));
      feed.falsePositives = falsePositives;
      return feed.values(["A1", "A2", "A3", "A4", "A5"]).length;
    });
    assert((found[0] ?? 0) > (found[1] ?? 0) && (found[1] ?? 0) >= 1, String(found));
  });

  test("neither shows nor keeps a personal value", () => {
    const feed = new Feed({ hidden: true });
    feed.values(countries(1000).map((country) => `${country}@example.com`));
    const found = feed.value("ada@example.com");
    assert.equal(found.anomalous, true);
    assert.deepEqual(found.about, { value: "•••" });
    assert(!JSON.stringify([found, feed.state]).includes("@"));
  });

  test("keeps 128 categories of 64 characters at most", () => {
    const feed = new Feed();
    feed.values(Array.from({ length: 1000 }, (_, index) => `${index} ${"x".repeat(1000)}`));
    assert(JSON.stringify(feed.state).length < 16_384, String(JSON.stringify(feed.state).length));
  });

  test("judges nothing before the warm-up has ended, and says so", () => {
    const first = new Feed().value("DE");
    assert.equal(first.inconclusive, true);
    assert.equal(first.why, "Learning: 0 of the 500 values needed before this rule judges.");
  });
});

test("the novelty detector takes any text and time, keeps its state small, and says the same again", () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const text = fc.oneof(
    fc.constantFrom("__proto__", "constructor", "toString", "", "a", "b", "\ud800"),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  const point = fc.tuple(text, fc.integer({ min: -8.64e15, max: 8.64e15 }));
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 200 }), fc.boolean(), (points, hidden) => {
      const detector = noveltyDetector({ ...options, hidden, warmup: 10 });
      let state = null;
      for (const [value, time] of points) {
        const one = { time, value, falsePositives: 3 };
        const judged = detector.judge(one, state);
        assert.deepEqual(detector.judge(one, state), judged);
        const { score, anomalous } = judged.verdict;
        assert(score >= 0 && score <= 1 && anomalous === score >= 0.5, JSON.stringify(judged.verdict));
        const json = JSON.stringify(judged.state);
        assert(json.length < 100_000 && !json.includes("null"), json);
        state = JSON.parse(json);
      }
    }),
    { seed, numRuns: 200 },
  );
});
