import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { replaceFile } from "../replace-file.ts";
import { type CliResult, endOf, jsonLines, runCli, spawnCli, temporaryFolder } from "./run-cli.ts";

const api = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);
const zod = JSON.stringify(import.meta.resolve("zod"));
const config = (name: string) => `import { defineConfig, http, stream } from ${api};
import { z } from ${zod};
const orders = stream({ schema: z.object({ id: z.string(), who: z.enum(["it's"]), at: z.iso.datetime() }), key: "id", time: "at" });
export default defineConfig({ name: "serve", streams: { ${name}: orders }, sources: [http()] });
`;

interface Served {
  readonly folder: string;
  /** The first line of stdout that has `field`, as soon as it is there. */
  line(field: string, value: unknown): Promise<Record<string, unknown>>;
  /** Waits until stderr has this text. */
  said(text: string): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<CliResult>;
}

/** `eventpulse dev` or `start` in a folder of its own, on a free port. */
async function serve(context: TestContext, command: "dev" | "start", ...args: string[]): Promise<Served> {
  const folder = await temporaryFolder(context);
  await writeFile(join(folder, "eventpulse.config.ts"), config("orders"));
  const child = spawnCli([command, "--port", "0", ...args], { cwd: folder });
  context.after(() => child.kill("SIGKILL"));
  const ended = endOf(child);
  let output = "";
  const waiting = new Set<() => void>();
  child.stdout.on("data", (text: string) => {
    output += text;
    for (const look of waiting) look();
  });
  const line: Served["line"] = (field, value) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const whole = output.slice(0, output.lastIndexOf("\n") + 1);
        const found = jsonLines(whole).find((one) => one[field] === value);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      ended.then(({ stderr }) => reject(new Error(`It ended before ${field} was ${value}: ${stderr}`)), reject);
    });
  let talk = "";
  const said: Served["said"] = (text) =>
    new Promise((resolve) => {
      child.stderr.on("data", (more: string) => {
        talk += more;
        if (talk.includes(text)) resolve();
      });
    });
  return { folder, line, said, signal: (signal) => child.kill(signal), ended };
}

describe("dev", { concurrency: true }, () => {
  test("says where it is, and its curl works as it is pasted", async (context) => {
    const { line, signal, ended } = await serve(context, "dev");
    const ready = await line("event", "ready");
    assert.match(String(ready["url"]), /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.deepEqual(ready["streams"], ["orders"]);
    assert.ok(String(ready["key"]).length >= 16);
    assert.equal(typeof ready["seconds"], "number");
    assert.equal((await fetch(`${ready["url"]}/health/ready`)).status, 200);
    const { stdout } = await promisify(execFile)("sh", ["-c", String(ready["curl"])]);
    const { accepted, invalidCount } = JSON.parse(stdout);
    assert.deepEqual({ accepted, invalidCount }, { accepted: 1, invalidCount: 0 });
    signal("SIGINT");
    assert.equal((await ended).code, 0);
  });

  test("is drawn for a person, with what to do next", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "eventpulse.config.ts"), config("orders"));
    const child = spawnCli(["dev", "--no-json", "--port", "0", "--memory"], { cwd: folder });
    context.after(() => child.kill("SIGKILL"));
    const ended = endOf(child);
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (text: string) => {
        if (text.includes("Next: ")) resolve();
      });
    });
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0);
    assert.match(stdout, /^✔ EventPulse \d+\.\d+\.\d+ is ready in \d+\.\d s\n/);
    assert.match(stdout, /\n {2}API {5}http:\/\/127\.0\.0\.1:\d+\/v1\n/);
    assert.match(stdout, /\n {2}Key {5}\S{16,}\n/);
    assert.match(stdout, /\n {2}Data {4}in memory only/);
    assert.match(stdout, /curl http:\/\/127\.0\.0\.1:\d+\/v1\/streams\/orders\/events \\\n/);
    assert.match(stderr, /Next: eventpulse query orders --url/);
    assert.match(stderr, /Taking no more events, finishing what was accepted\. Press Ctrl-C again/);
    assert.match(stderr, /Everything that was accepted is processed/);
    assert.deepEqual(await readdir(folder), ["eventpulse.config.ts"], "nothing is left of --memory");
  });

  test("takes over a changed config, and keeps the one before when the change is wrong", async (context) => {
    const { folder, line, signal, ended } = await serve(context, "dev");
    const { url } = await line("event", "ready");
    const streams = async () => {
      const { data } = (await (await fetch(`${url}/v1/streams`)).json()) as { data: { name: string }[] };
      return data.map(({ name }) => name);
    };
    const file = join(folder, "eventpulse.config.ts");
    await replaceFile(file, `${config("renamed")}\n`);
    assert.deepEqual((await line("event", "reloaded"))["streams"], ["renamed"]);
    assert.deepEqual(await streams(), ["renamed"]);
    await replaceFile(file, config("renamed").replace("schema:", "schema: ("));
    const failed = await line("event", "reload-failed");
    assert.equal(failed["code"], "CONFIG_INVALID");
    assert.match(JSON.stringify(failed["errors"]), /eventpulse\.config\.ts:3\b/);
    assert.deepEqual(await streams(), ["renamed"]);
    signal("SIGTERM");
    assert.equal((await ended).code, 0);
  });

  test("ends at once with 130 at a second Ctrl-C", async (context) => {
    const { line, said, signal, ended } = await serve(context, "dev");
    const { url } = await line("event", "ready");
    // A request that never ends holds the closing up for its grace of two seconds.
    const socket = createConnection(Number(new URL(String(url)).port), "127.0.0.1");
    context.after(() => socket.destroy());
    socket.on("error", () => undefined);
    socket.write("POST /v1/streams/orders/events HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n{");
    await wait(200);
    signal("SIGINT");
    signal("SIGINT");
    await said("Press Ctrl-C again to stop at once");
    await wait(400);
    signal("SIGINT");
    assert.equal((await ended).code, 130);
  });

  test("keeps what was accepted from one run to the next", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "eventpulse.config.ts"), config("orders"));
    for (const run of [1, 2]) {
      const child = spawnCli(["dev", "--json", "--port", "0"], { cwd: folder });
      context.after(() => child.kill("SIGKILL"));
      const ended = endOf(child);
      const url = await new Promise<string>((resolve) => {
        child.stdout.on("data", (text: string) => resolve(String(jsonLines(text)[0]?.["url"])));
      });
      const body = JSON.stringify({ id: `run-${run}`, who: "it's", at: "2026-01-01T00:00:00Z" });
      const headers = { "content-type": "application/json" };
      assert.equal((await fetch(`${url}/v1/streams/orders/events`, { method: "POST", headers, body })).status, 202);
      child.kill("SIGINT");
      assert.equal((await ended).code, 0);
      if (run === 1) continue;
      assert.ok((await readdir(join(folder, ".eventpulse"))).length > 0);
    }
    const child = spawnCli(["dev", "--json", "--port", "0"], { cwd: folder });
    context.after(() => child.kill("SIGKILL"));
    const ended = endOf(child);
    const url = await new Promise<string>((resolve) => {
      child.stdout.on("data", (text: string) => resolve(String(jsonLines(text)[0]?.["url"])));
    });
    const { stdout } = await runCli(["query", "orders", "--url", url]);
    const ids = jsonLines(stdout).map(({ eventId }) => eventId);
    assert.deepEqual(ids.sort(), ["run-1", "run-2"]);
    child.kill("SIGINT");
    await ended;
  });

  test("ends with 3 and the problems for a config that is wrong at the start", async (context) => {
    const folder = await temporaryFolder(context);
    await writeFile(join(folder, "eventpulse.config.ts"), config("BAD"));
    const { code, stdout, stderr } = await runCli(["dev", "--port", "0"], { cwd: folder });
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, /eventpulse\.config\.ts:4\b.*BAD/);
  });

  test("ends with 1 and a way out for a port that is taken and a folder that is in use", async (context) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { folder, line, signal, ended } = await serve(context, "dev");
    await line("event", "ready");
    const inUse = await runCli(["dev", "--port", "0"], { cwd: folder });
    assert.equal(inUse.code, 1);
    assert.match(inUse.stderr, /Another EventPulse uses this data folder.*--data DIR/);
    const taken = await runCli(["dev", "--memory", "--port", String(port)], { cwd: folder });
    server.close();
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /it is in use; choose another with --port N/);
    signal("SIGINT");
    await ended;
  });
});

describe("start", { concurrency: true }, () => {
  test("logs JSON lines without the key, does not reload, and drains at SIGTERM", async (context) => {
    const { folder, line, signal, ended } = await serve(context, "start");
    const ready = await line("msg", "ready");
    assert.equal(ready["level"], "info");
    assert.ok(!Number.isNaN(Date.parse(String(ready["time"]))));
    await replaceFile(join(folder, "eventpulse.config.ts"), config("renamed"));
    const { key } = JSON.parse(await readFile(join(folder, ".eventpulse", "secrets.json"), "utf8"));
    const { stdout: status } = await runCli(["status", "--url", String(ready["url"]), "--key", key]);
    assert.deepEqual(Object.keys(jsonLines(status)[0]?.["streams"] as object), ["orders"]);
    signal("SIGTERM");
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.deepEqual(
      jsonLines(stdout).map(({ msg }) => msg),
      ["ready", "closed"],
    );
    assert.ok(!stdout.includes(key));
  });

  test("lets each tenant in with its own key, which is not logged, and refuses one key for two", async (context) => {
    const [own, acme] = ["the-key-of-default", "the-key-of-acme--"];
    const keys = ["--key", own, "--tenant-keys"];
    const { folder, line, signal, ended } = await serve(context, "start", ...keys, `acme:${acme}`);
    const { url } = await line("msg", "ready");
    for (const [key, tenant] of [
      [own, "default"],
      [acme, "acme"],
    ] as const) {
      const answer = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${key}` } });
      assert.deepEqual(await answer.json(), { name: "key", tenant });
    }
    signal("SIGTERM");
    assert.ok(!(await ended).stdout.includes("the-key-of"));
    const { code, stderr } = await runCli(["start", "--port", "0", ...keys, `acme:${own}`], { cwd: folder });
    assert.equal(code, 2);
    assert.match(stderr, /Two tenants have the same key/);
    assert.ok(!stderr.includes(own));
  });

  test("logs nothing below its level", async (context) => {
    const { folder, signal, ended } = await serve(context, "start", "--log-level", "error");
    while (!(await readdir(folder)).includes(".eventpulse")) await wait(50);
    signal("SIGTERM");
    const { code, stdout } = await ended;
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
  });
});
