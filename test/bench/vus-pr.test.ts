import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { vusPr } from "../../bench/anomaly/vus-pr.ts";

type Windows = readonly (readonly [number, number])[];
const closeTo = (actual: number, expected: number, message?: string) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${message ?? ""} ${actual} instead of ${expected}`);
const scoresOf = (rows: number, score: (row: number) => number) =>
  Float64Array.from({ length: rows }, (_, row) => score(row));

describe("VUS-PR", () => {
  const windows: Windows = [[4, 5]];

  test("without a buffer is the average precision", () => {
    // Rows by score: 4 (in), 0 (out), 5 (in), then all others at once. Precision 1 at recall 1/2, 2/3 at recall 1.
    const scores = scoresOf(10, (row) => [0.8, 0, 0, 0, 0.9, 0.7][row] ?? 0);
    closeTo(vusPr([{ scores, windows }], 0), 1 / 2 + 1 / 3);
  });

  test("gives 1 to a detector that ranks the window first, and the share of the rows to one that says the same of all", () => {
    const perfect = scoresOf(10, (row) => (row === 4 || row === 5 ? 1 : 0));
    closeTo(vusPr([{ scores: perfect, windows }], 0), 1);
    closeTo(vusPr([{ scores: scoresOf(10, () => 0.5), windows }], 0), 0.2);
  });

  test("counts a row of the buffer in part", () => {
    // With a buffer of 2, row 3 counts as the root of 1/2. It alone is hit first; then the window; then the rest.
    const part = Math.SQRT1_2;
    const scores = scoresOf(10, (row) => (row === 3 ? 0.9 : row === 4 || row === 5 ? 0.8 : 0));
    const first = part / (2 + part / 2);
    const second = Math.min(1, (2 + part) / (2 + part / 2)) - first;
    const withBuffer = first * part + second * ((2 + part) / 3);
    // Buffers 0 and 1 reach no row: 2 rows of the window are found at a precision of 2/3.
    closeTo(vusPr([{ scores, windows }], 2), (2 / 3 + 2 / 3 + withBuffer) / 3);
  });

  test("takes from recall the share of windows that were not hit at all", () => {
    const two: Windows = [
      [2, 3],
      [7, 8],
    ];
    const scores = scoresOf(20, (row) => (row === 2 || row === 3 ? 1 : 0));
    // Half of the rows, in half of the windows: 1/4 at precision 1. All rows: the rest at 4/20.
    closeTo(vusPr([{ scores, windows: two }], 0), 1 / 4 + (3 / 4) * (4 / 20));
  });

  test("is the mean over the series that have windows", () => {
    const perfect = { scores: scoresOf(10, (row) => (row === 4 || row === 5 ? 1 : 0)), windows };
    const same = { scores: scoresOf(10, () => 0.5), windows };
    closeTo(vusPr([perfect, same, { scores: scoresOf(10, () => 1), windows: [] }], 0), 0.6);
  });

  test("agrees with the authors' implementation", () => {
    for (const [factor, modulus, offset, labels, ...expected] of authors) {
      const scores = scoresOf(60, (row) => ((row * row * factor + row * 3 + offset) % modulus) / modulus);
      for (const [index, buffer] of [0, 8, 20].entries()) {
        const volume = vusPr([{ scores, windows: labels }], buffer);
        closeTo(volume, expected[index] ?? Number.NaN, `${JSON.stringify(labels)}, buffer ${buffer}:`);
      }
    }
  });
});

const one: Windows = [[10, 14]];
/** Their buffers meet from a length of 10 on. */
const near: Windows = [
  [5, 9],
  [20, 24],
];
/** At both ends of the series, and with buffers that overlap. */
const three: Windows = [
  [0, 3],
  [13, 15],
  [50, 59],
];
/** `RangeAUC_volume_opt` of TSB-AD with as many thresholds as rows: how the scores are made, windows, buffers of 0, 8 and 20. */
const authors: readonly (readonly [number, number, number, Windows, number, number, number])[] = [
  [7, 31, 0, one, 0.1223606156, 0.155734212, 0.2659134955],
  [7, 31, 0, near, 0.1837328216, 0.2676755292, 0.3889962873],
  [7, 31, 0, three, 0.2657168855, 0.401348841, 0.5765295147],
  [13, 17, 1, one, 0.0886353235, 0.1604671093, 0.229655956],
  [13, 17, 1, near, 0.2283436569, 0.2756861184, 0.3867210474],
  [13, 17, 1, three, 0.2829630821, 0.3750510923, 0.508655928],
  [29, 101, 2, one, 0.1111511537, 0.1274469282, 0.1481490734],
  [29, 101, 2, near, 0.1476017385, 0.1901796786, 0.2729263586],
  [29, 101, 2, three, 0.2549994268, 0.3399920689, 0.44165483],
];
