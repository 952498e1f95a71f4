import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Detector } from "../../src/model/detector.ts";
import { detectorFor } from "../../src/pipeline/process/detect/detector-for.ts";

const options = { kind: "mad", window: 100, threshold: 6, warmup: 20 } as const;

/** Feeds values one after the other; the state passes through JSON now and then, as it does between raw objects. */
function feed(detector: Detector, values: readonly number[], start: unknown = null) {
  let state = start;
  const verdicts = values.map((value, index) => {
    const judged = detector.judge({ time: index, value, falsePositives: 0 }, state);
    state = index % 7 === 0 ? JSON.parse(JSON.stringify(judged.state)) : judged.state;
    return judged.verdict;
  });
  return { verdicts, state };
}

const wave = (count: number) => Array.from({ length: count }, (_, index) => 100 + 5 * Math.sin(index) + (index % 3));

describe("mad", () => {
  test("judges nothing before the warm-up is over, and says how far it is", () => {
    const { verdicts } = feed(detectorFor(options), [...wave(19), 1e6]);
    assert(verdicts.every(({ anomalous, score }) => !anomalous && score === 0));
    assert.match(verdicts[5]?.why ?? "", /Learning: 5 of the 20 values/);
  });

  test("finds a spike, judges it before it learns it, and stays calm afterwards", () => {
    const { verdicts } = feed(detectorFor(options), [...wave(60), 500, ...wave(30)]);
    const found = verdicts.flatMap(({ anomalous }, index) => (anomalous ? [index] : []));
    assert.deepEqual(found, [60]);
    const spike = verdicts[60];
    assert(spike && spike.score > 0.5 && spike.score < 1);
    assert(spike.expectedLow != null && spike.expectedHigh != null && spike.expectedHigh < 500);
    assert.match(spike.why, /^500 is [\d.]+ deviations above the median 10\d.* of the last 60 values; expected /);
  });

  test("two outliers in a row are both found: the first does not widen the band", () => {
    const { verdicts } = feed(detectorFor(options), [...wave(60), 500, 480]);
    assert.deepEqual(
      verdicts.slice(60).map(({ anomalous }) => anomalous),
      [true, true],
    );
  });

  test("a lasting change of level becomes the new normal within a window", () => {
    const { verdicts } = feed(detectorFor(options), [...wave(100), ...wave(101).map((value) => value + 1000)]);
    assert.equal(verdicts[100]?.anomalous, true);
    assert.equal(verdicts.at(-1)?.anomalous, false);
  });

  test("in a constant series 1 % of noise is ordinary and a step is not", () => {
    const constant = Array.from({ length: 50 }, () => 20);
    assert.equal(feed(detectorFor(options), [...constant, 20.1]).verdicts.at(-1)?.anomalous, false);
    const step = feed(detectorFor(options), [...constant, 30]).verdicts.at(-1);
    assert(step?.anomalous);
    assert(Number.isFinite(step.score));
  });

  test("in a series of zeros any other value is unusual, with score 1 and no division by zero in the words", () => {
    const verdict = feed(detectorFor(options), [...Array.from({ length: 30 }, () => 0), 3]).verdicts.at(-1);
    assert(verdict?.anomalous);
    assert.equal(verdict.score, 1);
    assert.equal(verdict.why, "3 differs from the median 0 of the last 30 values, which were all the same.");
    assert.equal(
      feed(
        detectorFor(options),
        Array.from({ length: 31 }, () => 0),
      ).verdicts.at(-1)?.anomalous,
      false,
    );
  });

  test("a false positive widens the band by a quarter, up to six times", () => {
    const { state } = feed(detectorFor(options), wave(60));
    const widths = [0, 1, 20, 1000].map((falsePositives) => {
      const { expectedLow, expectedHigh } = detectorFor(options).judge(
        { time: 0, value: 105, falsePositives },
        state,
      ).verdict;
      return (expectedHigh ?? 0) - (expectedLow ?? 0);
    });
    const [usual = 0, ...wider] = widths;
    assert.deepEqual(
      wider.map((width) => Math.round((100 * width) / usual) / 100),
      [1.25, 6, 6],
    );
  });

  test("ignores NaN and infinities: no verdict, nothing learned", () => {
    const { state } = feed(detectorFor(options), wave(40));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const judged = detectorFor(options).judge({ time: 0, value, falsePositives: 0 }, state);
      assert.equal(judged.verdict.anomalous, false);
      assert.deepEqual(judged.state, state);
    }
  });

  test("gives a band within all numbers for values at the edge of what a double holds", () => {
    const small = { ...options, window: 5, threshold: 1, warmup: 3 };
    const edge = Number.MAX_VALUE;
    for (const values of [
      [-edge / 2, -0.9 * edge, 0, 0, 1],
      [edge / 2, 0.9 * edge, 0, 0, 1],
      [-edge, edge, -edge, edge, 0],
      [-edge, -edge, edge, edge, 0],
    ]) {
      for (const { expectedLow, expectedHigh, why } of feed(detectorFor(small), values).verdicts.slice(3)) {
        assert(
          Number.isFinite(expectedLow) && Number.isFinite(expectedHigh),
          `${values}: ${expectedLow}, ${expectedHigh}`,
        );
        assert.doesNotMatch(why, /expected.*(Infinity|NaN)/);
      }
    }
  });

  test("keeps at most `window` values, also when the window has become smaller", () => {
    const { state } = feed(detectorFor(options), wave(300));
    assert.equal(JSON.parse(JSON.stringify(state)).values.length, 100);
    const shrunk = detectorFor({ ...options, window: 30 }).judge({ time: 0, value: 100, falsePositives: 0 }, state);
    assert.deepEqual(JSON.parse(JSON.stringify(shrunk.state)).values, [...wave(300).slice(-29), 100]);
  });

  test("is pure: the same state and point give the same verdict, and the given state is not changed", () => {
    const { state } = feed(detectorFor(options), wave(50));
    const before = JSON.stringify(state);
    const detector = detectorFor(options);
    const first = detector.judge({ time: 0, value: 107, falsePositives: 0 }, state);
    const again = detector.judge({ time: 0, value: 107, falsePositives: 0 }, state);
    const restored = detectorFor(options).judge({ time: 0, value: 107, falsePositives: 0 }, JSON.parse(before));
    assert.deepEqual(first, again);
    assert.deepEqual(first, restored);
    assert.equal(JSON.stringify(state), before);
  });

  test("median and deviation equal those of a plain sort, for any finite series", () => {
    const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
    console.log(`seed ${seed}`);
    const value = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.double({ min: -1e6, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 5, maxLength: 80 }), (values) => {
        const small = { ...options, window: 15, warmup: 4 };
        const { verdicts } = feed(detectorFor(small), values);
        for (const [index, verdict] of verdicts.entries()) {
          if (index < small.warmup) continue;
          const band = referenceBand(values.slice(Math.max(0, index - 15), index), small.threshold);
          if (band === null) continue;
          assert(
            close(verdict.expectedLow ?? null, band.low) && close(verdict.expectedHigh ?? null, band.high),
            `at ${index}`,
          );
        }
      }),
      { seed, numRuns: 300 },
    );
  });
});

const close = (a: number | null, b: number) => a !== null && Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Null where the deviation is 0, or so small that the floor for floating-point noise decides. */
function referenceBand(window: readonly number[], threshold: number) {
  const centre = median(window);
  const deviation = median(window.map((value) => Math.abs(value - centre)));
  if (deviation <= Math.abs(centre) * 1e-8) return null;
  const half = threshold * 1.4826 * deviation;
  return { low: centre - half, high: centre + half };
}
