import assert from "node:assert/strict";
import { test } from "node:test";
import { detectorFor } from "../../src/pipeline/process/detect/detector-for.ts";

const judge = (low: number | null, high: number | null, value: number) =>
  detectorFor({ kind: "range", low, high }).judge({ time: 0, value, falsePositives: 0 }, null);

test("a value inside the band or on its edge is ordinary", () => {
  for (const value of [0, 5, 10]) {
    const { verdict } = judge(0, 10, value);
    assert.equal(verdict.anomalous, false);
    assert.equal(verdict.score, 0);
    assert.match(verdict.why, new RegExp(`^${value} is within the fixed band of 0 to 10`));
  }
});

test("a value outside is anomalous; its score grows with the distance and stays under 1", () => {
  const near = judge(0, 10, 11).verdict;
  const far = judge(0, 10, -90).verdict;
  assert(near.anomalous && far.anomalous);
  assert(near.score > 0.5 && near.score < far.score && far.score < 1);
  assert.equal(near.why, "11 is 1 above the fixed band of 0 to 10.");
  assert.equal(far.why, "-90 is 90 below the fixed band of 0 to 10.");
});

test("a null end is open", () => {
  assert.equal(judge(null, 10, -1e9).verdict.anomalous, false);
  assert.equal(judge(0, null, 1e9).verdict.anomalous, false);
  assert.equal(judge(0, null, -1).verdict.anomalous, true);
  assert.equal(judge(0, null, -1).verdict.why, "-1 is 1 below the fixed band from 0 up.");
});

test("a band of one value, zero width, still gives finite scores", () => {
  const { verdict } = judge(5, 5, 6);
  assert(verdict.anomalous && Number.isFinite(verdict.score) && verdict.score <= 1);
});

test("NaN and infinities are neither judged nor learned", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const { verdict, state } = judge(0, 10, value);
    assert.equal(verdict.anomalous, false);
    assert.equal(state, null);
  }
});

test("false positives do not widen a fixed band", () => {
  const detector = detectorFor({ kind: "range", low: 0, high: 10 });
  const judged = [0, 50].map((falsePositives) => detector.judge({ time: 0, value: 11, falsePositives }, null));
  assert.deepEqual(judged[0], judged[1]);
  assert.equal(judged[0]?.verdict.anomalous, true);
});
