import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { runCli, temporaryFolder } from "./run-cli.ts";

const config = `
import { defineConfig, env, http, stream } from "eventpulse";
import { z } from "zod";
export const orders = stream({ schema: z.object({ id: z.string(), total: z.number() }), key: "id" });
export default defineConfig({ name: env("SHOP", "shop"), streams: { orders }, sources: [http()] });
`;
const recipe = { steps: [{ do: "cast", path: "/total", to: "number" }] };

test("build writes a zip for each function, the same for the same input, and the document for API Gateway", async (context) => {
  const folder = await temporaryFolder(context);
  const file = join(folder, "eventpulse.config.ts");
  await writeFile(file, config);
  await mkdir(join(folder, "recipes"));
  await writeFile(join(folder, "recipes", "total-to-number.json"), JSON.stringify(recipe));
  const build = (out: string) => runCli(["build", "--config", file, "--out", join(folder, out), "--json"]);
  const [first, second] = [await build("one"), await build("two")];
  assert.deepEqual([first.code, second.code], [0, 0], first.stderr);
  const { functions } = JSON.parse(first.stdout) as { functions: { name: string; fits: boolean }[] };
  assert.deepEqual(
    functions.map(({ name, fits }) => [name, fits]),
    ["http", "process", "simulate", "dead-letters", "notify"].map((name) => [name, true]),
  );
  const [zip, again] = await Promise.all(["one", "two"].map((out) => readFile(join(folder, out, "http.zip"))));
  assert.ok(zip !== undefined && again?.equals(zip), "the same bytes");
  const api = JSON.parse(await readFile(join(folder, "one", "openapi.json"), "utf8")) as { openapi: string };
  assert.equal(api.openapi, "3.0.1");
  const code = unzipSync(zip)["index.mjs"] ?? new Uint8Array(0);
  assert.match(Buffer.from(code).toString(), /total-to-number/);
  await writeFile(join(folder, "index.mjs"), code);
  // Without its environment it must not start: the first variable that it misses is named.
  const started = import(pathToFileURL(join(folder, "index.mjs")).href);
  await assert.rejects(started, { code: "SETTING_INVALID", message: /EVENTPULSE_TABLE/ });
  // Node's fetch would be a tenth of a cold start.
  const script = `await import("./index.mjs").catch(() => undefined); console.log(process.moduleLoadList.join())`;
  const parameters = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: folder });
  assert.match(stdout, /NativeModule https\b/);
  assert.doesNotMatch(stdout, /undici/);
});

test("build ends with 3 when the config is not valid, and writes nothing", async (context) => {
  const folder = await temporaryFolder(context);
  const file = join(folder, "eventpulse.config.ts");
  await writeFile(file, "export default {};");
  const { code } = await runCli(["build", "--config", file, "--out", join(folder, "out")]);
  assert.equal(code, 3);
  await assert.rejects(readFile(join(folder, "out", "http.zip")), { code: "ENOENT" });
});
