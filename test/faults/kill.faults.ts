/**
 * kill -9 at random points, under load and while starting. `EVENTPULSE_FAULT_CYCLES` (default 50), `EVENTPULSE_SEED`.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LoadMaker, type Sent, send } from "./load.ts";
import { seededRandom } from "./random.ts";
import { serve } from "./served.ts";
import { settled, verify } from "./verdict.ts";

const cycles = Number(process.env["EVENTPULSE_FAULT_CYCLES"] ?? 50);
const seed = Number(process.env["EVENTPULSE_SEED"] ?? Date.now() % 2 ** 31);
const connections = 8;

test(`nothing acknowledged is lost, nothing is there twice, the balance is exact after ${cycles} kill -9`, async () => {
  console.error(`kill -9: EVENTPULSE_SEED=${seed} EVENTPULSE_FAULT_CYCLES=${cycles}`);
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-kill-"));
  const random = seededRandom(seed);
  const maker = new LoadMaker(random);
  const sent: Sent[] = [];
  let killedWhileStarting = 0;
  let server = serve(directory);
  try {
    for (let cycle = 0; cycle < cycles; cycle++) {
      if (cycle > 0) server = serve(directory);
      const duringStart = random() < 0.2;
      if (duringStart) {
        killedWhileStarting++;
        await pause(random() * 500);
      } else {
        const url = await server.url;
        assert.ok(url !== null, `did not start in cycle ${cycle}: ${server.log()}`);
        await loadUntilKilled(url, random() * 500, maker, sent, random, server.kill);
      }
      await server.kill();
    }
    server = serve(directory);
    const url = await server.url;
    assert.ok(url !== null, server.log());
    await settled(url, 60);
    const tally = await verify(url, sent);
    assert.equal(await server.terminate(), 0);
    assert.ok(tally.acknowledged > cycles, "there was load");
    console.error(`kill -9: ${cycles} cycles, ${killedWhileStarting} while starting; ${JSON.stringify(tally)}`);
  } finally {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});

async function loadUntilKilled(
  url: string,
  millis: number,
  maker: LoadMaker,
  sent: Sent[],
  random: () => number,
  kill: () => Promise<void>,
): Promise<void> {
  let killed = false;
  const retried = sent
    .filter((request) => !request.acknowledged && (request.idempotencyKey !== null || request.stream === "keyed"))
    .slice(-20);
  const client = async () => {
    while (!killed) {
      // What a client does that got no answer: it sends the same again.
      const again = random() < 0.3 ? retried.pop() : undefined;
      const request = again ?? maker.request();
      if (again === undefined) sent.push(request);
      await send(url, request);
    }
  };
  const clients = Array.from({ length: connections }, client);
  await pause(millis);
  killed = true;
  await kill();
  await Promise.all(clients);
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
