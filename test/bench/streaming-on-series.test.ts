import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findsAt } from "../../bench/anomaly/alarms.ts";
import { benchDetectors } from "../../bench/anomaly/bench-detectors.ts";
import { type LabelledSeries, labelledSeries } from "../../bench/anomaly/labelled-series.ts";
import { madeSeries } from "../../bench/anomaly/made-series.ts";
import { nabAt } from "../../bench/anomaly/nab-score.ts";
import { scoreSeries } from "../../bench/anomaly/score-series.ts";
import { tuneLimit } from "../../bench/anomaly/tune-limit.ts";
import { vusPr } from "../../bench/anomaly/vus-pr.ts";
import { detectorFor } from "../../src/pipeline/process/detect/detector-for.ts";
import { streamingTuning } from "../../src/pipeline/process/detect/streaming/streaming-tuning.ts";
import { fixture, fixtureMissing } from "../fixtures.ts";

const folder = "series/nab";
const threshold = 0.5;
const streaming = () => detectorFor({ kind: "streaming", falseAlarmsPerWeek: 1 });

function scored(all: readonly LabelledSeries[], create = streaming) {
  return all.map((series) => ({ ...series, ...scoreSeries(series, create) }));
}

let judged: ReturnType<typeof scored> | null = null;
/** Judged once for all tests. */
function nab() {
  judged ??= scored(labelledSeries(fixture(folder)));
  return judged;
}

describe("the streaming detector on labelled series, with one threshold for all", () => {
  test("scores above the best published detector on 24 series of NAB, in batches with its state as JSON in between", {
    skip: fixtureMissing(folder),
  }, () => {
    const corpus = nab();
    // CAD OSE, with the threshold that is best for it.
    assert.ok(nabAt(corpus, "standard", threshold).score > 79.75);
    assert.ok(Math.max(...corpus.map(({ stateBytesMax }) => stateBytesMax)) < 16_000);
    for (const name of ["windowed Gaussian", "mad"]) {
      const baseline = benchDetectors.find((detector) => detector.name === name);
      assert.ok(baseline !== undefined);
      assert.ok(vusPr(corpus) > 1.5 * vusPr(scored(labelledSeries(fixture(folder)), baseline.create)), name);
    }
  });

  test("has the limit that is best on the first half of them, whatever the second half says", {
    skip: fixtureMissing(folder),
  }, () => {
    assert.equal(tuneLimit(labelledSeries(fixture(folder))).chosen, streamingTuning.limit);
  });

  test("raises less than one false alarm a week where all is well", { skip: fixtureMissing(folder) }, () => {
    const clean = nab().filter(({ windows }) => windows.length === 0);
    assert.equal(clean.length, 5);
    const finds = clean.map((series) => findsAt(series, threshold, () => 0));
    const alarms = finds.reduce((sum, { falseAlarms }) => sum + falseAlarms.length, 0);
    const weeks = clean.reduce((sum, { times }) => sum + ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 604_800_000, 0);
    assert.ok(alarms < weeks, `${alarms} in ${weeks} weeks`);
  });

  test("scores well on made series of other scales, rates and lengths, of a seed that nothing was tuned on", () => {
    const corpus = scored(madeSeries(2024));
    assert.ok(nabAt(corpus, "standard", threshold).score > 65);
  });
});
