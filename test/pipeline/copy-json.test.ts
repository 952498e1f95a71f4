import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { copyJson } from "../../src/pipeline/process/copy-json.ts";

test("a copy is equal to its original and shares nothing with it, whatever the JSON", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const original: unknown = JSON.parse(text);
      const copy = copyJson(original);
      assert.deepEqual(copy, original);
      assert.equal(JSON.stringify(copy), JSON.stringify(original));
      assertApart(copy, original);
    }),
  );
});

test("a field named __proto__ is a field of the copy, and nobody's prototype", () => {
  const text = '{"__proto__":{"polluted":true},"a":[{"__proto__":1}],"constructor":2}';
  const copy = copyJson(JSON.parse(text) as Record<string, unknown>);
  assert.equal(JSON.stringify(copy), text);
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.equal(copy["polluted"], undefined);
});

function assertApart(copy: unknown, original: unknown): void {
  if (typeof copy !== "object" || copy === null) return;
  assert.notEqual(copy, original);
  for (const [name, member] of Object.entries(copy)) assertApart(member, Reflect.get(original as object, name));
}
