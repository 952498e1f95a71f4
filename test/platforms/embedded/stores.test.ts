import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type Database, openDatabase } from "../../../src/platforms/embedded/database.ts";
import { sqliteFailureLog } from "../../../src/platforms/embedded/failure-log.ts";
import { fileObjectStore } from "../../../src/platforms/embedded/object-store.ts";
import { verifyUpload, verifyUploadLink } from "../../../src/platforms/embedded/upload-link.ts";
import { sqliteWorkQueue } from "../../../src/platforms/embedded/work-queue.ts";
import { anomalyLogContract } from "../../contracts/anomaly-log.ts";
import { detectorStatesContract } from "../../contracts/detector-states.ts";
import { failureLogContract } from "../../contracts/failure-log.ts";
import { issueLogContract } from "../../contracts/issue-log.ts";
import { notificationLogContract } from "../../contracts/notification-log.ts";
import { type ObjectStoreHarness, objectStoreContract } from "../../contracts/object-store.ts";
import { failureDraft, newRawKey, outcome } from "../../contracts/outcome-samples.ts";
import { recordTableContract } from "../../contracts/record-table.ts";
import { anyFailure } from "../../contracts/record-table-trace.ts";
import { allRows } from "../../contracts/store-harness.ts";
import { type WorkQueueHarness, workQueueContract } from "../../contracts/work-queue.ts";
import { embeddedStores, storeFolder } from "./store-folder.ts";

recordTableContract(embeddedStores);
anomalyLogContract(embeddedStores);
detectorStatesContract(embeddedStores);
failureLogContract(embeddedStores);
issueLogContract(embeddedStores);
notificationLogContract(embeddedStores);
workQueueContract(queueHarness);
objectStoreContract(objectHarness);

test("ends a page of failures early, with a cursor, when looking into payloads takes long, and misses none", async () => {
  const { records, database, close } = await embeddedStores();
  try {
    const rawKey = newRawKey();
    const failures = Array.from({ length: 3500 }, (_, index) =>
      failureDraft(rawKey, { index, original: Buffer.from(`{"number":${index % 500}}`) }),
    );
    await records.commit([outcome({ rawKey, failures })]);
    let time = 0;
    const slow = sqliteFailureLog(database, () => {
      time += 10_000;
      return time;
    });
    const where = [{ field: "number", operator: "eq", value: "7" }] as const;
    const page = await slow.query({ ...anyFailure, where });
    assert.ok(page.rows.length < 7 && page.next !== null);
    const found = await allRows((request) => slow.query({ ...anyFailure, where, contains: "number", ...request }), 2);
    assert.equal(new Set(found.map(({ id }) => id)).size, 7);
    assert.equal(found.length, 7);
  } finally {
    await close();
  }
});

/** Two connections to one file. A restart opens it again without closing the first: a crash does not close either. */
async function queueHarness(): Promise<WorkQueueHarness> {
  const folder = await storeFolder();
  const visibilityTimeoutSeconds = 30;
  const databases: Database[] = [];
  const open = () => {
    const database = openDatabase(folder.path, { mode: "write" });
    databases.push(database);
    return sqliteWorkQueue(database, folder.clock, { visibilityTimeoutSeconds });
  };
  return {
    queue: open(),
    other: open(),
    visibilityTimeoutSeconds,
    wait: folder.wait,
    restart: async () => open(),
    close: async () => {
      for (const database of databases) database.close();
      await folder.remove();
    },
  };
}

async function objectHarness(): Promise<ObjectStoreHarness> {
  const folder = await storeFolder();
  const secret = "a secret of the test";
  const store = fileObjectStore({
    directory: join(folder.directory, "objects"),
    clock: folder.clock,
    secret,
    baseUrl: () => "http://127.0.0.1:8080",
  });
  return {
    store,
    now: folder.clock,
    wait: folder.wait,
    async send(link, body, { url = link.url, contentType = link.headers["content-type"] ?? "" } = {}) {
      try {
        const grant = verifyUploadLink(secret, url, folder.clock());
        verifyUpload(grant, contentType, body);
        await store.put(grant.key, body);
        return true;
      } catch {
        return false;
      }
    },
    close: folder.remove,
  };
}
