import { type Anomaly, type AnomalyDraft, falsePositiveFeedback } from "../../model/anomaly.ts";
import { EventPulseError } from "../../model/error.ts";
import { type RecordId, recordIdText } from "../../model/record.ts";
import type { AnomalyLog } from "../../ports/anomaly-log.ts";
import { insertAudit } from "./audit-log.ts";
import type { Clock, Database } from "./database.ts";
import { readFalsePositives, writeFalsePositives } from "./false-positives.ts";
import { type KeysetList, keysetPage } from "./keyset-page.ts";
import { expiryTime } from "./record-batches.ts";
import { findStreamNumber } from "./stream-number.ts";

interface AnomalyRow extends Omit<Anomaly, "recordId"> {
  readonly recordId: Uint8Array | null;
}

const select = `SELECT anomalies.id, streams.name AS stream, rule, field, key, time, value, score,
  expected_low AS expectedLow, expected_high AS expectedHigh, why, record_id AS recordId, incident, severity, state, note, version,
  time AS page_time, anomalies.id AS page_id FROM anomalies JOIN streams ON streams.id = anomalies.stream`;
const list: KeysetList = { kind: "anomalies", select, timeColumn: "time", idColumn: "anomalies.id" };

/** Anomalies in the embedded database. Queries work on a reading connection too. */
export function sqliteAnomalyLog(database: Database, clock: Clock): AnomalyLog {
  function find(tenant: string, id: string): Anomaly | null {
    const row = database.get<AnomalyRow>(`${select} WHERE anomalies.tenant = ? AND anomalies.id = ?`, tenant, id);
    return row && toAnomaly(row);
  }

  return {
    async query(query) {
      const stream = query.stream === null ? null : findStreamNumber(database, query.tenant, query.stream);
      const { rows, next } = keysetPage<AnomalyRow>(
        database,
        list,
        [
          ["anomalies.tenant = ?", query.tenant],
          // No row has the number -1: a stream of which nothing is known has no anomalies.
          ["anomalies.stream = ?", query.stream === null ? null : (stream ?? -1)],
          ["rule = ?", query.rule],
          ["state = ?", query.state],
          ["incident = ?", query.incident],
          ["severity = ?", query.severity],
          ["time >= ?", query.from],
          ["time < ?", query.to],
        ],
        query,
      );
      return { rows: rows.map(toAnomaly), next };
    },
    async get(tenant, id) {
      return find(tenant, id);
    },
    async annotate(tenant, id, version, { state, note }, audit) {
      return database.transaction(() => {
        const before = find(tenant, id);
        const changed = database.run(
          `UPDATE anomalies SET state = ?, note = ?, version = version + 1 WHERE tenant = ? AND id = ? AND version = ?`,
          state,
          note,
          tenant,
          id,
          version,
        );
        if (before === null) return null;
        if (changed === 0) {
          throw new EventPulseError(
            "ETAG_STALE",
            `Anomaly ${id} is at version ${before.version}, not ${version}: read it again, then repeat the change.`,
          );
        }
        const { rule, key } = before;
        const counted = readFalsePositives(database, tenant, rule, key);
        const feedback = falsePositiveFeedback(before.state, state, counted);
        if (feedback.after !== counted) writeFalsePositives(database, tenant, rule, key, feedback.after);
        insertAudit(database, clock, { ...audit, details: { ...audit.details, ...feedback.details } });
        return { ...before, state, note, version: version + 1 };
      });
    },
  };
}

/** Anomalies of one field of a stream in a range, ascending by time. */
export function readFieldAnomalies(
  database: Database,
  stream: number,
  field: string,
  from: number,
  to: number,
): Anomaly[] {
  return database
    .all<AnomalyRow>(
      `${select} WHERE anomalies.stream = ? AND time >= ? AND time < ? AND field = ? ORDER BY time, anomalies.id`,
      stream,
      from,
      to,
      field,
    )
    .map(toAnomaly);
}

/** Writes the anomalies of periods, and those whose events are in `recordIds`. */
export function writeAnomalies(
  database: Database,
  tenant: string,
  stream: number,
  drafts: readonly AnomalyDraft[],
  recordIds: ReadonlyMap<number, RecordId>,
  expiresAt: number,
): void {
  for (const { id, rule, field, key, time, value, verdict, index, incident, severity } of drafts) {
    const recordId = index === null ? null : recordIds.get(index);
    if (recordId === undefined) continue;
    database.run(
      `INSERT INTO anomalies (id, tenant, stream, rule, field, key, time, value, score, expected_low, expected_high, why,
         record_id, incident, severity, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      id,
      tenant,
      stream,
      rule,
      field,
      key,
      time,
      value,
      verdict.score,
      verdict.expectedLow,
      verdict.expectedHigh,
      verdict.why,
      recordId,
      incident,
      severity,
      expiryTime(expiresAt),
    );
  }
}

function toAnomaly(row: AnomalyRow): Anomaly {
  return {
    id: row.id,
    stream: row.stream,
    rule: row.rule,
    field: row.field,
    key: row.key,
    time: row.time,
    value: row.value,
    score: row.score,
    expectedLow: row.expectedLow,
    expectedHigh: row.expectedHigh,
    why: row.why,
    recordId: row.recordId && recordIdText(row.recordId),
    incident: row.incident,
    severity: row.severity,
    state: row.state,
    note: row.note,
    version: row.version,
  };
}
