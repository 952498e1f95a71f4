import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { jsonLines, runCli, temporaryFolder } from "./run-cli.ts";

const quickstart = fileURLToPath(new URL("../../examples/quickstart/eventpulse.config.ts", import.meta.url));

describe("init", { concurrency: true }, () => {
  test("writes a project that check finds right", async (context) => {
    const folder = await temporaryFolder(context);
    const { code, stdout, stderr } = await runCli(["init", "My Démo"], { cwd: folder });
    assert.equal(code, 0, stderr);
    const created = ["eventpulse.config.ts", "package.json", ".gitignore", "README.md"];
    assert.deepEqual(jsonLines(stdout), [{ folder: join(folder, "My Démo"), created, kept: [] }]);
    assert.deepEqual((await readdir(join(folder, "My Démo"))).sort(), [...created].sort());
    assert.match(stderr, /Next: cd My Démo && npx eventpulse dev/);
    const manifest = JSON.parse(await readFile(join(folder, "My Démo", "package.json"), "utf8"));
    assert.equal(manifest.name, "my-d-mo");
    assert.equal(manifest.type, "module");
    assert.ok(manifest.dependencies.eventpulse && manifest.dependencies.zod);
    assert.equal(
      await readFile(join(folder, "My Démo", "eventpulse.config.ts"), "utf8"),
      await readFile(quickstart, "utf8"),
    );
    assert.match(await readFile(join(folder, "My Démo", ".gitignore"), "utf8"), /^\.eventpulse\/$/m);
    const checked = await runCli(["check", "--config", quickstart]);
    assert.equal(checked.code, 0, checked.stdout);
  });

  test("writes into the folder it is in, keeps what is there, and says so", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "package.json"), '{"name": "mine"}');
    await writeFile(join(folder, "README.md"), "mine");
    const { code, stdout, stderr } = await runCli(["init"], { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.deepEqual(jsonLines(stdout)[0]?.["kept"], ["package.json", "README.md"]);
    assert.equal(await readFile(join(folder, "package.json"), "utf8"), '{"name": "mine"}');
    assert.equal(await readFile(join(folder, "README.md"), "utf8"), "mine");
    assert.match(stderr, /Add "type": "module"/);
    assert.match(stderr, /Next: npx eventpulse dev/);
  });

  test("overwrites no config: it ends with 1 and leaves the folder as it was", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "eventpulse.config.ts"), "// mine\n");
    const { code, stdout, stderr } = await runCli(["init"], { cwd: folder });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /eventpulse\.config\.ts is there already and is not overwritten/);
    assert.deepEqual(await readdir(folder), ["eventpulse.config.ts"]);
    assert.equal(await readFile(join(folder, "eventpulse.config.ts"), "utf8"), "// mine\n");
  });

  test("ends with 1 when the folder cannot be made", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "file"), "");
    const { code, stderr } = await runCli(["init", join("file", "demo")], { cwd: folder });
    assert.equal(code, 1);
    assert.match(stderr, /cannot be written into file\/demo/);
  });
});
