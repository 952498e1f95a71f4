import assert from "node:assert/strict";
import { once } from "node:events";
import { getPriority } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const file = new URL("../../../src/platforms/embedded/thread-priority.ts", import.meta.url).href;
/** Lowers its own priority twice, and tells what it was before and after each. */
const script = `
  import { readlinkSync } from "node:fs";
  import { getPriority } from "node:os";
  import { parentPort } from "node:worker_threads";
  import { lowerThreadPriority } from ${JSON.stringify(file)};
  const own = () => getPriority(process.platform === "linux" ? Number(readlinkSync("/proc/thread-self").split("/").at(-1)) : 0);
  const seen = [own()];
  for (const steps of [3, 40]) {
    lowerThreadPriority(steps);
    seen.push(own());
  }
  parentPort.postMessage(seen);
`;

test("a thread lowers its own priority by steps, and leaves that of the process alone", async () => {
  const before = getPriority();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`));
  const [seen] = (await once(worker, "message")) as [number[]];
  await worker.terminate();
  const expected = process.platform === "linux" ? [before, Math.min(19, before + 3), 19] : [before, before, before];
  assert.deepEqual(seen, expected);
  assert.equal(getPriority(), before);
});
