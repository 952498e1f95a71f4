import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, type TestContext, test } from "node:test";
import { startEmbedded } from "../../src/platforms/embedded/main.ts";
import { signUploadLink } from "../../src/platforms/embedded/upload-link.ts";
import { startEmbeddedRunning } from "./embedded-platform.ts";
import { expectProblem, type FailureRow, httpCalls, type RecordRow } from "./running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const orders = stream({
  schema: z.object({ id: z.string(), total: z.number() }),
  key: "id",
  transform: (event) => {
    if (event.total === 666) process.kill(process.pid, "SIGKILL");
    return event;
  },
});
export default defineConfig({ name: "process", streams: { orders } });
`;

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-process-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `serve.ts` in a process of its own. `url`: null when it ended before it was ready. */
function serve(configFile: string, dataDirectory: string) {
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning"];
  const script = new URL("serve.ts", import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [...flags, script, configFile, dataDirectory]);
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const url = new Promise<string | null>((resolve) => {
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).once("line", (line) =>
        resolve((JSON.parse(line) as { url: string }).url),
      );
    void exited.then(() => resolve(null));
  });
  return { child, url, exited, stderr: () => stderr };
}

describe("the embedded process", { concurrency: 2 }, () => {
  test("a second process on the same data folder is refused with a reason, and the first goes on", async () => {
    const running = await startEmbeddedRunning(config);
    try {
      const second = serve(running.configFile, running.dataDirectory);
      assert.equal(await second.url, null);
      assert.notEqual((await second.exited)[0], 0);
      assert.match(second.stderr(), /SETTING_INVALID/);
      assert.match(second.stderr(), /Another EventPulse uses this data folder\. Stop it, or choose another folder/);
      await running.send("orders", { id: "a", total: 1 });
      await running.settled();
      assert.equal((await running.balance("orders")).stored, 1);
    } finally {
      await running.close();
    }
  });

  test("a port that is taken is refused with a reason, and leaves the data folder free", async (context) => {
    const folder = await temporaryFolder(context);
    const running = await startEmbeddedRunning(config);
    try {
      const options = { configFile: running.configFile, dataDirectory: join(folder, "data"), host: "127.0.0.1" };
      const port = Number(new URL(running.url).port);
      await assert.rejects(startEmbedded({ ...options, port }), { code: "SETTING_INVALID", message: /it is in use/ });
      const other = await startEmbedded({ ...options, port: 0 });
      await other.close();
    } finally {
      await running.close();
    }
  });

  test("memory only: nothing is left behind, and the data folder is never made", async (context) => {
    const folder = await temporaryFolder(context);
    const running = await startEmbeddedRunning(config, { memory: true, dataDirectory: join(folder, "data") });
    await running.send("orders", { id: "a", total: 1 });
    await running.settled();
    assert.equal((await running.list("/v1/streams/orders/records")).length, 1);
    assert.ok(existsSync(running.dataDirectory));
    await running.close();
    assert.ok(!existsSync(running.dataDirectory), "the temporary folder is gone");
    assert.ok(!existsSync(join(folder, "data")), "the data folder was not made");
  });

  test("what was kept is there after a restart, with the same key and the same balance", async (context) => {
    const folder = await temporaryFolder(context);
    const start = () => startEmbeddedRunning(config, { dataDirectory: join(folder, "data") });
    const first = await start();
    await first.send("orders", [
      { id: "a", total: 1 },
      { id: "b", total: "x" },
      { id: "c", total: 3 },
    ]);
    await first.settled();
    const [balance, records, key] = [
      await first.balance("orders"),
      await first.list("/v1/streams/orders/records"),
      first.key,
    ];
    await first.close();
    const second = await start();
    assert.equal(second.key, key);
    assert.deepEqual(await second.balance("orders"), balance);
    assert.deepEqual(await second.list("/v1/streams/orders/records"), records);
    await second.send("orders", [{ id: "a", total: 1 }]);
    await second.settled();
    assert.equal((await second.balance("orders")).duplicates, 1);
    await second.close();
  });

  test("a key is asked for where the server can be reached from elsewhere, and a wrong one is refused everywhere", async () => {
    for (const host of ["0.0.0.0", "127.0.0.1"]) {
      const running = await startEmbeddedRunning(config, { host });
      try {
        const plain = (path: string, headers: Record<string, string> = {}) =>
          fetch(`${running.url}${path}`, { headers });
        for (const path of ["/v1/streams", "/v1/balance", "/v1/failures", "/v1/live", "/v1/streams/orders/records"]) {
          if (host === "0.0.0.0") {
            const problem = await plain(path);
            assert.match(problem.headers.get("www-authenticate") ?? "", /^Bearer/);
            await expectProblem(problem, 401, "KEY_INVALID");
          } else if (path !== "/v1/live") assert.equal((await plain(path)).status, 200);
          for (const wrong of [
            "Bearer wrong",
            `Bearer ${running.key}x`,
            "Bearer ",
            `Basic ${running.key}`,
            running.key,
          ]) {
            await expectProblem(await plain(path, { authorization: wrong }), 401, "KEY_INVALID");
          }
        }
        const sent = await fetch(`${running.url}/v1/streams/orders/events`, {
          method: "POST",
          headers: { authorization: "Bearer wrong" },
          body: '{"id":"a","total":1}',
        });
        await expectProblem(sent, 401, "KEY_INVALID");
        assert.equal((await plain("/health/live")).status, 200);
        await running.send("orders", { id: "b", total: 1 });
        await running.settled();
        const records = await running.list<RecordRow>("/v1/streams/orders/records");
        assert.deepEqual(
          records.map(({ eventId }) => eventId),
          ["b"],
        );
      } finally {
        await running.close();
      }
    }
  });

  test("an upload link that has ended does nothing", async () => {
    const running = await startEmbeddedRunning(config);
    try {
      const body = '{"id":"a","total":1}';
      const asked = await running.request("/v1/uploads", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ stream: "orders", fileName: "a", contentType: "application/json", bytes: body.length }),
      });
      const link = (await asked.json()) as { url: string };
      // Links live for minutes: the same link is made with the server's own secret, ended a second ago.
      const secrets = JSON.parse(readFileSync(join(running.dataDirectory, "secrets.json"), "utf8")) as {
        linkSecret: string;
      };
      const key = new URL(link.url).searchParams.get("key") ?? "";
      const grant = { contentType: "application/json", bytes: body.length, sha256: null };
      const sign = (expiresAt: number) => signUploadLink(secrets.linkSecret, running.url, key, { ...grant, expiresAt });
      const put = ({ url, headers }: { url: string; headers: Readonly<Record<string, string>> }) =>
        fetch(url, { method: "PUT", headers, body });
      await expectProblem(await put(sign(Date.now() - 1000)), 403, "LINK_EXPIRED");
      assert.equal((await put(sign(Date.now() + 60_000))).status, 200);
    } finally {
      await running.close();
    }
  });

  test("a transform that kills the whole process is found at later starts, and its object set aside", async (context) => {
    const folder = await temporaryFolder(context);
    const configFile = join(folder, "eventpulse.config.ts");
    await writeFile(configFile, config);
    let starts = 0;
    let sent = false;
    for (; starts < 12; starts++) {
      const server = serve(configFile, join(folder, "data"));
      const url = await server.url;
      if (url !== null) {
        const calls = httpCalls(url);
        if (!sent) {
          await calls.send("orders", [{ id: "good", total: 1 }]);
          await calls.settled();
          await calls.send("orders", [{ id: "bad", total: 666 }]);
          sent = true;
        }
        const settled = calls.settled(10).then(
          () => true,
          () => false,
        );
        const alive = await Promise.race([settled, server.exited.then(() => false)]);
        if (alive) {
          const [failure] = await calls.list<FailureRow>("/v1/failures");
          assert.deepEqual([failure?.state, failure?.code], ["dead", "OBJECT_POISON"]);
          await calls.send("orders", [{ id: "later", total: 2 }]);
          await calls.settled();
          assert.equal((await calls.balance("orders")).stored, 2);
          server.child.kill("SIGTERM");
          assert.deepEqual(await server.exited, [0, null]);
          return;
        }
      }
      assert.deepEqual(await server.exited, [null, "SIGKILL"]);
    }
    assert.fail(`still crashing after ${starts} starts`);
  });
});
