import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { createProgram } from "../../src/cli/program.ts";
import { settings } from "../../src/config/settings.ts";
import { jsonLines, runCli, temporaryFolder } from "./run-cli.ts";
import { goodConfig, writeConfig } from "./written-config.ts";

const quickstart = fileURLToPath(new URL("../../examples/quickstart/eventpulse.config.ts", import.meta.url));
const commands = [
  ...[
    "init",
    "dev",
    "start",
    "doctor",
    "status",
    "send",
    "tail",
    "query",
    "failures",
    "issues",
    "anomalies",
    "detect",
    "replay",
    "jobs",
    "recipes",
    "audit",
    "check",
    "diff",
    "schema",
    "openapi",
    "cost",
    "version",
  ],
  ...["list", "show", "payload", "edit", "replay", "retry", "discard"].map((name) => `failures ${name}`),
  ...["list", "show", "acknowledge", "ignore", "resolve", "reopen", "edit"].map((name) => `issues ${name}`),
  ...["list", "show", "acknowledge", "false-positive", "reopen", "backtest"].map((name) => `anomalies ${name}`),
  ...["list", "show", "items", "watch", "pause", "resume", "cancel"].map((name) => `jobs ${name}`),
  ...["recipes list", "audit list", "audit verify"],
];
const groups = ["failures", "issues", "anomalies", "jobs", "recipes", "audit"];

/** Without which nothing else of a command is looked at. */
const neededOptions: Readonly<Record<string, readonly string[]>> = {
  replay: ["--stream", "orders", "--from", "2h", "--to", "now"],
  "anomalies backtest": ["--from", "2h"],
};

/** Runs a command in this process: a hundred of them as child processes would take a minute of a small machine. */
async function parse(args: readonly string[]) {
  const program = createProgram(false);
  let stdout = "";
  let stderr = "";
  const capture = (command: Command): void => {
    command.configureOutput({
      writeOut: (text) => {
        stdout += text;
      },
      writeErr: (text) => {
        stderr += text;
      },
    });
    command.commands.forEach(capture);
  };
  capture(program);
  const error = await program.parseAsync(args, { from: "user" }).then(
    () => null,
    (reason: unknown) => reason,
  );
  return { code: error === null ? 0 : exitCodeOf(error), stdout, stderr };
}

describe("every command", () => {
  for (const command of commands) {
    test(`${command} has a help that lists the exit codes`, async () => {
      const { code, stdout, stderr } = await parse([...command.split(" "), "--help"]);
      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.match(stdout, new RegExp(`Usage: eventpulse ${command}`));
      assert.match(stdout, /Exit codes:\n {2}0 {2}done\n {2}1 {2}failed/);
      assert.match(stdout, /\n {2}5 {2}unhealthy\n/);
      if (!groups.includes(command)) assert.match(stdout, /--json/);
    });

    test(`${command} ends with 2 and the next step when it is called with a flag that it does not know`, async () => {
      const needed = neededOptions[command] ?? [];
      const { code, stdout, stderr } = await parse([...command.split(" "), ...needed, "--nonsense"]);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, /unknown option '--nonsense'/);
      assert.match(stderr, new RegExp(`Next: eventpulse ${command} --help`));
    });
  }
});

describe("eventpulse", { concurrency: true }, () => {
  test("lists its commands and how to begin, and ends with 2 when it is not told what to do", async () => {
    const help = await runCli(["--help"]);
    assert.equal(help.code, 0);
    for (const command of commands) assert.match(help.stdout, new RegExp(`^ {2}${command.split(" ")[0]} `, "m"));
    assert.match(help.stdout, /eventpulse init demo && cd demo && eventpulse dev/);
    const bare = await runCli([]);
    assert.equal(bare.code, 2);
    assert.equal(bare.stdout, "");
    assert.match(bare.stderr, /Usage: eventpulse/);
  });

  test("suggests the command that was meant", async () => {
    const { code, stderr } = await runCli(["sned"]);
    assert.equal(code, 2);
    assert.match(stderr, /Did you mean send\?/);
  });

  test("gives errors as one line of JSON with --json, of usage too", async () => {
    for (const [args, expected] of [
      [["query", "--json"], { code: "USAGE", exitCode: 2 }],
      [["status", "--json", "--url", "http://127.0.0.1:1"], { code: "SERVER_UNREACHABLE", exitCode: 1 }],
      [["check", "--json", "--config", ""], { code: "SETTING_INVALID", exitCode: 2 }],
    ] as const) {
      const { code, stdout, stderr } = await runCli(args);
      assert.equal(stdout, "");
      const [line, ...others] = jsonLines(stderr);
      assert.deepEqual(others, []);
      const { error } = line as { error: Record<string, unknown> };
      assert.deepEqual({ code: error["code"], exitCode: error["exitCode"] }, expected);
      assert.equal(typeof error["message"], "string");
      assert.ok(Array.isArray(error["errors"]));
      assert.equal(code, expected.exitCode);
    }
  });

  test("says its version, alone with --version and with what a bug report needs with version", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    assert.equal((await runCli(["--version"])).stdout, `${version}\n`);
    const [line] = jsonLines((await runCli(["version"])).stdout);
    assert.equal(line?.["version"], version);
    assert.equal(line?.["node"], process.versions.node);
    const pretty = await runCli(["version", "--no-json"]);
    assert.match(
      pretty.stdout,
      new RegExp(`^eventpulse ${version} \\(Node ${process.versions.node}, SQLite [\\d.]+, `),
    );
  });

  test("has no colour off a terminal, and none with NO_COLOR", async () => {
    for (const env of [{}, { NO_COLOR: "1" }]) {
      const { stdout } = await runCli(["check", "--no-json", "--config", quickstart], { env });
      assert.ok(stdout.length > 0 && !stdout.includes("\u001b"));
    }
    const { stdout } = await runCli(["check", "--no-json", "--config", quickstart], { env: { FORCE_COLOR: "1" } });
    assert.ok(stdout.includes("\u001b[32m"), "the same with colour, where it is asked for");
  });
});

describe("settings", { concurrency: true }, () => {
  test("appear in the help of dev with default and environment name, as the table has them", async () => {
    const { stdout } = await runCli(["dev", "--help"]);
    const help = stdout.replaceAll(/\s+/g, " ");
    for (const { flags, description, environment } of Object.values(settings)) {
      assert.ok(help.includes(`${flags} ${description} (`), flags);
      assert.ok(help.includes(`env: ${environment})`), environment);
    }
    assert.ok(help.includes("(default: 8080, env: EVENTPULSE_PORT)"));
  });

  test("that are wrong end dev with 2, all of them named at once, before anything starts", async () => {
    const env = { EVENTPULSE_SMTP_URL: "http://user:secret@example.com", EVENTPULSE_PORT: "1" };
    const { code, stderr } = await runCli(["dev", "--port", "99999", "--log-level", "loud"], { env });
    assert.equal(code, 2);
    assert.match(stderr, /--port: "99999" is not a whole number from 0 to 65535/);
    assert.match(stderr, /--log-level: "loud" is not one of/);
    assert.match(stderr, /EVENTPULSE_SMTP_URL: its value is not/);
    assert.doesNotMatch(stderr, /secret/);
  });
});

describe("check", { concurrency: true }, () => {
  test("says that a config is right, and what is in it", async (context) => {
    const config = await writeConfig(await temporaryFolder(context), goodConfig);
    const { code, stdout, stderr } = await runCli(["check", "--config", config]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(jsonLines(stdout), [
      { valid: true, file: config, name: "shop", streams: ["orders"], message: null, errors: [] },
    ]);
    assert.match(stderr, /Next: eventpulse dev/);
  });

  test("lists all problems with file and line, and ends with 3", async (context) => {
    const body = `export default defineConfig({ name: "shop", streams: {
  orders: stream({ schema: z.object({ id: z.string() }),
    retention: "soon" }),
  BAD: stream({ schema: z.object({ id: z.string() }) }) } });\n`;
    const config = await writeConfig(await temporaryFolder(context), body);
    const { code, stdout } = await runCli(["check", "--config", config]);
    assert.equal(code, 3);
    const [result] = jsonLines(stdout);
    assert.equal(result?.["valid"], false);
    const details = (result?.["errors"] as { detail: string }[]).map(({ detail }) => detail);
    assert.ok(
      details.some((detail) => /eventpulse\.config\.ts:5\b.*soon/.test(detail)),
      details.join("\n"),
    );
    assert.ok(
      details.some((detail) => /eventpulse\.config\.ts:6\b.*BAD/.test(detail)),
      details.join("\n"),
    );
    const pretty = await runCli(["check", "--no-json", "--config", config]);
    for (const detail of details) assert.ok(pretty.stdout.includes(detail));
  });

  test("ends with 3 for a config that is not there", async (context) => {
    const { code, stdout } = await runCli(["check", "--config", join(await temporaryFolder(context), "none.ts")]);
    assert.equal(code, 3);
    assert.equal(jsonLines(stdout)[0]?.["valid"], false);
  });
});

describe("schema", { concurrency: true }, () => {
  test("prints the contract of one stream, or of all by name", async (context) => {
    const config = await writeConfig(await temporaryFolder(context), goodConfig);
    const one = await runCli(["schema", "orders", "--config", config]);
    assert.equal(one.code, 0, one.stderr);
    const schema = JSON.parse(one.stdout);
    assert.deepEqual(schema.properties, { id: { type: "string" }, total: { type: "number" } });
    assert.deepEqual(schema.required, ["id", "total"]);
    const all = await runCli(["schema", "--config", config, "--no-json"]);
    assert.deepEqual(JSON.parse(all.stdout), { orders: schema });
    assert.ok(all.stdout.includes("\n  "), "indented for a person");
  });

  test("ends with 2 and the streams there are when there is none of that name", async (context) => {
    const config = await writeConfig(await temporaryFolder(context), goodConfig);
    const { code, stdout, stderr } = await runCli(["schema", "order", "--config", config]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /has no stream "order"; it has orders/);
  });
});

describe("openapi", () => {
  test("prints the document without a server and without a config", async (context) => {
    const { code, stdout } = await runCli(["openapi"], { cwd: await temporaryFolder(context) });
    assert.equal(code, 0);
    const document = JSON.parse(stdout);
    assert.equal(document.openapi, "3.1.0");
    assert.equal(document.paths["/v1/streams/{stream}/events"].post.operationId, "sendEvents");
  });
});
