/** An orderly stop under load, and a disk that is full. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, unlinkSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LoadMaker, type Sent, send } from "./load.ts";
import { seededRandom } from "./random.ts";
import { serve } from "./served.ts";
import { balance, settled, verify } from "./verdict.ts";

const seed = Number(process.env["EVENTPULSE_SEED"] ?? Date.now() % 2 ** 31);

/** Sends until `until` says so; answers with all that was sent. */
async function load(url: string, maker: LoadMaker, sent: Sent[], until: () => boolean): Promise<void> {
  const client = async () => {
    while (!until()) {
      const request = maker.request();
      sent.push(request);
      await send(url, request);
      if (!request.acknowledged) await pause(20);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

test("SIGTERM under load answers what was taken, processes all of it and exits with 0", async () => {
  console.error(`SIGTERM: EVENTPULSE_SEED=${seed}`);
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-drain-"));
  try {
    const sent: Sent[] = [];
    const server = serve(directory);
    const url = await server.url;
    assert.ok(url !== null, server.log());
    let stopped = false;
    const clients = load(url, new LoadMaker(seededRandom(seed)), sent, () => stopped);
    await pause(1_500);
    const code = server.terminate();
    await pause(200);
    stopped = true;
    await clients;
    assert.equal(await code, 0, server.log());
    const second = serve(directory);
    const again = await second.url;
    assert.ok(again !== null, second.log());
    // Only events whose retries are due later may still be on their way.
    const { keyed, plain } = await balance(again);
    const retried = sent.flatMap(({ events }) => events).filter(({ fate }) => fate === "dead").length;
    assert.ok(keyed.inFlight + plain.inFlight <= retried, JSON.stringify({ keyed, plain }));
    await settled(again, 60);
    const tally = await verify(again, sent);
    console.error(`SIGTERM: ${JSON.stringify(tally)}`);
    assert.equal(await second.terminate(), 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a full disk stops acceptance with 503, keeps reads alive, and everything goes on when there is space", async () => {
  console.error(`full disk: EVENTPULSE_SEED=${seed}`);
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-full-"));
  // A disk of its own that can be filled without filling the machine's.
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", directory]);
  const data = join(directory, "data");
  mkdirSync(data);
  const server = serve(data);
  try {
    const url = await server.url;
    assert.ok(url !== null, server.log());
    const sent: Sent[] = [];
    const maker = new LoadMaker(seededRandom(seed));
    let phase: "before" | "full" | "after" | "done" = "before";
    const clients = load(url, maker, sent, () => phase === "done");
    await pause(1_000);
    await fillDisk(directory);
    phase = "full";
    await until(async () => (await fetch(`${url}/health/ready`)).status === 503);
    await pause(1_500);
    const refused = await fetch(`${url}/v1/streams/plain/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    assert.equal(((await refused.json()) as { code: string }).code, "NOT_DURABLE");
    assert.equal((await fetch(`${url}/v1/streams/plain/records`)).status, 200);
    unlinkSync(join(directory, "filler"));
    phase = "after";
    await until(async () => (await fetch(`${url}/health/ready`)).status === 200);
    const acknowledgedBefore = sent.filter(({ acknowledged }) => acknowledged).length;
    await pause(1_000);
    phase = "done";
    await clients;
    assert.ok(sent.filter(({ acknowledged }) => acknowledged).length > acknowledgedBefore, "accepts again");
    await settled(url, 60);
    console.error(`full disk: ${JSON.stringify(await verify(url, sent))}`);
    assert.equal(await server.terminate(), 0, server.log());
  } finally {
    await server.kill();
    execFileSync("umount", ["-l", directory]);
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Writes until not one more page fits. */
async function fillDisk(directory: string): Promise<void> {
  for (const bytes of [1024 * 1024, 4096]) {
    const chunk = Buffer.alloc(bytes, 1);
    while (statfsSync(directory).bavail > 0) {
      try {
        await appendFile(join(directory, "filler"), chunk);
      } catch {
        break;
      }
    }
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 100) {
    if (await condition()) return;
    await pause(100);
  }
  assert.fail("the condition did not come true in 20 s");
}
