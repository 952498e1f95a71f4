import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../../../src/model/limits.ts";
import { openDatabase } from "../../../src/platforms/embedded/database.ts";
import { sqliteWorkQueue } from "../../../src/platforms/embedded/work-queue.ts";

test("what a receiver took before it crashed comes again at once, and is a dead letter when that happens too often", async () => {
  const directory = mkdtempSync(join(tmpdir(), "eventpulse-queue-"));
  const database = openDatabase(join(directory, "queue.db"), { mode: "write" });
  try {
    let now = 1_000_000;
    const work = { kind: "event", tenant: "default", stream: "orders", rawKey: "raw/a", index: 0, attempt: 2 } as const;
    const later = { ...work, index: 1 };
    sqliteWorkQueue(database, () => now).enqueueSync([work]);
    sqliteWorkQueue(database, () => now).enqueueSync([later], 60_000);
    for (let crash = 0; crash < limits.attemptsMax; crash++) {
      const queue = sqliteWorkQueue(database, () => now);
      queue.recover();
      assert.deepEqual(
        (await queue.receive(10)).map((message) => message.work),
        [work],
        "only what was taken, not what is not due yet",
      );
      now += 1;
    }
    const queue = sqliteWorkQueue(database, () => now);
    queue.recover();
    assert.deepEqual(await queue.receive(10), []);
    assert.deepEqual(
      (await queue.deadLetters(10)).map((message) => message.work),
      [work],
    );
  } finally {
    database.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
