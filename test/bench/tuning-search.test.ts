import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LabelledSeries } from "../../bench/anomaly/labelled-series.ts";
import { madeSeries } from "../../bench/anomaly/made-series.ts";
import { scoreSeries } from "../../bench/anomaly/score-series.ts";
import { decideTrace, traceOf } from "../../bench/anomaly/streaming-traces.ts";
import { tuneLimit } from "../../bench/anomaly/tune-limit.ts";
import { searchTuning } from "../../bench/anomaly/tuning-search.ts";
import type { Detector } from "../../src/model/detector.ts";
import { streamingTuning } from "../../src/pipeline/process/detect/streaming/streaming-tuning.ts";
import { streamingDetector } from "../../src/pipeline/process/detect/streaming-detector.ts";

const few = madeSeries(1).filter(({ values }) => values.length <= 3000);
const none = { limit: [], distanceMin: [], shortRows: [], longRows: [], smoothing: [], learningRows: [] };
const candidates = { ...none, limit: [4, streamingTuning.limit, 6], incidentShare: [], worseBy: [] };

/** Fails whoever looks at it. */
const untouchable = new Proxy({} as LabelledSeries, {
  get(_, name) {
    throw new Error(`${String(name)} was read`);
  },
});

describe("the search over the tuning of the streaming detector", () => {
  test("does not look at the second half", () => {
    const [one, two] = few;
    assert.ok(one && two);
    const { steps } = searchTuning([one, untouchable, two, untouchable], few, candidates);
    assert.deepEqual(
      steps[0]?.tried.map(({ value, worth }) => [value, Number.isFinite(worth)]),
      [
        [4, true],
        [streamingTuning.limit, true],
        [6, true],
      ],
    );
    assert.throws(() => searchTuning([untouchable, one], few, candidates), /was read/);
  });

  test("takes the limit that is best on the first half, and does not look at the second", () => {
    const [one, two] = few;
    assert.ok(one && two);
    const { tried, chosen } = tuneLimit([one, untouchable, two, untouchable], [4, 5, 6, 1000]);
    assert.equal(tried.find(({ limit }) => limit === chosen)?.nab, Math.max(...tried.map(({ nab }) => nab)));
    assert.equal(tried.at(-1)?.nab, 0, "with a limit that nothing reaches nothing is found");
    assert.throws(() => tuneLimit([untouchable, one]), /was read/);
  });

  test("decides as the detector does, whatever the tuning", () => {
    const tuning = {
      ...streamingTuning,
      limit: 4,
      shortRows: 10,
      learningRows: 100,
      incidentShare: 0.01,
      worseBy: 1.2,
    };
    const detector = streamingDetector({ falseAlarmsPerWeek: 1 }, tuning) as Detector;
    for (const series of few) {
      const { scores } = scoreSeries(series, () => detector);
      assert.deepEqual(decideTrace(traceOf(series, tuning), tuning).scores, scores, series.name);
      assert.ok(scores.some((score) => score > 0) || new Set(series.values).size === 1, series.name);
    }
  });
});
