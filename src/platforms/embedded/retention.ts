import type { Failure } from "../../model/failure.ts";
import type { Database } from "./database.ts";
import { type IssueMember, PendingIssues, sweepIssues } from "./issue-rows.ts";
import { sweepJobs } from "./job-log.ts";
import { firstExpiredBatch, type RecordBatch } from "./record-batches.ts";

/** Rows that one sweep removed. `more`: it stopped at its limit, and another sweep finds more. */
export interface RetentionSweep {
  readonly records: number;
  readonly failures: number;
  readonly issues: number;
  readonly anomalies: number;
  readonly rollups: number;
  readonly notifications: number;
  /** Items of jobs included. */
  readonly jobs: number;
  readonly objects: number;
  readonly more: boolean;
}

/** Notifications are read for a while after they were sent; pending ones stay until they are settled. */
const notificationMillis = 30 * 24 * 60 * 60 * 1000;

/**
 * Removes what has expired at `now`, in one transaction of about `rowsMax` rows (a batch of records is not cut, so up to
 * 999 more): the writer calls it between commits until `more` is false. Nothing goes early; expiries are rounded up to the
 * next minute, those of rollups to the next hour. What is in flight stays: failures being retried, notifications not yet
 * sent, and the markers of raw objects that a message in the queue or a retry refers to. Counters do not change.
 */
export function sweep(database: Database, now: number, { rowsMax }: { readonly rowsMax: number }): RetentionSweep {
  return database.transaction(() => {
    let left = rowsMax;
    const swept = (count: number) => {
      left -= count;
      return count;
    };
    const records = swept(sweepRecords(database, now, left));
    const anomalies = swept(deleteExpired(database, "anomalies", "rowid", "expires_at <= ?", now, left));
    const failures = swept(sweepFailures(database, now, left));
    const issues = swept(sweepIssues(database, now, left));
    const rollups = swept(sweepRollups(database, now, left));
    const notifications = swept(sweepNotifications(database, now, left));
    const jobs = swept(sweepJobs(database, now, left));
    // Records take their received time and raw key from here, so markers go last and only when no expired record is left.
    const objects = left > 0 ? swept(sweepObjects(database, now, left)) : 0;
    return { records, failures, issues, anomalies, rollups, notifications, jobs, objects, more: left <= 0 };
  });
}

/** Keys of the raw objects that must stay readable: their events wait for another attempt, or their failures do. */
export function rawKeysInFlight(database: Database): ReadonlySet<string> {
  const rows = database.all<{ raw_key: string }>(
    `SELECT raw_key FROM work WHERE raw_key IS NOT NULL
       UNION SELECT raw_key FROM failures WHERE state = 'retrying'`,
  );
  return new Set(rows.map(({ raw_key }) => raw_key));
}

function sweepRecords(database: Database, now: number, max: number): number {
  let count = 0;
  while (count < max) {
    const batch = firstExpiredBatch(database, now);
    if (batch === null) break;
    count += deleteBatch(database, batch);
  }
  return count;
}

function deleteBatch(database: Database, batch: RecordBatch): number {
  const record = database.statement("DELETE FROM records WHERE stream = ? AND id = ?");
  const identities = ["identities", "identities_recent"].map((table) =>
    database.statement(`DELETE FROM ${table} WHERE hash = ? AND record_id = ?`),
  );
  for (const [index, id] of batch.recordIds.entries()) {
    record.run(batch.stream, id);
    const hash = batch.identityHashes[index] ?? null;
    if (hash !== null) for (const identity of identities) identity.run(hash, id);
  }
  database.run("DELETE FROM record_batches WHERE id = ?", batch.number);
  return batch.recordIds.length;
}

function sweepFailures(database: Database, now: number, max: number): number {
  if (max <= 0) return 0;
  const rows = database.all<IssueMember & Pick<Failure, "state"> & { readonly number: number }>(
    `SELECT number, id, tenant, stream AS streamNumber, fingerprint, first_seen_at AS firstSeenAt, state FROM failures
       WHERE expires_at <= ? AND state <> 'retrying' ORDER BY expires_at LIMIT ?`,
    now,
    max,
  );
  const issues = new PendingIssues();
  for (const { number, state, ...failure } of rows) {
    database.run("DELETE FROM failures WHERE number = ?", number);
    database.run("DELETE FROM failure_details WHERE failure = ?", number);
    issues.expired(failure, state === "recovered" || state === "discarded" ? state : "waiting");
  }
  issues.write(database);
  return rows.length;
}

function sweepRollups(database: Database, now: number, max: number): number {
  if (max <= 0) return 0;
  return database.run(
    `DELETE FROM rollups WHERE (stream, field, minute) IN
       (SELECT stream, field, minute FROM rollups WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    now,
    max,
  );
}

function sweepNotifications(database: Database, now: number, max: number): number {
  const before = now - notificationMillis;
  const gone = deleteExpired(
    database,
    "notifications",
    "number",
    "created_at <= ? AND state <> 'pending'",
    before,
    max,
  );
  // One row per group, forgotten with its last notification.
  deleteExpired(database, "notification_groups", "tenant, name", "last_created_at <= ?", before, max);
  return gone;
}

function sweepObjects(database: Database, now: number, max: number): number {
  const rows = database.all<{ id: number }>(
    `SELECT id FROM objects WHERE expires_at <= ?
       AND NOT EXISTS (SELECT 1 FROM work WHERE work.raw_key = objects.key)
       AND NOT EXISTS (SELECT 1 FROM failures WHERE failures.raw_key = objects.key AND state = 'retrying')
       ORDER BY expires_at LIMIT ?`,
    now,
    max,
  );
  for (const { id } of rows) {
    database.run("DELETE FROM event_attempts WHERE object = ?", id);
    database.run("DELETE FROM objects WHERE id = ?", id);
  }
  return rows.length;
}

function deleteExpired(
  database: Database,
  table: string,
  key: string,
  condition: string,
  time: number,
  max: number,
): number {
  if (max <= 0) return 0;
  return database.run(
    `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ?)`,
    time,
    max,
  );
}
