import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteAnomalyLog } from "../../../src/platforms/embedded/anomaly-log.ts";
import { sqliteAuditLog } from "../../../src/platforms/embedded/audit-log.ts";
import { readCounters } from "../../../src/platforms/embedded/counters.ts";
import { type Database, openDatabase } from "../../../src/platforms/embedded/database.ts";
import { sqliteDetectorStates } from "../../../src/platforms/embedded/detector-states.ts";
import { sqliteFailureLog } from "../../../src/platforms/embedded/failure-log.ts";
import { sqliteIssueLog } from "../../../src/platforms/embedded/issue-log.ts";
import { sqliteNotificationLog } from "../../../src/platforms/embedded/notification-log.ts";
import { sqliteRecordTable } from "../../../src/platforms/embedded/record-table.ts";
import { tenantStream } from "../../../src/platforms/embedded/tenant-stream.ts";
import { sqliteWorkQueue } from "../../../src/platforms/embedded/work-queue.ts";
import type { StoreHarness } from "../../contracts/store-harness.ts";

/** An empty folder of its own, and a clock that stands still until a test moves it. */
export interface StoreFolder {
  readonly directory: string;
  readonly path: string;
  readonly clock: () => number;
  wait(millis: number): Promise<void>;
  remove(): Promise<void>;
}

export async function storeFolder(): Promise<StoreFolder> {
  const directory = await mkdtemp(join(tmpdir(), "eventpulse-store-"));
  let time = Date.now();
  return {
    directory,
    path: join(directory, "eventpulse.db"),
    clock: () => time,
    wait: async (millis) => {
      time += millis;
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

const noCounters = { received: 0, stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };

/** The embedded stores over a new database; `database` for what a port does not show. */
export async function embeddedStores(): Promise<StoreHarness & { readonly database: Database; readonly path: string }> {
  const folder = await storeFolder();
  const { clock, wait, path } = folder;
  const database = openDatabase(path, { mode: "write" });
  return {
    database,
    path,
    records: sqliteRecordTable(database, clock),
    anomalies: sqliteAnomalyLog(database, clock),
    states: sqliteDetectorStates(database, clock),
    failures: sqliteFailureLog(database, clock),
    issues: sqliteIssueLog(database, clock),
    audit: sqliteAuditLog(database, clock),
    notifications: sqliteNotificationLog(database, clock),
    queue: sqliteWorkQueue(database, clock),
    counters: async (tenant, stream) => readCounters(database).get(tenantStream(tenant, stream)) ?? noCounters,
    now: clock,
    wait,
    settle: async () => {},
    close: async () => {
      database.close();
      await folder.remove();
    },
  };
}
