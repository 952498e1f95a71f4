import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { loadConfig } from "../../src/config/load.ts";
import { watchConfig } from "../../src/config/watch.ts";
import { EventPulseError } from "../../src/model/error.ts";
import { configFolder } from "./config-folder.ts";

const config = (recipes: string) => `
import { z } from "zod";
import { defineConfig, stream } from "eventpulse";
const orders = stream({ schema: z.object({ id: z.string() }) });
export default defineConfig({
  name: "shop", streams: { orders },
  recipes: ${recipes},
});
`;

async function folderWith(
  context: TestContext,
  recipes: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await configFolder(context, { "c.ts": config(recipes) });
  await mkdir(join(folder, "recipes"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "recipes", name), text);
  return folder;
}

async function problemsIn(folder: string): Promise<readonly string[]> {
  try {
    await loadConfig(join(folder, "c.ts"));
  } catch (error) {
    assert(error instanceof EventPulseError && error.code === "CONFIG_INVALID", String(error));
    return error.errors.map(({ detail }) => detail.replaceAll(`${folder}/`, ""));
  }
  return [];
}

const remove = '{"description":"Takes it away.","steps":[{"do":"remove","path":"/a"}]}';

test("a project has the functions of the config and the files beside it", async (context) => {
  const folder = await folderWith(context, "{ upper: (event) => event }", {
    "remove-a.json": remove,
    "notes.txt": "x",
  });
  await mkdir(join(folder, "recipes", "old.json"));
  const { recipes } = (await loadConfig(join(folder, "c.ts"))).project;
  assert.deepEqual([...recipes.keys()], ["upper", "remove-a"]);
  assert.deepEqual(recipes.get("remove-a"), {
    kind: "recipe",
    recipe: { name: "remove-a", description: "Takes it away.", steps: [{ do: "remove", path: "/a" }] },
  });
  const upper = recipes.get("upper");
  assert(upper?.kind === "function");
  assert.equal(upper.apply(5, { id: "", stream: "", code: "", errors: [] }), 5);
});

test("a config needs no recipes", async (context) => {
  const folder = await configFolder(context, { "c.ts": config("undefined") });
  assert.equal((await loadConfig(join(folder, "c.ts"))).project.recipes.size, 0);
});

test("all problems of recipes are listed with those of the config, each with its file", async (context) => {
  const folder = await folderWith(context, "{ fix: 5, 'a b': () => null, twice: () => null }", {
    "bad.json": '{"steps":[{"do":"set","path":"a"}],"more":1}',
    "broken.json": '{"steps":',
    "double.json": '{"steps":[],"steps":[]}',
    "deep.json": "[".repeat(100_000),
    "no name.json": remove,
    "twice.json": remove,
  });
  const found = await problemsIn(folder);
  const expected = [
    /^c\.ts:7: recipes\.a b: is not a name for a recipe; use a letter first/,
    /^c\.ts:7: recipes\.fix: must be a function \(event, failure\) => …, is a number\.$/,
    /^recipes\/bad\.json: \/more: is not known here/,
    /^recipes\/bad\.json: \/steps\/0\/path: must be a JSON Pointer/,
    /^recipes\/bad\.json: \/steps\/0\/value: is missing\.$/,
    /^recipes\/broken\.json: cannot be read as JSON: /,
    /^recipes\/deep\.json: cannot be read as JSON: it is nested too deeply\.$/,
    /^recipes\/double\.json: \/steps: this key comes twice/,
    /^recipes\/no name\.json: \/name: must be a letter/,
    /^recipes\/twice\.json: the config has a function "twice" in recipes already/,
  ];
  for (const pattern of expected)
    assert(
      found.some((text) => pattern.test(text)),
      `${pattern} in\n${found.join("\n")}`,
    );
  assert.equal(found.length, expected.length, found.join("\n"));
});

test("a recipe that is written, changed or taken away is a change of the config", async (context) => {
  const folder = await configFolder(context, { "c.ts": config("{}") });
  let changes = 0;
  const watch = watchConfig(join(folder, "c.ts"), () => {
    changes += 1;
  });
  context.after(() => watch.close());
  const changed = async (act: () => Promise<unknown>) => {
    const before = changes;
    await act();
    for (let waited = 0; changes === before && waited < 5000; waited += 20) await wait(20);
    // Several steps of one change may come apart; the next must not be taken for one of them.
    await wait(300);
    assert(changes > before);
  };
  const file = join(folder, "recipes", "fix.json");
  await changed(() => mkdir(join(folder, "recipes")));
  await changed(() => writeFile(file, remove));
  await changed(() => writeFile(file, `${remove}\n`));
  await changed(() => rm(join(folder, "recipes"), { recursive: true }));
  await changed(() => mkdir(join(folder, "recipes")));
  await changed(() => writeFile(file, remove));
});
