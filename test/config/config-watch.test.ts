import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { watchConfig } from "../../src/config/watch.ts";
import { configFolder } from "./config-folder.ts";

/** Watches a config in a new folder and counts what is reported. */
async function watched(context: TestContext, onChange: () => Promise<void> = async () => {}) {
  const folder = await configFolder(context, { "c.ts": "export default 1;" });
  const file = join(folder, "c.ts");
  const state = { folder, file, changes: 0, errors: [] as unknown[] };
  const watch = watchConfig(
    file,
    () => {
      state.changes += 1;
      return onChange();
    },
    (error) => state.errors.push(error),
  );
  context.after(() => watch.close());
  return { state, watch };
}

/** Waits until so many changes are reported, then long enough that one too many would show. */
async function changes(state: { readonly changes: number }, count: number): Promise<void> {
  for (let waited = 0; state.changes < count && waited < 5000; waited += 20) await wait(20);
  await wait(300);
  assert.equal(state.changes, count);
}

test("several writes in a row are one change; another later is another", async (context) => {
  const { state } = await watched(context);
  for (const text of ["", "export", "export default 2;"]) await writeFile(state.file, text);
  await changes(state, 1);
  await writeFile(state.file, "export default 3;");
  await changes(state, 2);
});

test("a file that is replaced by renaming stays watched, also when it is away for a moment", async (context) => {
  const { state } = await watched(context);
  for (const round of [1, 2]) {
    await writeFile(`${state.file}~`, `export default ${round};`);
    await rename(`${state.file}~`, state.file);
    await changes(state, round);
  }
  await rm(state.file);
  await writeFile(state.file, "export default 9;");
  await changes(state, 3);
});

test("other source files of the folder count, data beside them does not", async (context) => {
  const { state } = await watched(context);
  await mkdir(join(state.folder, ".eventpulse"));
  await writeFile(join(state.folder, "notes.txt"), "x");
  await changes(state, 0);
  await writeFile(join(state.folder, "orders.ts"), "export const a = 1;");
  await changes(state, 1);
});

test("a change while the last one is still being taken over is reported after it, and never at the same time", async (context) => {
  let running = 0;
  let most = 0;
  const { state } = await watched(context, async () => {
    running += 1;
    most = Math.max(most, running);
    await wait(500);
    running -= 1;
  });
  await writeFile(state.file, "export default 2;");
  for (let waited = 0; state.changes < 1 && waited < 5000; waited += 20) await wait(20);
  await writeFile(state.file, "export default 3;");
  await changes(state, 2);
  assert.equal(most, 1);
});

test("what taking over rejects with goes to onError, and watching goes on", async (context) => {
  const { state } = await watched(context, () => Promise.reject(new Error("broken config")));
  await writeFile(state.file, "export default 2;");
  await changes(state, 1);
  assert.match(String(state.errors[0]), /broken config/);
  await writeFile(state.file, "export default 3;");
  await changes(state, 2);
});

test("nothing is reported after close", async (context) => {
  const { state, watch } = await watched(context);
  await writeFile(state.file, "export default 2;");
  watch.close();
  await wait(300);
  assert.equal(state.changes, 0);
});
