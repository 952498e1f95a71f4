import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EventPulseError } from "../../src/model/error.ts";
import type { ProjectRecipe, RecipeFunction, RecipeStep } from "../../src/model/recipe.ts";
import {
  applyRecipe,
  mendingFunction,
  patternTextCharactersMax,
  prepareRecipe,
} from "../../src/pipeline/failures/apply-recipe.ts";
import { readRecipe } from "../../src/pipeline/failures/read-recipe.ts";
import { projectOf } from "./project-of.ts";

const recipe = (...steps: readonly RecipeStep[]) => readRecipe({ steps }, "fix");
const applied = (data: unknown, ...steps: readonly RecipeStep[]) => applyRecipe(prepareRecipe(recipe(...steps)), data);

function refusal(act: () => unknown): EventPulseError {
  try {
    act();
  } catch (error) {
    assert(error instanceof EventPulseError && error.code === "RECIPE_FAILED", String(error));
    return error;
  }
  return assert.fail("the recipe fails");
}

describe("steps", () => {
  test("set and default make what is missing above them; default leaves what is there", () => {
    assert.deepEqual(applied({}, { do: "set", path: "/a/b/c", value: [1] }), { a: { b: { c: [1] } } });
    assert.deepEqual(applied({ a: null }, { do: "default", path: "/a/b", value: 1 }), { a: { b: 1 } });
    assert.deepEqual(
      applied({ a: 0, b: null }, { do: "default", path: "/a", value: 1 }, { do: "default", path: "/b", value: 2 }),
      {
        a: 0,
        b: 2,
      },
    );
    assert.deepEqual(
      applied({ list: [1, 2] }, { do: "set", path: "/list/0", value: 9 }, { do: "set", path: "/list/-", value: 3 }),
      {
        list: [9, 2, 3],
      },
    );
    assert.deepEqual(applied(5, { do: "set", path: "", value: { a: 1 } }), { a: 1 });
  });

  test("remove and rename leave alone what is not there; rename makes what is missing above its target", () => {
    assert.deepEqual(applied({ a: 1, b: 2 }, { do: "remove", path: "/a" }, { do: "remove", path: "/x/y" }), { b: 2 });
    assert.deepEqual(applied({ list: [1, 2, 3] }, { do: "remove", path: "/list/1" }), { list: [1, 3] });
    assert.deepEqual(applied({ a: 1 }, { do: "rename", from: "/a", to: "/order/total" }), { order: { total: 1 } });
    assert.deepEqual(applied({ a: 1 }, { do: "rename", from: "/x", to: "/a" }), { a: 1 });
    assert.deepEqual(applied({ data: { id: 1 }, kind: "x" }, { do: "rename", from: "/data", to: "" }), { id: 1 });
  });

  test("cast reads scalars, and fails on what it would have to guess", () => {
    const good: readonly (readonly [unknown, "number" | "string" | "boolean" | "timestamp", unknown])[] = [
      [" 7.50 ", "number", 7.5],
      ["-1e3", "number", -1000],
      [true, "number", 1],
      [7, "number", 7],
      [7.5, "string", "7.5"],
      [false, "string", "false"],
      ["TRUE", "boolean", true],
      [0, "boolean", false],
      [1_769_860_800_000, "timestamp", "2026-01-31T12:00:00.000Z"],
      ["1769860800000", "timestamp", "2026-01-31T12:00:00.000Z"],
      ["2026-01-31T13:00:00+01:00", "timestamp", "2026-01-31T12:00:00.000Z"],
      ["2026-01-31 12:00", "timestamp", "2026-01-31T12:00:00.000Z"],
      ["2026-01-31T12:00:00.5", "timestamp", "2026-01-31T12:00:00.500Z"],
      ["2026-01-31", "timestamp", "2026-01-31T00:00:00.000Z"],
      ["Sat, 31 Jan 2026 12:00:00 GMT", "timestamp", "2026-01-31T12:00:00.000Z"],
    ];
    for (const [from, to, expected] of good)
      assert.deepEqual(applied({ v: from }, { do: "cast", path: "/v", to }), { v: expected }, `${from} to ${to}`);
    const bad: readonly (readonly [unknown, "number" | "string" | "boolean" | "timestamp"])[] = [
      ["seven", "number"],
      ["", "number"],
      ["0x10", "number"],
      ["1,5", "number"],
      ["1e999", "number"],
      ["9".repeat(400), "number"],
      ["9007199254740993", "number"],
      [null, "string"],
      [{}, "string"],
      ["yes", "boolean"],
      [2, "boolean"],
      ["order 5", "timestamp"],
      ["someday", "timestamp"],
      [true, "timestamp"],
      [1e17, "timestamp"],
    ];
    for (const [from, to] of bad) {
      const { errors, message } = refusal(() => applied({ v: from }, { do: "cast", path: "/v", to }));
      assert.equal(errors[0]?.pointer, "/v");
      assert.match(
        message,
        new RegExp(`^Step 1 of the recipe "fix" \\(cast /v\\): .* cannot be read as a ${to}`),
        String(from),
      );
    }
    assert.deepEqual(applied({}, { do: "cast", path: "/v", to: "number" }), {});
  });

  test("a text without a zone is the same time on every machine", () => {
    const zone = process.env["TZ"];
    try {
      for (const other of ["America/New_York", "Asia/Tokyo"]) {
        process.env["TZ"] = other;
        assert.deepEqual(applied({ v: "1 Feb 2026 10:00" }, { do: "cast", path: "/v", to: "timestamp" }), {
          v: "2026-02-01T10:00:00.000Z",
        });
      }
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("replace rewrites all matches in a text, with groups", () => {
    const step = { do: "replace", path: "/v", pattern: "(\\d+),(\\d+)", with: "$1.$2 $$ $&" } as const;
    assert.deepEqual(applied({ v: "1,50 and 2,5" }, step), { v: "1.50 $ $& and 2.5 $ $&" });
    assert.deepEqual(applied({ v: 5 }, step), { v: 5 });
    assert.deepEqual(applied({ v: "aé😀" }, { do: "replace", path: "/v", pattern: ".", with: "x" }), { v: "xxx" });
  });

  test("a pattern is not applied to more text than it may be, and its result stays an event", () => {
    const long = { v: "a".repeat(patternTextCharactersMax + 1) };
    const step = { do: "replace", path: "/v", pattern: "a", with: "b" } as const;
    assert.match(refusal(() => applied(long, step)).message, /at most 10000 characters/);
    assert.match(
      refusal(() => applied(long, { do: "remove", path: "/v", if: { path: "/v", matches: "b" } })).message,
      /10000/,
    );
    const growing = { ...step, with: "b".repeat(1000) };
    assert.match(refusal(() => applied({ v: "a".repeat(1000) }, growing)).message, /larger than an event may be/);
  });

  test("never writes over what is there, or through a scalar", () => {
    const taken = refusal(() =>
      applied({ a: 1, b: 2 }, { do: "remove", path: "/c" }, { do: "rename", from: "/a", to: "/b" }),
    );
    assert.match(taken.message, /^Step 2 of the recipe "fix" \(rename \/a\): a value is at \/b already/);
    assert.equal(taken.errors[0]?.pointer, "/b");
    for (const data of [{ a: 1 }, { a: "x" }, { a: [] }, null, "x"])
      assert.match(
        refusal(() => applied(data, { do: "set", path: "/a/b", value: 1 })).message,
        /can hold no such value/,
      );
  });

  test("__proto__ and constructor are data", () => {
    for (const name of ["__proto__", "constructor"]) {
      const result = applied(
        {},
        { do: "set", path: `/${name}/polluted`, value: 1 },
        { do: "rename", from: `/${name}`, to: "/a" },
      );
      assert.equal(JSON.stringify(result), '{"a":{"polluted":1}}');
      const kept = applied({ a: 1 }, { do: "rename", from: "/a", to: `/${name}` });
      assert.equal(JSON.stringify(kept), `{"${name}":1}`);
    }
    assert.equal(Reflect.get({}, "polluted"), undefined);
  });
});

test("a step applies when every condition holds", () => {
  const when = (condition: RecipeStep["if"], data: unknown) =>
    (
      applied(data, {
        do: "set",
        path: "/done",
        value: true,
        ...(condition === undefined ? {} : { if: condition }),
      }) as { done?: true }
    ).done === true;
  const data = { a: "DE-5", n: 5, z: null, list: [] };
  const cases: readonly (readonly [NonNullable<RecipeStep["if"]>, boolean])[] = [
    [{ path: "/a", exists: true }, true],
    [{ path: "/b", exists: true }, false],
    [{ path: "/b", exists: false }, true],
    [{ path: "/z", equals: null }, true],
    [{ path: "/b", equals: null }, false],
    [{ path: "/n", equals: "5" }, false],
    [{ path: "/a", matches: "^DE-\\d$" }, true],
    [{ path: "/n", matches: "5" }, false],
    [{ path: "/list", type: "array" }, true],
    [{ path: "/z", type: "object" }, false],
    [{ path: "/a", type: "string", matches: "FR" }, false],
    [
      [
        { path: "/a", exists: true },
        { path: "/n", equals: 5 },
      ],
      true,
    ],
    [
      [
        { path: "/a", exists: true },
        { path: "/n", equals: 6 },
      ],
      false,
    ],
    [[], true],
  ];
  for (const [condition, expected] of cases) assert.equal(when(condition, data), expected, JSON.stringify(condition));
});

test("a recipe never changes its input, and gives the same for the same", () => {
  const path = fc
    .array(fc.constantFrom("a", "b", "0", "-", "__proto__"), { maxLength: 3 })
    .map((parts) => parts.map((part) => `/${part}`).join(""));
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const data = fc
    .dictionary(fc.constantFrom("a", "b", "__proto__"), json)
    .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("set" as const, "default" as const), path, value: json }),
    fc.record({ do: fc.constant("remove" as const), path }),
    fc.record({ do: fc.constant("rename" as const), from: path, to: path }),
    fc.record({ do: fc.constant("cast" as const), path, to: fc.constantFrom("number" as const, "string" as const) }),
    fc.record({ do: fc.constant("replace" as const), path, pattern: fc.constant("."), with: fc.constant("xy") }),
  );
  let changed = 0;
  fc.assert(
    fc.property(data, fc.array(step, { minLength: 1, maxLength: 4 }), (event, steps) => {
      const before = JSON.stringify(event);
      const run = () => {
        try {
          return JSON.stringify(applyRecipe(prepareRecipe(readRecipe({ steps }, "fix")), event));
        } catch (error) {
          // Nothing but our own refusals, whatever the recipe.
          assert(error instanceof EventPulseError, String(error));
          return error.message;
        }
      };
      const first = run();
      assert.equal(JSON.stringify(event), before);
      assert.equal(run(), first);
      if (first !== before && !first.startsWith("The recipe") && !first.startsWith("Step")) changed++;
    }),
    { numRuns: 1000 },
  );
  assert(changed > 100, `${changed} recipes change something`);
});

describe("mendingFunction", () => {
  const failure = { id: "fail_1", stream: "orders", code: "CONTRACT_BROKEN", errors: [] };
  const projectWith = (recipes: readonly ProjectRecipe[]) =>
    projectOf({ recipes: new Map(recipes.map((one) => [one.kind === "recipe" ? one.recipe.name : one.name, one])) });
  const mending = (apply: RecipeFunction) => {
    const project = projectWith([{ kind: "function", name: "fix", apply }]);
    return mendingFunction({ kind: "function", name: "fix" }, project) ?? assert.fail();
  };

  test("is nothing without a mending, and a recipe that was frozen needs no config", async () => {
    assert.equal(mendingFunction(null, projectWith([])), null);
    const frozen = recipe({ do: "set", path: "/a", value: 1 });
    const mend = mendingFunction({ kind: "recipe", recipe: frozen }, projectWith([])) ?? assert.fail();
    assert.deepEqual(await mend({}, () => assert.fail("a recipe of steps need not know the failure")), { a: 1 });
  });

  test("calls a function of the config with an event of its own and what is known of the failure", async () => {
    const event = { n: { m: 1 } };
    const mend = mending((given, known) => {
      (given as typeof event).n.m = 2;
      return Promise.resolve({ given, known, at: new Date(0), gone: undefined });
    });
    const result = await mend(event, () => ({ ...failure, tenant: "acme" }));
    assert.deepEqual(result, { given: { n: { m: 2 } }, known: failure, at: "1970-01-01T00:00:00.000Z" });
    assert.deepEqual(event, { n: { m: 1 } });
  });

  test("fails for a function that throws, returns null or what is no event", async () => {
    const cases: readonly (readonly [RecipeFunction, RegExp])[] = [
      [() => null, /cannot mend this event/],
      [() => undefined, /cannot mend this event/],
      [() => assert.fail("no idea\nsecond line"), /"fix" threw: AssertionError.*no idea$/],
      [() => Promise.reject(new Error("late")), /threw: Error: late/],
      [() => 5, /returned no event: must be an object/],
      [() => ({ n: Number.NaN }), /returned no event: \/n is NaN/],
      [() => ({ n: 5n }), /returned no event: \/n/],
    ];
    for (const [apply, message] of cases) {
      await assert.rejects(async () => mending(apply)({}, () => failure), { code: "RECIPE_FAILED", message });
    }
    const gone = mending(() => assert.fail("must not be called"))({}, () => null);
    await assert.rejects(async () => gone, { code: "RECIPE_FAILED", message: /retention has removed the failure/ });
  });

  test("refuses a function that the config does not have, or has as a recipe of steps", () => {
    const mend = { kind: "function", name: "fix" } as const;
    const steps: ProjectRecipe = { kind: "recipe", recipe: recipe({ do: "remove", path: "/a" }) };
    for (const project of [projectWith([]), projectWith([steps])])
      assert.throws(() => mendingFunction(mend, project), { code: "RECIPE_UNKNOWN", message: /no function "fix"/ });
  });
});
