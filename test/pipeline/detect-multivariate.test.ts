import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { MultivariateDetectorOptions, Verdict } from "../../src/model/detector.ts";
import { multivariateDetector } from "../../src/pipeline/process/detect/multivariate-detector.ts";
import { gaussian, randomOf } from "./random-of.ts";

const minute = 60_000;
const options: MultivariateDetectorOptions = {
  ...{ kind: "multivariate", fields: ["load", "latency", "size"], warmup: 200, falseAlarmsPerWeek: 1 },
};

/** Feeds points, one a minute; answers with their verdicts. */
function feed(points: readonly (readonly number[])[], falsePositives = 0): readonly Verdict[] {
  const detector = multivariateDetector(options);
  let state: unknown = null;
  return points.map((value, index) => {
    const judged = detector.judge({ time: index * minute, value, falsePositives }, state as never);
    state = judged.state;
    return judged.verdict;
  });
}

/** Latency follows load, size is for itself. */
function ordinary(count: number, random: () => number, noise = gaussian): number[][] {
  return Array.from({ length: count }, () => {
    const load = 100 + 20 * noise(random);
    return [load, 2 * load + 5 * noise(random), 1000 + 100 * noise(random)];
  });
}

describe("the multivariate detector", () => {
  test("finds a combination of which each number is ordinary, and blames the field that does not fit", () => {
    const verdicts = feed([...ordinary(600, randomOf(1)), [100, 290, 1000]]);
    const found = verdicts.at(-1);
    assert.equal(found?.anomalous, true);
    assert.equal(found?.about?.field, "latency");
    assert.equal(found?.about?.value, 290);
    assert((found?.expectedLow ?? 0) > 150 && (found?.expectedHigh ?? 0) < 250, JSON.stringify(found));
    assert.match(
      found?.why ?? "",
      /^latency 290 is ordinary by itself, but does not fit load 100, size 1000; expected with them /,
    );
    assert(!verdicts.slice(0, -1).some(({ anomalous }) => anomalous));
  });

  test("blames the field that is far out by itself", () => {
    const found = feed([...ordinary(600, randomOf(2)), [100, 200, 3000]]).at(-1);
    assert.equal(found?.about?.field, "size");
    assert.match(found?.why ?? "", /^size 3000 is unusual beside load 100, latency 200/);
  });

  test("keeps to its false alarms, also where the numbers are not normally distributed", () => {
    const seed = Number(process.env["SEED"] ?? 11);
    console.log(`seed ${seed}`);
    const heavy = (random: () => number) => {
      // Student's t with 5 degrees of freedom: outliers of six deviations each few thousand values.
      const chi = Array.from({ length: 5 }, () => gaussian(random) ** 2).reduce((sum, one) => sum + one, 0);
      return (gaussian(random) / Math.sqrt(chi / 5)) * Math.sqrt(3 / 5);
    };
    const skewed = (random: () => number) => -Math.log(1 - random()) - 1;
    for (const [name, noise, most] of [
      ["normal", gaussian, 5],
      ["skewed", skewed, 6],
      ["heavy", heavy, 12],
    ] as const) {
      const alarms = feed(ordinary(4 * 7 * 24 * 60, randomOf(seed), noise)).filter(({ anomalous }) => anomalous).length;
      console.log(`${alarms} false alarms in 4 weeks, ${name}`);
      assert(alarms <= most, `${name}: ${alarms}`);
    }
  });

  test("an outlier does not hide the next one", () => {
    const verdicts = feed([...ordinary(600, randomOf(3)), [1e6, 0, 0], [100, 290, 1000]]);
    assert.deepEqual(
      verdicts.slice(-2).map(({ anomalous }) => anomalous),
      [true, true],
    );
  });

  test("judges constant fields, and fields that follow from each other", () => {
    const random = randomOf(4);
    const points = Array.from({ length: 400 }, () => {
      const euros = Math.round(random() * 10_000) / 100;
      return [euros, Math.round(euros * 100), 7];
    });
    const verdicts = feed([...points, [50, 5000, 7], [50, 9000, 7], [50, 5000, 8]]);
    assert(!verdicts.slice(0, 401).some(({ anomalous }) => anomalous));
    assert.deepEqual(
      verdicts.slice(401).map(({ anomalous, about }) => [anomalous, about?.field]),
      [
        [true, "latency"],
        [true, "size"],
      ],
    );
  });

  test("judges nothing before the warm-up has ended, and says so", () => {
    const [first] = feed([[1e9, -1e9, 5]]);
    assert.equal(first?.inconclusive, true);
    assert.match(first?.why ?? "", /Learning: 0 of the 200 records/);
  });

  test("a false positive makes it more lenient", () => {
    const points = [...ordinary(600, randomOf(1)), [100, 240, 1000]];
    assert.equal(feed(points).at(-1)?.anomalous, true);
    assert.equal(feed(points, 10).at(-1)?.anomalous, false);
  });
});

test("the multivariate detector takes any numbers and times, keeps its state small, and says the same again", () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const number = fc.oneof(
    fc.integer({ min: -5, max: 5 }),
    fc.double(),
    fc.constantFrom(0, 1e308, -1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY),
  );
  const point = fc.tuple(fc.array(number, { minLength: 3, maxLength: 3 }), fc.integer({ min: -8.64e15, max: 8.64e15 }));
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 80 }), (points) => {
      const detector = multivariateDetector({ ...options, warmup: 20 });
      let state = null;
      for (const [value, time] of points) {
        const one = { time, value, falsePositives: 0 };
        const judged = detector.judge(one, state);
        assert.deepEqual(detector.judge(one, state), judged);
        const { score, anomalous, expectedLow, expectedHigh } = judged.verdict;
        assert(score >= 0 && score <= 1 && (!anomalous || score >= 0.5), JSON.stringify(judged.verdict));
        for (const edge of [expectedLow, expectedHigh]) assert(edge == null || !Number.isNaN(edge));
        const json = JSON.stringify(judged.state);
        assert(json.length < 4096 && !json.includes("null"), json);
        state = JSON.parse(json);
      }
    }),
    { seed, numRuns: 300 },
  );
});
