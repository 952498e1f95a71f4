import { identityHash } from "../../model/identity.ts";
import { parseRecordId, type RecordId } from "../../model/record.ts";
import type { RecordTable, Series, SeriesQuery } from "../../ports/record-table.ts";
import { readFieldAnomalies } from "./anomaly-log.ts";
import type { Clock, Database } from "./database.ts";
import { readDetectorStates } from "./detector-states.ts";
import { IdentityIndex } from "./identity-index.ts";
import { readObjectResult } from "./object-marker.ts";
import { sqliteOutcomes } from "./outcomes.ts";
import { readRawKeys } from "./raw-keys.ts";
import { queryRecords, type RecordRow, recordSelect, toStoredRecord } from "./record-query.ts";
import { replaceRecords } from "./record-replace.ts";
import { minuteMillis } from "./rollups.ts";
import { findStreamNumber } from "./stream-number.ts";

/**
 * Records in the embedded database. All but `commit` and `judge` works on a reading connection too. `get` finds an event of the client
 * by its id when it was plain (no source), and by `{source}#{id}` (split at the last "#") when it was a CloudEvent.
 */
export function sqliteRecordTable(database: Database, clock: Clock): RecordTable {
  const outcomes = sqliteOutcomes(database, clock);
  return {
    async commit(list) {
      return outcomes.commitSync(list);
    },
    async judge(list) {
      return outcomes.judgeSync(list);
    },
    async loadStates(tenant, keys) {
      return database.transaction(() => readDetectorStates(database, tenant, keys));
    },
    async query(query) {
      const stream = findStreamNumber(database, query.tenant, query.stream);
      return queryRecords(database, clock, stream ?? -1, query);
    },
    async get(tenant, stream, id) {
      const number = findStreamNumber(database, tenant, stream);
      if (number === null) return null;
      for (const recordId of possibleRecordIds(database, tenant, stream, id)) {
        const row = database.get<RecordRow>(
          `${recordSelect} WHERE records.stream = ? AND records.id = ?`,
          number,
          recordId,
        );
        if (row !== null) return toStoredRecord(row, stream);
      }
      return null;
    },
    async series(query) {
      return database.transaction(() => readSeries(database, query));
    },
    async replace(reprocessed, dryRun) {
      return replaceRecords(database, reprocessed, dryRun);
    },
    async rawKeys(query) {
      return readRawKeys(database, query);
    },
    async objectResult(rawKey) {
      return readObjectResult(database, rawKey);
    },
  };
}

function* possibleRecordIds(database: Database, tenant: string, stream: string, id: string): Iterable<RecordId> {
  const parsed = parseRecordId(id);
  if (parsed !== null) yield parsed;
  const identities = new IdentityIndex(database);
  const split = id.lastIndexOf("#");
  const named = [["", id] as const, [id.slice(0, Math.max(0, split)), id.slice(split + 1)] as const];
  for (const [source, eventId] of split > 0 ? named : named.slice(0, 1)) {
    const { hash53, bytes10 } = identityHash(tenant, stream, source, eventId);
    const found = identities.find(hash53, bytes10);
    if (found !== null) yield found;
  }
}

/** Rollups are by the minute, so the range is widened to whole minutes and buckets are whole minutes wide. */
function readSeries(database: Database, { tenant, stream, field, from, to, points }: SeriesQuery): Series {
  const first = Math.floor(from / minuteMillis);
  const end = Math.ceil(to / minuteMillis);
  const width = Math.max(1, Math.ceil((end - first) / Math.max(1, points)));
  const bucketMillis = width * minuteMillis;
  const number = findStreamNumber(database, tenant, stream);
  if (number === null) return { bucketMillis, points: [], anomalies: [] };
  const rows = database.all<{
    bucket: number;
    count: number;
    min: number | null;
    max: number | null;
    sum: number | null;
  }>(
    `SELECT CAST((minute - ?) / ? AS INTEGER) AS bucket, sum(count) AS count, min(min) AS min, max(max) AS max,
       sum(sum) AS sum FROM rollups WHERE stream = ? AND field = ? AND minute >= ? AND minute < ?
       GROUP BY bucket ORDER BY bucket`,
    first,
    width,
    number,
    field,
    first,
    end,
  );
  return {
    bucketMillis,
    points: rows.map(({ bucket, count, min, max, sum }) => ({
      time: (first + bucket * width) * minuteMillis,
      count,
      min,
      max,
      avg: sum === null ? null : sum / count,
    })),
    anomalies: readFieldAnomalies(database, number, field, from, to),
  };
}
