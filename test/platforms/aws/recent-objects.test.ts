import assert from "node:assert/strict";
import { test } from "node:test";
import { recentObjects } from "../../../src/platforms/aws/handlers/recent-objects.ts";
import { rawMeta } from "../../contracts/outcome-samples.ts";

function reading(bytes: number) {
  const asked: string[] = [];
  const read = recentObjects(async (key) => {
    asked.push(key);
    return key === "none" ? null : { key, meta: rawMeta(), body: new Uint8Array(bytes) };
  });
  return { asked, read };
}

test("reads an object once as long as it is kept, and one that is gone each time", async () => {
  const { asked, read } = reading(1_000);
  for (const key of ["a", "b", "a", "none", "none", "b"]) assert.equal((await read(key))?.key ?? "none", key);
  assert.deepEqual(asked, ["a", "b", "none", "none"]);
});

test("lets go of what was not asked for the longest, and keeps even an object that is larger than all it may keep", async () => {
  const { asked, read } = reading(10 * 1024 * 1024);
  for (const key of ["a", "b", "c", "a", "d", "a", "c", "b"]) await read(key);
  assert.deepEqual(asked, ["a", "b", "c", "d", "b"]);
  const large = reading(40 * 1024 * 1024);
  for (const key of ["a", "a", "b", "a"]) await large.read(key);
  assert.deepEqual(large.asked, ["a", "b", "a"]);
});
