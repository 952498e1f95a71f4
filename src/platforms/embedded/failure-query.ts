import type { SQLInputValue } from "node:sqlite";
import { encodeCursor } from "../../model/cursor.ts";
import type { FailureFilter } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Condition, Page } from "../../model/page.ts";
import type { FailureQuery } from "../../ports/failure-log.ts";
import type { Clock, Database } from "./database.ts";
import { type FailureRow, failureSelect } from "./failure-rows.ts";
import { type KeysetList, keysetPage } from "./keyset-page.ts";
import { conditionSql, conditionTerms } from "./record-query.ts";
import { findStreamNumber } from "./stream-number.ts";

/** A condition over the table `failures` with one `?`, and its value. */
export type FailureCondition = readonly [sql: string, value: SQLInputValue];

const list: KeysetList = {
  kind: "failures",
  select: failureSelect,
  timeColumn: "failures.last_seen_at",
  idColumn: "failures.id",
};

/** The same list without its rows: answered from an index alone. */
const keys: KeysetList = {
  ...list,
  select: "SELECT failures.number, failures.last_seen_at AS page_time, failures.id AS page_id FROM failures",
};

/** Time that one page of a query over payloads may take, as for records. */
const scanMillisMax = 2_000;

/**
 * Everything that a filter asks for, as conditions over the table `failures`: `SELECT … FROM failures WHERE` all of them
 * joined by AND, the values in their order. No other table need be joined. Their text has no end of variants when the filter
 * has conditions over the payload, so prepare it for one use (`Database.prepare`).
 */
export function failureConditions(
  database: Database,
  tenant: string,
  filter: FailureFilter,
): readonly FailureCondition[] {
  return [...columnConditions(database, tenant, filter), ...payloadConditions(filter)];
}

/**
 * One page of failures. Where the filter looks into payloads, it looks at one stretch of the list after the other, and the
 * page ends early, with a cursor, when `limits.scanRowsMax` rows or `scanMillisMax` are used up.
 */
export function queryFailures(database: Database, clock: Clock, query: FailureQuery): Page<FailureRow> {
  const columns = columnConditions(database, query.tenant, query);
  const payload = payloadConditions(query);
  if (payload.length === 0) return keysetPage<FailureRow>(database, list, columns, query);

  const limit = Math.min(Math.max(1, query.limit), limits.pageRowsMax);
  const matching = database.prepare(
    `${failureSelect} WHERE failures.number = ? AND ${payload.map(([sql]) => sql).join(" AND ")}`,
  );
  const values = payload.map(([, value]) => value);
  return database.transaction(() => {
    const rows: (FailureRow & { page_time: number; page_id: string })[] = [];
    const startedAt = clock();
    let { cursor } = query;
    for (let scanned = 0; ; ) {
      const stretch = keysetPage<{ number: number }>(database, keys, columns, {
        limit: limits.pageRowsMax,
        cursor,
        order: query.order,
      });
      for (const { number } of stretch.rows) {
        const row = matching.get(number, ...values) as (typeof rows)[number] | undefined;
        if (row === undefined) continue;
        const last = rows[limit - 1];
        if (last !== undefined) return { rows, next: encodeCursor(list.kind, [last.page_time, last.page_id]) };
        rows.push(row);
      }
      cursor = stretch.next;
      scanned += stretch.rows.length;
      const spent = scanned >= limits.scanRowsMax || clock() - startedAt >= scanMillisMax;
      if (cursor === null || spent) return { rows, next: cursor };
    }
  });
}

function columnConditions(database: Database, tenant: string, filter: FailureFilter): FailureCondition[] {
  // No row has the number -1: a stream of which nothing is known has no failures.
  const stream = filter.stream === null ? null : (findStreamNumber(database, tenant, filter.stream) ?? -1);
  const conditions: readonly (readonly [string, SQLInputValue])[] = [
    ["failures.tenant = ?", tenant],
    ["failures.stream = ?", stream],
    ["failures.state = ?", filter.state],
    ["failures.class = ?", filter.class],
    ["failures.code = ?", filter.code],
    ["failures.fingerprint = ?", filter.fingerprint],
    ["failures.last_seen_at >= ?", filter.from],
    ["failures.last_seen_at < ?", filter.to],
  ];
  return conditions.filter(([, value]) => value !== null);
}

function payloadConditions({ where, contains }: FailureFilter): FailureCondition[] {
  const conditions = where.map(fieldCondition);
  if (contains !== null) {
    const sql = "(SELECT instr(payload, ?) FROM failure_details WHERE failure = failures.number) > 0";
    // As bytes: between a text and bytes `instr` compares texts, and a payload need not be one.
    conditions.push([sql, Buffer.from(contains)]);
  }
  return conditions;
}

/** A condition on a field of the event as sent. Its terms go into one value, as a JSON array. */
function fieldCondition(condition: Condition): FailureCondition {
  const { path, text, number } = conditionTerms(condition);
  const sql = conditionSql(condition, { path: "(terms ->> 0)", text: "(terms ->> 1)", number: "(terms ->> 2)" });
  // JSON functions take bytes for SQLite's own binary form, and throw at what is no JSON.
  const data = "CASE WHEN json_valid(CAST(payload AS TEXT)) THEN CAST(payload AS TEXT) ELSE '{}' END";
  return [
    `(SELECT ${sql} FROM (SELECT ${data} AS data, ? AS terms FROM failure_details WHERE failure = failures.number))`,
    `[${JSON.stringify(path)},${JSON.stringify(text)},${numberText(number)}]`,
  ];
}

/** As JSON; SQLite reads a number beyond all doubles as infinite, too. */
function numberText(number: number | bigint | null): string {
  if (typeof number !== "number" || Number.isFinite(number)) return String(number);
  return number > 0 ? "9e999" : "-9e999";
}
