import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { labelledSeries, publishedScores } from "../../bench/anomaly/labelled-series.ts";
import { type NabProfile, nabAt, nabBest, nabProfiles } from "../../bench/anomaly/nab-score.ts";
import { scoreSeries } from "../../bench/anomaly/score-series.ts";
import { windowedGaussian } from "../../bench/anomaly/windowed-gaussian.ts";
import { seededRandom } from "../../src/pipeline/ingest/simulate-random.ts";
import { fixture, fixtureMissing } from "../fixtures.ts";

const profiles = Object.keys(nabProfiles) as NabProfile[];
const folder = "series/nab";

describe("NAB's scoring", () => {
  test("gives the published scores of the windowed Gaussian what NAB gives them", {
    skip: fixtureMissing(folder),
  }, () => {
    const corpus = labelledSeries(fixture(folder)).map((series) => {
      const scores = publishedScores(fixture(`${folder}/published/windowedGaussian`), series);
      return { scores, windows: series.windows };
    });
    assert.deepEqual(
      profiles.map((profile) => nabBest(corpus, profile).score.toFixed(2)),
      ["51.31", "45.50", "59.31"],
    );
  });

  test("agrees with another implementation, at the best threshold and at fixed ones", () => {
    for (const { seed, best, threshold, at90, at50 } of elsewhere) {
      const corpus = randomCorpus(seed);
      const scores = (result: (profile: NabProfile) => number) => profiles.map((profile) => result(profile).toFixed(6));
      assert.deepEqual(
        scores((profile) => nabBest(corpus, profile).score),
        best,
        `seed ${seed}`,
      );
      assert.deepEqual(
        profiles.map((profile) => nabBest(corpus, profile).threshold),
        threshold,
        `seed ${seed}`,
      );
      assert.deepEqual(
        scores((profile) => nabAt(corpus, profile, 0.9).score),
        at90,
        `seed ${seed}`,
      );
      assert.deepEqual(
        scores((profile) => nabAt(corpus, profile, 0.5).score),
        at50,
        `seed ${seed}`,
      );
    }
  });

  test("gives 0 to a detector that says nothing and 100 to one that finds each window at once", () => {
    const windows = [[200, 239]] as const;
    const perfect = new Float64Array(400);
    perfect[200] = 1;
    const corpora = [new Float64Array(400), perfect].map((scores) => [{ scores, windows }]);
    assert.deepEqual(
      corpora.map((corpus) => nabAt(corpus, "standard", 0.5).score),
      [0, 100],
    );
  });
});

describe("the windowed Gaussian", () => {
  test("scores every row as NAB published it", { skip: fixtureMissing(folder) }, () => {
    for (const series of labelledSeries(fixture(folder))) {
      const published = publishedScores(fixture(`${folder}/published/windowedGaussian`), series);
      const { scores } = scoreSeries(series, windowedGaussian);
      const furthest = scores.reduce((most, score, row) => Math.max(most, Math.abs(score - (published[row] ?? 0))), 0);
      // Published with 12 digits.
      assert.ok(furthest < 1e-12, `${series.name}: ${furthest}`);
    }
  });
});

/** Windows in the learning part, next to each other, and at the end; more rows than learning is counted from; no window at all. */
const shapes: readonly { rows: number; windows: readonly (readonly [number, number])[] }[] = [
  { rows: 400, windows: [[100, 139]] },
  {
    rows: 1000,
    windows: [
      [60, 99],
      [400, 449],
      [450, 480],
      [940, 999],
    ],
  },
  {
    rows: 6000,
    windows: [
      [700, 1000],
      [4000, 4299],
    ],
  },
  { rows: 700, windows: [] },
];

/** Scores with many ties, higher inside the windows than outside. */
function randomCorpus(seed: number) {
  return shapes.map(({ rows, windows }, index) => {
    const random = seededRandom(seed, index);
    const scores = Float64Array.from({ length: rows }, (_, row) => {
      const inside = windows.some(([first, last]) => row >= first && row <= last);
      return Math.round(100 * random.next() ** (inside ? 2 : 6)) / 100;
    });
    return { scores, windows };
  });
}

/** What a Python program that was written from the paper, and not from this code, says of the same scores. */
const elsewhere = [
  {
    seed: 1,
    best: ["60.253794", "46.100080", "68.740625"],
    threshold: [0.97, 0.99, 0.97],
    at90: ["8.954833", "-65.557554", "34.541317"],
    at50: ["-418.879899", "-923.311335", "-250.681837"],
  },
  {
    seed: 2,
    best: ["22.000401", "15.718825", "29.889874"],
    threshold: [1, 1, 0.96],
    at90: ["-23.723824", "-110.795581", "7.993641"],
    at50: ["-459.054602", "-1003.308724", "-277.464973"],
  },
  {
    seed: 3,
    best: ["45.954354", "29.238006", "54.445760"],
    threshold: [0.98, 0.99, 0.98],
    at90: ["-24.648051", "-130.192291", "12.139395"],
    at50: ["-460.658487", "-1006.670057", "-278.534230"],
  },
];
