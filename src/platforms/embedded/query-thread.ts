/** The query thread: a read-only connection to the database behind the reading ports. Started by `QueryThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../model/error.ts";
import { sqliteAnomalyLog } from "./anomaly-log.ts";
import { sqliteAuditLog } from "./audit-log.ts";
import { listContractVersions } from "./contract-versions.ts";
import { openDatabase } from "./database.ts";
import { sqliteFailureLog } from "./failure-log.ts";
import { failureMetrics } from "./failure-metrics.ts";
import { sqliteIssueLog } from "./issue-log.ts";
import { sqliteJobLog } from "./job-log.ts";
import { sqliteNotificationLog } from "./notification-log.ts";
import { sqliteRecordTable } from "./record-table.ts";
import { serveCalls } from "./thread-calls.ts";

assert(parentPort !== null, "the query thread is started as a worker");
const { databasePath } = workerData as { readonly databasePath: string };
const database = openDatabase(databasePath, { mode: "read" });
serveCalls(parentPort, {
  records: sqliteRecordTable(database, Date.now),
  contracts: { list: async (tenant: string, stream: string) => listContractVersions(database, tenant, stream) },
  anomalies: sqliteAnomalyLog(database, Date.now),
  failures: sqliteFailureLog(database, Date.now),
  issues: sqliteIssueLog(database, Date.now),
  jobs: sqliteJobLog(database, Date.now),
  audit: sqliteAuditLog(database, Date.now),
  notifications: sqliteNotificationLog(database, Date.now),
  metrics: { failures: async () => failureMetrics(database, Date.now) },
});
