import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import server from "../../bin/server-settings.json" with { type: "json" };
import { type CliResult, temporaryFolder } from "./run-cli.ts";

const bin = fileURLToPath(new URL("../../bin/eventpulse.js", import.meta.url));

function runNode(args: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return new Promise((resolve) => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const child = execFile(process.execPath, args, { env: { ...env, ...settings } }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

describe("bin/eventpulse.js", () => {
  test("says in one line what is needed when Node is too old, and ends with 1", async (context) => {
    const older = join(await temporaryFolder(context), "older.cjs");
    await writeFile(older, 'Object.defineProperty(process.versions, "node", { value: "20.19.1" });');
    const { code, stdout, stderr } = await runNode(["--require", older, bin, "dev"]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^eventpulse needs Node 24 or newer and this is Node 20\.19\.1: "npm install --save-dev node@24" .*\n$/,
    );
  });

  test("has no syntax that Node 12 cannot read", async () => {
    const source = await readFile(bin, "utf8");
    const [asIs, lowered] = await Promise.all(
      ["esnext", "node12.22"].map(async (target) => (await transform(source, { target, format: "cjs" })).code),
    );
    assert.equal(lowered, asIs);
    const modern = await transform("a ??= b?.c", { target: "node12.22" });
    assert.notEqual(modern.code.trim(), "a ??= b?.c;", "the comparison would have noticed");
  });

  test("runs a source checkout, hands on the exit code, and is silent about what EventPulse uses on purpose", async () => {
    const version = await runNode([bin, "version"]);
    assert.equal(version.code, 0, version.stderr);
    assert.equal(version.stderr, "");
    assert.equal(JSON.parse(version.stdout).node, process.versions.node);
    assert.equal((await runNode([bin, "no-such-command"])).code, 2);
    const doctor = await runNode([bin, "doctor", "--port", "0", "--json"]);
    assert.match(doctor.stdout, /SQLite/);
    assert.doesNotMatch(doctor.stderr, /ExperimentalWarning/);
  });

  test("gives a server its flags and its environment, in which the user's own setting wins, and other commands neither", async (context) => {
    const folder = await temporaryFolder(context);
    const seen = join(folder, "seen.json");
    const report = join(folder, "report.cjs");
    await writeFile(
      report,
      `if (process.argv[1] === ${JSON.stringify(bin)} && process.execArgv.some((flag) => flag.startsWith("--conditions")))
         require("node:fs").writeFileSync(${JSON.stringify(seen)}, JSON.stringify([process.execArgv, process.env]));`,
    );
    const ran = async (command: string) => {
      const own = { [Object.keys(environment)[0] ?? ""]: "262144" };
      await runNode(["--require", report, bin, command, "--config", join(folder, "missing.config.ts")], own);
      const [flags, env] = JSON.parse(await readFile(seen, "utf8")) as [string[], Record<string, string>];
      return {
        flags: server.flags.filter((flag) => flags.includes(flag)),
        settings: Object.keys(environment).map((name) => env[name]),
      };
    };
    const { environment } = server;
    const [, ...others] = Object.values(environment);
    assert.deepEqual(await ran("start"), { flags: server.flags, settings: ["262144", ...others] });
    assert.deepEqual(await ran("check"), { flags: [], settings: ["262144", ...others.map(() => undefined)] });
  });
});
