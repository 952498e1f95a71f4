import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TransformContext } from "../../src/model/definition.ts";
import { EventPulseError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { applyTransform, serialise } from "../../src/pipeline/process/transform.ts";

const context: TransformContext = {
  stream: "orders",
  tenant: "default",
  door: "http",
  receivedAt: 1_700_000_000_000,
  id: "a",
  attributes: {},
};

describe("applyTransform", () => {
  test("keeps the event of a stream without a transform", () => {
    const event = { id: "a" };
    const applied = applyTransform({ transform: null }, event, context);
    assert(!(applied instanceof Promise));
    assert.equal(applied.results[0], event);
  });

  test("drops on null and on undefined, spreads an array, keeps one object", () => {
    const results = [null, undefined, [], [{ a: 1 }, { a: 2 }], { a: 3 }].map((returned) =>
      applyTransform({ transform: () => returned }, {}, context),
    );
    assert.deepEqual(results, [
      { results: [] },
      { results: [] },
      { results: [] },
      { results: [{ a: 1 }, { a: 2 }] },
      { results: [{ a: 3 }] },
    ]);
  });

  test("hands the event and the context to the transform", () => {
    const transform = (event: unknown, given: TransformContext) => ({ event, door: given.door, id: given.id });
    assert.deepEqual(applyTransform({ transform }, { x: 1 }, context), {
      results: [{ event: { x: 1 }, door: "http", id: "a" }],
    });
  });

  test("waits for an asynchronous transform", async () => {
    const applied = applyTransform({ transform: async () => [{ a: 1 }, { a: 2 }] }, {}, context);
    assert(applied instanceof Promise);
    assert.deepEqual(await applied, { results: [{ a: 1 }, { a: 2 }] });
  });

  test("lets through what the transform throws or rejects with", async () => {
    const error = new TypeError("no rate for EUR");
    const thrower = () => {
      throw error;
    };
    assert.throws(() => applyTransform({ transform: thrower }, {}, context), error);
    await assert.rejects(async () => applyTransform({ transform: () => Promise.reject(error) }, {}, context), error);
  });
});

describe("serialise", () => {
  test("gives the JSON text of an object, keeps __proto__ as data and leaves undefined fields out", () => {
    const result = { a: 1, b: undefined, c: [null, "x"], d: { e: false }, at: new Date(0) };
    assert.equal(serialise(result), '{"a":1,"c":[null,"x"],"d":{"e":false},"at":"1970-01-01T00:00:00.000Z"}');
    assert.equal(serialise(JSON.parse('{"__proto__":{"x":1}}')), '{"__proto__":{"x":1}}');
  });

  const cyclic: Record<string, unknown> = { deep: { a: 1 } };
  cyclic["deep"] = { back: cyclic };
  let tooDeep: unknown = 1;
  for (let level = 0; level < 70; level += 1) tooDeep = { next: tooDeep };

  const refused: readonly (readonly [string, unknown, string, RegExp])[] = [
    ["a number", 5, "", /must be an object, is a number/],
    ["an array", [{}], "", /must be an object, is an array/],
    ["undefined", undefined, "", /must be an object, is undefined/],
    ["a function in a field", { run: () => 1 }, "/run", /function/],
    ["undefined in an array", { list: [1, undefined] }, "/list/1", /undefined/],
    ["a BigInt", { n: { big: 1n } }, "/n/big", /bigint.*Number\(value\)/],
    ["a symbol", { s: Symbol("x") }, "/s", /symbol/],
    ["NaN", { n: Number.NaN }, "/n", /NaN/],
    ["infinity", { "a/b": [Number.NEGATIVE_INFINITY] }, "/a~1b/0", /Infinity/],
    ["a Map", { m: new Map([[1, 2]]) }, "/m", /Map/],
    ["a Set", { m: new Set([1]) }, "/m", /Set/],
    ["an invalid Date", { at: new Date("no") }, "/at", /invalid Date/],
    ["a cycle", cyclic, "/deep/back", /cycle/],
    ["more than 64 levels", tooDeep, "/next".repeat(64), /deeper than 64/],
  ];
  for (const [what, result, pointer, words] of refused) {
    test(`refuses ${what} and says where`, () => {
      assert.throws(
        () => serialise(result),
        (error) => {
          assert(error instanceof EventPulseError);
          assert.equal(error.code, "TRANSFORM_RESULT_INVALID");
          assert.equal(error.errors[0]?.pointer, pointer);
          assert.match(error.message, words);
          return true;
        },
      );
    });
  }

  test("takes an object that is referred to twice without a cycle", () => {
    const shared = { a: 1 };
    assert.equal(serialise({ x: shared, y: [shared, shared] }), '{"x":{"a":1},"y":[{"a":1},{"a":1}]}');
  });

  test("refuses a result that is too large for a record, counted in bytes", () => {
    const around = '{"text":""}'.length;
    const euros = Math.floor((limits.recordBytesMax - around) / 3);
    assert.equal(Buffer.byteLength(serialise({ text: "\u20ac".repeat(euros) })) <= limits.recordBytesMax, true);
    assert.throws(() => serialise({ text: "\u20ac".repeat(euros + 1) }), { code: "TRANSFORM_RESULT_INVALID" });
    assert.doesNotThrow(() => serialise({ text: "x".repeat(limits.recordBytesMax - around) }));
    assert.throws(
      () => serialise({ text: "x".repeat(limits.recordBytesMax - around + 1) }),
      /as JSON, and a record holds 360448/,
    );
  });
});
