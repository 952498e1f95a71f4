import { randomInt } from "node:crypto";
import { once } from "node:events";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { RoundsDone, RoundsTask } from "./faults/run-rounds.ts";

const roundsMin = Number(process.env["TEST_ROUNDS"] ?? 200);
const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));

/** In a thread of its own, which has its own clock, randomness and environment, and none of the test runner's hooks. */
async function repeat(name: RoundsTask["name"]): Promise<void> {
  const startedAt = performance.now();
  const workerData: RoundsTask = { name, seed, roundsMin };
  // X-Ray's own tracking of what belongs to a call costs a fifth of the time, and no trace is sampled here.
  const env = { ...process.env, AWS_XRAY_MANUAL_MODE: "true" };
  const worker = new Worker(new URL("faults/run-rounds.ts", import.meta.url), { workerData, env });
  try {
    const [{ rounds, calls, combined, alone }] = (await once(worker, "message")) as [RoundsDone];
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${name}: seed ${seed}, ${rounds} rounds, ${calls} calls, ${seconds} s`);
    for (const [kind, count] of Object.entries(combined)) {
      console.log(`  ${kind}: met in ${count} rounds of several kinds, alone in ${alone[kind] ?? 0}`);
    }
  } catch (cause) {
    throw new Error(`${(cause as Error).message}\nRepeat with TEST_SEED=${seed}.`, { cause });
  } finally {
    await worker.terminate();
  }
}

describe("whatever goes wrong, nothing is lost and each thing happens once", { concurrency: true }, () => {
  test("while the table throttles, leaves writes out, and its answers get lost", () => repeat("table"));
  test("and exactly the messages that failed come again, whatever else is in their batch", () => repeat("messages"));
  test("when an invocation is cut off or throws, runs beside another, or its topic takes nothing", () =>
    repeat("calls"));
});
