import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import * as rfc6902 from "rfc6902";
import { EventPulseError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import type { PatchOperation } from "../../src/model/recipe.ts";
import { applyPatch, readPatch } from "../../src/pipeline/failures/apply-patch.ts";

function refusal(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    assert(error instanceof EventPulseError && error.code === "PATCH_INVALID", String(error));
    assert(error.errors.every(({ code }) => code === "PATCH_INVALID"));
    return error.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`);
  }
  return assert.fail("the patch is refused");
}

const parsed = (text: string): unknown => JSON.parse(text);

describe("applyPatch", () => {
  test("does what RFC 6902 says of each operation", () => {
    const data = { a: 1, list: [1, 2, 3], deep: { x: { y: "z" } }, "a/b": { "m~n": 8 } };
    const cases: readonly (readonly [PatchOperation, object])[] = [
      [{ op: "add", path: "/b", value: 2 }, { b: 2 }],
      [{ op: "add", path: "/list/1", value: 9 }, { list: [1, 9, 2, 3] }],
      [{ op: "add", path: "/list/-", value: 9 }, { list: [1, 2, 3, 9] }],
      [{ op: "replace", path: "/list/0", value: null }, { list: [null, 2, 3] }],
      [{ op: "remove", path: "/list/1" }, { list: [1, 3] }],
      [{ op: "move", from: "/list/0", path: "/list/2" }, { list: [2, 3, 1] }],
      [
        { op: "move", from: "/a", path: "/deep/a" },
        { a: undefined, deep: { x: { y: "z" }, a: 1 } },
      ],
      [{ op: "copy", from: "/deep/x", path: "/c" }, { c: { y: "z" } }],
      [{ op: "replace", path: "/a~1b/m~0n", value: 7 }, { "a/b": { "m~n": 7 } }],
      [{ op: "test", path: "/deep", value: { x: { y: "z" } } }, {}],
    ];
    for (const [operation, change] of cases) {
      const expected = JSON.parse(JSON.stringify({ ...data, ...change }));
      assert.deepEqual(applyPatch(data, [operation]), expected, JSON.stringify(operation));
    }
  });

  test("replaces the whole event, also one that could not be read", () => {
    assert.deepEqual(applyPatch(null, [{ op: "replace", path: "", value: { id: 1 } }]), { id: 1 });
    assert.deepEqual(
      refusal(() => applyPatch(null, [{ op: "add", path: "/id", value: 1 }])),
      ["/0: Operation 0 (add /id): nothing is there that could hold it."],
    );
  });

  test("names the first operation that does not apply, and why", () => {
    const bad: readonly (readonly [PatchOperation, RegExp])[] = [
      [{ op: "remove", path: "/b" }, /nothing is there/],
      [{ op: "remove", path: "" }, /whole event cannot be removed/],
      [{ op: "replace", path: "/list/01", value: 1 }, /nothing is there/],
      [{ op: "replace", path: "/list/length", value: 1 }, /nothing is there/],
      [{ op: "replace", path: "/toString", value: 1 }, /nothing is there/],
      [{ op: "add", path: "/list/9", value: 1 }, /nothing is there that could hold it/],
      [{ op: "add", path: "/a/b", value: 1 }, /nothing is there that could hold it/],
      [{ op: "copy", path: "/b", from: "/c" }, /nothing is at its "from", \/c/],
      [{ op: "move", path: "/deep/x/y", from: "/deep" }, /moved into itself/],
      [{ op: "test", path: "/a", value: "1" }, /another value is there/],
    ];
    for (const [operation, why] of bad) {
      const good: PatchOperation = { op: "add", path: "/new", value: 1 };
      const [said = "", ...more] = refusal(() => applyPatch({ a: 1, list: [1], deep: { x: {} } }, [good, operation]));
      assert.match(said, /^\/1: Operation 1 /);
      assert.match(said, why);
      assert.deepEqual(more, []);
    }
  });

  test("__proto__, constructor and their like are names of data and never reach a prototype", () => {
    for (const name of ["__proto__", "constructor", "prototype", "toString"]) {
      const patch = readPatch(
        parsed(`[{"op":"add","path":"/${name}","value":{"x":1}},{"op":"add","path":"/${name}/y","value":2}]`),
      );
      const result = applyPatch({ id: 1 }, patch);
      assert.equal(JSON.stringify(result), `{"id":1,"${name}":{"x":1,"y":2}}`);
      assert.equal(Object.getPrototypeOf(result), Object.prototype);
      assert.deepEqual(applyPatch(result, [{ op: "remove", path: `/${name}` }]), { id: 1 });
      refusal(() => applyPatch({ id: 1 }, [{ op: "add", path: `/${name}/polluted`, value: 1 }]));
    }
    assert.equal(Reflect.get({}, "polluted"), undefined);
    assert.equal(Reflect.get({}, "y"), undefined);
  });

  test("refuses a patch that is too long, and copies of copies that would fill the memory", () => {
    const one: PatchOperation = { op: "test", path: "/a", value: 1 };
    const most = new Array<PatchOperation>(limits.patchOperationsMax).fill(one);
    assert.deepEqual(applyPatch({ a: 1 }, most), { a: 1 });
    assert.match(refusal(() => applyPatch({ a: 1 }, [...most, one]))[0] ?? "", /1001 operations; the limit is 1000/);
    const doubling = Array.from({ length: 60 }, (_, n): PatchOperation => ({ op: "copy", from: "", path: `/n${n}` }));
    assert.match(refusal(() => applyPatch({ a: "x".repeat(100) }, doubling))[0] ?? "", /copies more than/);
  });

  const value = fc.jsonValue({ maxDepth: 4 }).map((json) => parsed(JSON.stringify(json)));

  test("a patch and then its inverse gives the event again, and neither changes what it was given", () => {
    fc.assert(
      fc.property(value, value, (before, after) => {
        const text = JSON.stringify([before, after]);
        // The package cannot patch a whole document: it is patched as a field here.
        const [there, back] = [
          rfc6902.createPatch({ e: before }, { e: after }),
          rfc6902.createPatch({ e: after }, { e: before }),
        ] as [PatchOperation[], PatchOperation[]];
        const patched = applyPatch({ e: before }, readPatch(there));
        assert.deepEqual(patched, { e: after });
        assert.deepEqual(applyPatch(patched, readPatch(back)), { e: before });
        assert.equal(JSON.stringify([before, after]), text);
      }),
    );
  });

  test("agrees with the package rfc6902 about any patch whose names are not those of prototypes", () => {
    const name = fc.constantFrom("a", "b", "0", "1", "-");
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
    const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.string());
    const operation = fc.oneof(
      fc.record({ op: fc.constantFrom("add" as const, "replace" as const), path, value: scalar }),
      fc.record({ op: fc.constant("remove" as const), path }),
      fc.record({ op: fc.constantFrom("move" as const, "copy" as const), path, from: path }),
    );
    const inner = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(name, scalar));
    const event = fc.dictionary(name, inner).map((data) => parsed(JSON.stringify(data)) as object);
    let applied = 0;
    fc.assert(
      fc.property(event, fc.array(operation, { maxLength: 3 }), (data, patch) => {
        const theirs = structuredClone(data);
        let ours: unknown;
        try {
          ours = applyPatch(data, patch);
        } catch {
          return;
        }
        applied++;
        // Whatever ours takes, the package takes, and comes to the same; it takes more than RFC 6901 allows.
        assert.deepEqual(
          rfc6902.applyPatch(theirs, patch).filter((problem) => problem !== null),
          [],
        );
        assert.deepEqual(ours, theirs);
      }),
      { numRuns: 2000 },
    );
    assert(applied > 200, `${applied} patches apply`);
  });
});

describe("readPatch", () => {
  test("takes operations and leaves out what RFC 6902 does not know", () => {
    const body = [
      { op: "add", path: "/a", value: null, note: "why", from: "/x" },
      { op: "move", path: "", from: "/a", value: 1 },
      { op: "remove", path: "/a", value: 1 },
    ];
    assert.deepEqual(readPatch(body), [
      { op: "add", path: "/a", value: null },
      { op: "move", path: "", from: "/a" },
      { op: "remove", path: "/a" },
    ]);
    assert.deepEqual(readPatch([]), []);
  });

  test("names everything that is wrong with each operation", () => {
    const body = [
      { op: "add", path: "a" },
      "remove",
      { op: "delete" },
      { op: "copy", path: "/a~2" },
      { op: "test", path: "" },
    ];
    assert.deepEqual(
      refusal(() => readPatch(body)).map((text) => text.split(":")[0]),
      ["/0/path", "/0/value", "/1", "/2/op", "/2/path", "/3/path", "/3/from", "/4/value"],
    );
    for (const body of [null, {}, "[]", 5])
      assert.match(refusal(() => readPatch(body))[0] ?? "", /^: A JSON Patch is an array/);
  });

  test("refuses values that JSON cannot keep: too deep, or a number beyond all doubles", () => {
    const deep = `${"[".repeat(70)}${"]".repeat(70)}`;
    const said = refusal(() =>
      readPatch(parsed(`[{"op":"add","path":"/a","value":${deep}},{"op":"add","path":"/a","value":[1e400]}]`)),
    );
    assert.deepEqual(said, ["/0/value: is nested too deeply", "/1/value: holds a number that is too large to be kept"]);
  });
});
