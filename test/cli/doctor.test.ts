import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startMailServer } from "../platforms/embedded/mail-server.ts";
import { jsonLines, runCli } from "./run-cli.ts";
import { goodConfig, writeConfig } from "./written-config.ts";

describe("doctor", { concurrency: true }, () => {
  let config = "";
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "eventpulse-doctor-"));
    config = await writeConfig(folder, goodConfig);
  });
  after(() => rm(folder, { recursive: true }));
  const doctor = async (...args: string[]) => {
    const { code, stdout } = await runCli([
      "doctor",
      "--config",
      config,
      "--data",
      join(folder, "data"),
      "--port",
      "0",
      ...args,
    ]);
    const [result] = jsonLines(stdout);
    const checks = result?.["checks"] as { name: string; ok: boolean; detail: string; fix: string | null }[];
    assert.deepEqual(
      checks.map(({ name }) => name),
      ["node", "config", "port", "disk", "data", "mail", "clock"],
    );
    assert.equal(
      result?.["healthy"],
      checks.every(({ ok }) => ok),
    );
    assert.ok(
      checks.every(({ ok, fix }) => ok === (fix === null)),
      "what fails says what mends it",
    );
    return { code, failing: checks.filter(({ ok }) => !ok) };
  };

  test("ends with 0 on a machine that is right, and leaves nothing behind", async () => {
    // A folder of its own: the other doctors of this file are at work in the shared one at the same time.
    const own = join(folder, "untouched");
    await mkdir(own);
    assert.deepEqual(await doctor("--data", join(own, "data")), { code: 0, failing: [] });
    assert.deepEqual(await readdir(own), [], "neither the data folder nor a probe is there");
  });

  test("ends with 5 and the mending line for a config that is missing or wrong", async () => {
    const { code, failing } = await doctor("--config", join(folder, "none.ts"));
    assert.equal(code, 5);
    assert.deepEqual(
      failing.map(({ name, fix }) => [name, fix]),
      [["config", "eventpulse init"]],
    );
  });

  test("knows a port that is taken by something else", async () => {
    const server = createServer((socket) => socket.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { code, failing } = await doctor("--port", String(port));
    server.close();
    assert.equal(code, 5);
    assert.match(failing[0]?.detail ?? "", /in use by something else/);
  });

  test("knows a data folder that cannot be written", async () => {
    const { failing } = await doctor("--data", "/proc/eventpulse");
    assert.ok(failing.some(({ name }) => name === "data"));
  });

  test("asks the mail server, and never prints its password", async () => {
    const server = await startMailServer();
    assert.deepEqual(await doctor("--smtp-url", server.url), { code: 0, failing: [] });
    await server.close();
    const { code, failing } = await doctor("--smtp-url", server.url.replace("//", "//user:secret@"));
    assert.equal(code, 5);
    assert.deepEqual(
      failing.map(({ name }) => name),
      ["mail"],
    );
    assert.doesNotMatch(JSON.stringify(failing), /secret/);
  });

  test("shows a person a line for each check and the next command", async () => {
    const { stdout, stderr } = await runCli([
      "doctor",
      "--no-json",
      "--config",
      config,
      "--data",
      folder,
      "--port",
      "0",
    ]);
    assert.match(stdout, /^✔ node {4}Node 2\d/);
    assert.equal(stdout.trimEnd().split("\n").length, 7);
    assert.match(stderr, /Next: eventpulse dev/);
  });
});
