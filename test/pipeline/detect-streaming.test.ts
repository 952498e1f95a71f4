import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Detector, Verdict } from "../../src/model/detector.ts";
import { seededRandom } from "../../src/pipeline/ingest/simulate-random.ts";
import { streamingDetector } from "../../src/pipeline/process/detect/streaming-detector.ts";

const stepMillis = 5 * 60_000;
const perDay = 288;
const start = Date.UTC(2024, 0, 1);
const days = 8;

interface Row {
  readonly time: number;
  readonly value: number;
}

/** A week of office hours with noise; `change` is what goes wrong. */
function office(
  change: (value: number, row: number, noise: () => number) => number = (value) => value,
  seed = 1,
): Row[] {
  const random = seededRandom(seed);
  const noise = () => random.next() - 0.5;
  return Array.from({ length: days * perDay }, (_, row) => {
    const hour = ((row % perDay) / perDay) * 24;
    const busy = Math.max(0, Math.sin(((hour - 7) / 12) * Math.PI));
    return { time: start + row * stepMillis, value: change(20 + 60 * busy + 3 * noise(), row, noise) };
  });
}

function judgeAll(rows: readonly Row[], options: { readonly falsePositives?: number; readonly weekly?: number } = {}) {
  const detector = streamingDetector({ falseAlarmsPerWeek: options.weekly ?? 1 }) as Detector;
  let state: unknown = null;
  return rows.map(({ time, value }) => {
    const judged = detector.judge({ time, value, falsePositives: options.falsePositives ?? 0 }, state);
    state = judged.state;
    return judged.verdict;
  });
}

function finds(verdicts: readonly Verdict[]): number[] {
  return verdicts.flatMap(({ anomalous }, row) => (anomalous ? [row] : []));
}

const noonOfTheSixthDay = 6 * perDay + perDay / 2;

describe("what the streaming detector finds", () => {
  const wrongs: readonly (readonly [string, Parameters<typeof office>[0], RegExp])[] = [
    [
      "a spike",
      (value, row) => (row === noonOfTheSixthDay ? 300 : value),
      /^300 is above all of the \d+ values so far/,
    ],
    [
      "a dip in the night to where it never was",
      (value, row) => (row === 6 * perDay + 30 ? -40 : value),
      /^-40 is below all/,
    ],
    [
      "a working day without work",
      (value, row) => (row >= 6 * perDay + 84 && row < 7 * perDay ? 20 + (value % 3) : value),
      /this time of day|The course of the last 96 values/,
    ],
    [
      "a value that is stuck",
      (value, row) => (row > noonOfTheSixthDay ? 80 : value),
      /The last (12|48) values vary less than any/,
    ],
    [
      "noise that grows",
      (value, row, noise) => (row > noonOfTheSixthDay ? value + 40 * noise() : value),
      /last (12|48) values/,
    ],
    ["a level that shifts for good", (value, row) => (row > noonOfTheSixthDay ? value + 60 : value), /^1\d\d.* above/],
  ];
  for (const [what, change, why] of wrongs) {
    test(`${what}, within two hours of its showing, and says why`, () => {
      const verdicts = judgeAll(office(change));
      const first = finds(verdicts).find((row) => row >= 6 * perDay);
      assert.ok(first !== undefined && first < noonOfTheSixthDay + 60, `found at ${first}`);
      const { why: said, score } = verdicts[first] as Verdict;
      assert.match(said, why);
      assert.ok(score >= 0.5 && score <= 1);
    });
  }

  test("hardly anything in such days when all is well: less than a find a week, and the band holds nearly all values", () => {
    const seeds = Array.from({ length: 12 }, (_, index) => index + 100);
    let found = 0;
    let judged = 0;
    let inside = 0;
    for (const seed of seeds) {
      const rows = office(undefined, seed);
      const verdicts = judgeAll(rows);
      found += finds(verdicts).length;
      for (const [row, { value }] of rows.entries()) {
        const { expectedLow, expectedHigh } = verdicts[row] as Verdict;
        if (row < 2 * perDay) continue;
        judged++;
        if (value >= Number(expectedLow) && value <= Number(expectedHigh)) inside++;
      }
    }
    assert.ok(found < (seeds.length * days) / 7, `${found} finds in ${seeds.length} series of ${days} days`);
    assert.ok(inside > 0.97 * judged, `${inside} of ${judged}`);
  });

  test("one anomaly for one incident: what goes on is neither another one nor all well", () => {
    const verdicts = judgeAll(
      office((value, row) => (row >= noonOfTheSixthDay && row < noonOfTheSixthDay + 15 ? 400 : value)),
    );
    assert.deepEqual(
      finds(verdicts).filter((row) => row >= noonOfTheSixthDay),
      [noonOfTheSixthDay],
    );
    const next = verdicts[noonOfTheSixthDay + 1] as Verdict;
    assert.ok(next.score < 0.5 && next.goesOn === true);
  });

  test("what is far worse than the incident it falls into is a find of its own", () => {
    const verdicts = judgeAll(
      office((value, row) => (row === noonOfTheSixthDay ? 130 : row === noonOfTheSixthDay + 10 ? 5000 : value)),
    );
    assert.deepEqual(
      finds(verdicts).filter((row) => row >= noonOfTheSixthDay),
      [noonOfTheSixthDay, noonOfTheSixthDay + 10],
    );
  });

  test("nothing while it is learning: under 150 values, and on the first day", () => {
    const verdicts = judgeAll(office((value, row) => (row === 100 || row === 200 ? 900 : value)).slice(0, perDay));
    assert.deepEqual(finds(verdicts), []);
    assert.ok(verdicts.every(({ inconclusive }) => inconclusive === true));
    assert.match(verdicts[10]?.why ?? "", /^Learning: 11 values so far/);
  });

  test("the same whatever the unit and the origin of the values", () => {
    const rows = office((value, row) => (row === noonOfTheSixthDay ? 300 : value));
    const expected = finds(judgeAll(rows));
    assert.ok(expected.includes(noonOfTheSixthDay));
    for (const [factor, offset] of [
      [2 ** -20, 0],
      [2 ** 20, 0],
      [-1, 0],
      [1, 2 ** 20],
    ] as const) {
      const moved = rows.map(({ time, value }) => ({ time, value: value * factor + offset }));
      assert.deepEqual(finds(judgeAll(moved)), expected, `times ${factor} plus ${offset}`);
    }
  });

  test("a spike in irregular steps with gaps", () => {
    const rows = office((value, row) => (row === noonOfTheSixthDay ? 300 : value)).filter(
      (_, row) => row === noonOfTheSixthDay || (row % 7 !== 3 && (row < 900 || row > 940)),
    );
    const found = finds(judgeAll(rows)).map((row) => rows[row]?.value);
    assert.ok(found.includes(300));
  });

  test("a change in a series that was always the same", () => {
    const rows = Array.from({ length: 3 * perDay }, (_, row) => ({
      time: start + row * stepMillis,
      value: row === 700 ? 46 : 45,
    }));
    assert.deepEqual(finds(judgeAll(rows)), [700]);
  });
});

describe("how sensitive the streaming detector is", () => {
  const noisy = office((value, _row, noise) => value + 8 * (noise() + noise() + noise()) ** 3);

  test("more false alarms a week asked for are more finds, never fewer", () => {
    const counts = [0.1, 1, 10, 100].map((weekly) => finds(judgeAll(noisy, { weekly })).length);
    assert.deepEqual(
      counts,
      [...counts].sort((one, other) => one - other),
    );
    assert.ok((counts[3] ?? 0) > (counts[0] ?? 0), String(counts));
  });

  test("a score falls with each false positive that somebody called", () => {
    const scores = [0, 1, 5, 20].map((falsePositives) =>
      Math.max(
        ...judgeAll(
          office((value, row) => (row === noonOfTheSixthDay ? 130 : value)),
          { falsePositives },
        ).map(({ score }) => score),
      ),
    );
    for (const [index, score] of scores.entries())
      assert.ok(index === 0 || score < (scores[index - 1] ?? 0), String(scores));
  });
});

describe("the state of the streaming detector", () => {
  test("is under 16 kB as JSON, and judges on as if it had never been JSON", () => {
    const rows = office((value, row) => (row % 500 === 400 ? 200 : value));
    const detector = streamingDetector({ falseAlarmsPerWeek: 1 }) as Detector;
    const expected = judgeAll(rows).map(({ score }) => score);
    let state: unknown = null;
    for (const [row, { time, value }] of rows.entries()) {
      const judged = detector.judge({ time, value, falsePositives: 0 }, state);
      assert.equal(judged.verdict.score, expected[row]);
      const json = JSON.stringify(judged.state);
      assert.ok(json.length < 16_000, `${json.length} bytes`);
      state = row % 3 === 0 ? JSON.parse(json) : judged.state;
    }
  });

  test("is not changed by what is judged from it: the same point gives the same answer again", () => {
    const detector = streamingDetector({ falseAlarmsPerWeek: 1 }) as Detector;
    let state: unknown = null;
    for (const { time, value } of office().slice(0, 1500)) {
      const before = JSON.stringify(state);
      const once = detector.judge({ time, value, falsePositives: 0 }, state);
      const again = detector.judge({ time, value, falsePositives: 0 }, state);
      assert.equal(JSON.stringify(state), before);
      assert.equal(JSON.stringify(once.state), JSON.stringify(again.state));
      state = once.state;
    }
  });

  test("begins anew where it is of another version or was tampered with", () => {
    const detector = streamingDetector({ falseAlarmsPerWeek: 1 }) as Detector;
    const point = { time: start, value: 5, falsePositives: 0 };
    const fresh = JSON.stringify(detector.judge(point, null).state);
    for (const state of [{ version: 0, bytes: "AAAA" }, { version: 1, bytes: "%%%" }, { version: 1 }, [], "text", 7]) {
      assert.equal(JSON.stringify(detector.judge(point, state).state), fresh);
    }
  });

  test("whatever the values and times, the answer is a score from 0 to 1 and a state that can be kept", () => {
    const value = fc.oneof(
      fc.double(),
      fc.constantFrom(0, -0, 1e308, -1e308, Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY, 1e15 + 0.5),
    );
    const row = fc.record({ time: fc.integer({ min: -(10 ** 13), max: 10 ** 14 }), value });
    // The same few rows again and again, so that it is past learning.
    const rows = fc
      .array(row, { minLength: 1, maxLength: 40 })
      .map((some) => Array.from({ length: 800 }, (_, index) => some[index % some.length] as Row));
    fc.assert(
      fc.property(rows, (all) => {
        const detector = streamingDetector({ falseAlarmsPerWeek: 1 }) as Detector;
        let state: unknown = null;
        for (const { time, value: given } of all) {
          const judged = detector.judge({ time, value: given, falsePositives: 0 }, state);
          const { score, why, expectedLow, expectedHigh } = judged.verdict;
          assert.ok(score >= 0 && score <= 1, `score ${score}`);
          assert.ok(why.length > 0 && !why.includes("NaN"), why);
          for (const end of [expectedLow ?? 0, expectedHigh ?? 0]) assert.ok(!Number.isNaN(end), why);
          state = JSON.parse(JSON.stringify(judged.state));
        }
      }),
      { numRuns: 15 },
    );
  });
});
