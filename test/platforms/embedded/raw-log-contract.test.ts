import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RawObject } from "../../../src/model/raw-object.ts";
import { EmbeddedRawLog } from "../../../src/platforms/embedded/raw-log.ts";
import { RawReader } from "../../../src/platforms/embedded/raw-reader.ts";
import { type RawLogHarness, rawLogContract } from "../../contracts/raw-log.ts";

rawLogContract(create);

async function create(): Promise<RawLogHarness> {
  const directory = await mkdtemp(join(tmpdir(), "eventpulse-raw-log-"));
  const openLog = () =>
    EmbeddedRawLog.open({
      directory,
      checkpoint: { segment: 0, offset: 0 },
      onDurable: () => undefined,
      onHealth: () => undefined,
    });
  let log = await openLog();
  const opened = [log];
  return {
    get log() {
      return log;
    },
    delivered: () => readAll(directory),
    async crash() {
      // The first log is left as it is: nothing of it is flushed or closed before the second reads the folder.
      log = await openLog();
      opened.push(log);
    },
    breakStore: () => breakFlush(() => log.problem),
    close: async () => {
      for (const one of opened) await one.close();
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function readAll(directory: string): Promise<readonly RawObject[]> {
  const reader = new RawReader(directory);
  const objects: RawObject[] = [];
  for (const name of (await readdir(directory)).sort()) {
    let position = { segment: Number.parseInt(name, 16), offset: 0 };
    for (let entry = reader.at(position, Number.POSITIVE_INFINITY); entry !== null; ) {
      if (entry.kind === "object") objects.push(entry.object);
      position = entry.next;
      entry = reader.at(position, Number.POSITIVE_INFINITY);
    }
  }
  reader.close();
  return objects;
}

/** Makes every flush of this process fail as a dying disk does: the last call is the only thing that is not real. */
async function breakFlush(problem: () => string | null): Promise<() => Promise<void>> {
  const probe = await open("/dev/null");
  const prototype = Object.getPrototypeOf(probe) as { datasync: () => Promise<void> };
  await probe.close();
  const real = prototype.datasync;
  prototype.datasync = () => Promise.reject(Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" }));
  return async () => {
    prototype.datasync = real;
    for (let waited = 0; problem() !== null && waited < 5_000; waited += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
}
