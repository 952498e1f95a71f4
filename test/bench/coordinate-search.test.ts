import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { coordinateSearch } from "../../bench/anomaly/coordinate-search.ts";

const start = { x: 0, y: 0 };
const candidates = { x: [-1, 0, 1, 2, 3], y: [0, 1, 2, 3] };
/** Best at 2 and 2, where no first round comes. */
const worth = ({ x, y }: typeof start) => -((x - 2) ** 2) - 0.8 * (y - x) ** 2;

describe("the coordinate search", () => {
  test("finds the best of a slope on which the best of one number depends on the other", () => {
    const { chosen, steps } = coordinateSearch(start, candidates, worth, 10);
    assert.deepEqual(chosen, { x: 2, y: 2 });
    assert.deepEqual(steps[0], {
      name: "x",
      tried: [-1, 0, 1, 2, 3].map((x) => ({ value: x, worth: worth({ x, y: 0 }) })),
      chosen: 1,
    });
  });

  test("keeps what it begins with where nothing is worth more", () => {
    const { chosen, steps } = coordinateSearch(start, candidates, () => 1, 10);
    assert.equal(chosen, start);
    assert.equal(steps.length, 2, "one round");
  });

  test("ends after so many rounds", () => {
    const { chosen, steps } = coordinateSearch(start, candidates, worth, 1);
    assert.deepEqual(chosen, { x: 1, y: 1 });
    assert.equal(steps.length, 2);
  });
});
