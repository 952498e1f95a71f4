import assert from "node:assert/strict";
import { test } from "node:test";
import { DetectorCache } from "../../../src/platforms/embedded/detector-cache.ts";
import { only, outcome, tenant } from "../../contracts/outcome-samples.ts";

const germany = { rule: "spend", key: "DE" };

/** A cache over a store that counts how often it is asked. */
function cacheOver(falsePositives = 0) {
  const asked: string[] = [];
  const cache = new DetectorCache({
    loadStates: async (_tenant, keys) =>
      keys.map(({ rule, key }) => {
        asked.push(key);
        return { rule, key, version: 3, stateJson: '"stored"', falsePositives };
      }),
  });
  return { cache, asked };
}

test("a state is read once, and goes on from what was remembered", async () => {
  const { cache, asked } = cacheOver(2);
  const stored = only(await cache.loadStates(tenant, [germany]));
  assert.deepEqual(stored, { ...germany, version: 3, stateJson: '"stored"', falsePositives: 2 });
  cache.remember(outcome({ states: [{ ...germany, version: 3, stateJson: '"next"' }] }));
  const next = only(await cache.loadStates(tenant, [germany]));
  assert.deepEqual(next, { ...germany, version: 4, stateJson: '"next"', falsePositives: 2 });
  assert.deepEqual(asked, ["DE"]);
});

test("false positives count with the next outcome, also when an outcome is under way, and leave its state alone", async () => {
  const { cache } = cacheOver();
  const underWay = only(await cache.loadStates(tenant, [germany]));
  cache.noteFalsePositives(tenant, germany, 1);
  cache.remember(outcome({ states: [{ ...underWay, stateJson: '"next"' }] }));
  const next = only(await cache.loadStates(tenant, [germany]));
  assert.deepEqual(next, { ...germany, version: 4, stateJson: '"next"', falsePositives: 1 });
});

test("false positives of a series that is not in memory are read with its state", async () => {
  const { cache, asked } = cacheOver(5);
  cache.noteFalsePositives(tenant, germany, 5);
  assert.deepEqual(asked, []);
  assert.equal(only(await cache.loadStates(tenant, [germany])).falsePositives, 5);
});
