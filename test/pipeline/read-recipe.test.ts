import assert from "node:assert/strict";
import { test } from "node:test";
import { EventPulseError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { patternCharactersMax, readRecipe } from "../../src/pipeline/failures/read-recipe.ts";

function problems(value: unknown, name = "fix"): readonly string[] {
  try {
    readRecipe(value, name);
  } catch (error) {
    assert(error instanceof EventPulseError && error.code === "RECIPE_INVALID", String(error));
    return error.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`);
  }
  return [];
}

test("reads a recipe with every kind of step, and reads what it has read", () => {
  const steps = [
    { do: "set", path: "/a", value: { b: 1 } },
    { do: "default", path: "/b", value: null, if: { path: "/a", exists: true } },
    {
      do: "remove",
      path: "/c",
      if: [
        { path: "/c", equals: null },
        { path: "/a", type: "object" },
      ],
    },
    { do: "rename", from: "/d", to: "/e" },
    { do: "cast", path: "/f", to: "timestamp" },
    { do: "replace", path: "/g", pattern: "^(\\d+)€$", with: "$1", if: { path: "/g", matches: "€" } },
  ];
  const recipe = readRecipe({ description: "Mends.", steps }, "fix");
  assert.deepEqual(recipe, { name: "fix", description: "Mends.", steps });
  assert.deepEqual(readRecipe(JSON.parse(JSON.stringify(recipe)), "fix"), recipe);
  assert.equal(readRecipe({ steps }, "fix").description, "");
});

test("lists all problems at once, each with its place in the recipe", () => {
  const steps = [
    { do: "delete", path: "/a" },
    { do: "set", path: "a", valeu: 1 },
    { do: "rename", from: "/a", to: "/a/b" },
    { do: "rename", from: "/a", to: "/a" },
    { do: "cast", path: "/a", to: "date" },
    { do: "replace", path: "/a", pattern: "(", with: 5 },
    { do: "replace", path: "/a", pattern: "(a)", with: "$1$2$$3" },
    { do: "remove", path: "" },
    { do: "remove", path: "/a", if: [{ path: "/a" }, { path: "/a", type: "date" }, 5] },
    { do: "remove", path: "/a", if: { path: "x", exists: 1, equals: {}, matches: "", "a/b": 1 } },
    "remove",
  ];
  const found = problems({ steps, descripton: "x", name: "other" }).map((text) => text.slice(0, text.indexOf(":")));
  assert.deepEqual(found, [
    "/descripton",
    "/name",
    "/steps/0/do",
    "/steps/1/valeu",
    "/steps/1/path",
    "/steps/1/value",
    "/steps/2/to",
    "/steps/3/to",
    "/steps/4/to",
    "/steps/5/pattern",
    "/steps/5/with",
    "/steps/6/with",
    "/steps/7/path",
    "/steps/8/if/0",
    "/steps/8/if/1/type",
    "/steps/8/if/2",
    "/steps/9/if/a~1b",
    "/steps/9/if/path",
    "/steps/9/if/exists",
    "/steps/9/if/equals",
    "/steps/9/if/matches",
    "/steps/10/do",
  ]);
});

test("refuses what is no recipe, one that is too long, and names that no file could have", () => {
  const step = { do: "remove", path: "/a" };
  for (const value of [null, [], "x", {}, { steps: [] }, { steps: {} }]) assert.equal(problems(value).length, 1);
  assert.match(problems({ steps: new Array(limits.patchOperationsMax + 1).fill(step) })[0] ?? "", /1 to 1000 steps/);
  for (const name of ["", "../etc", "a b", "__proto__"])
    assert.match(problems({ steps: [step] }, name)[0] ?? "", /^\/name/);
  const long = { do: "replace", path: "/a", pattern: "a".repeat(patternCharactersMax + 1), with: "" };
  assert.match(problems({ steps: [long] })[0] ?? "", /1 to 500 characters/);
});

test("refuses values that JSON cannot keep", () => {
  const deep = `{"steps":[{"do":"set","path":"/a","value":${"[".repeat(70)}${"]".repeat(70)}}]}`;
  assert.deepEqual(problems(JSON.parse(deep)), ["/steps/0/value: is nested too deeply"]);
  assert.deepEqual(problems(JSON.parse('{"steps":[{"do":"set","path":"/a","value":1e999}]}')), [
    "/steps/0/value: holds a number that is too large to be kept",
  ]);
});
