import type { SQLInputValue } from "node:sqlite";
import { cursorInvalid, decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { assert } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { Condition, Page } from "../../model/page.ts";
import { type RecordId, recordIdFloor, recordIdText, recordIdTime, type StoredRecord } from "../../model/record.ts";
import type { RecordQuery } from "../../ports/record-table.ts";
import type { Clock, Database } from "./database.ts";

// The received time and the raw key stand once in the object's row. CROSS JOIN fixes the order: records first.
export const recordSelect = `SELECT records.id, raw_index AS rawIndex, event_id AS eventId, attributes, data,
  objects.key AS rawKey, objects.received_at AS receivedAt FROM records CROSS JOIN objects ON objects.id = records.object`;

export interface RecordRow {
  readonly id: Uint8Array;
  readonly rawIndex: number;
  readonly eventId: string | null;
  readonly attributes: string | null;
  readonly data: string;
  readonly rawKey: string;
  readonly receivedAt: number;
}

/** Bytes of data in one page: 1,000 records of the largest events would take 256 MB of memory. */
const pageCharactersMax = 8 * 1024 * 1024;
/** Rows looked at in one statement of a filtered query, between two looks at the clock. */
const scanStepRows = 2_000;
/** Time that one page of a filtered query may take: large records are slower to look at than `limits.scanRowsMax` assumes. */
const scanMillisMax = 2_000;

type Named = Record<string, SQLInputValue>;

export function toStoredRecord(row: RecordRow, stream: string): StoredRecord {
  return {
    id: recordIdText(row.id),
    stream,
    time: recordIdTime(row.id),
    receivedAt: row.receivedAt,
    eventId: row.eventId,
    attributesJson: row.attributes,
    dataJson: row.data,
    rawKey: row.rawKey,
    rawIndex: row.rawIndex,
  };
}

/**
 * One page of records. Without conditions one range of the primary key; with conditions the range is looked at in steps,
 * and the page ends early, with a cursor, when `limits.scanRowsMax` rows or `scanMillisMax` are used up.
 */
export function queryRecords(database: Database, clock: Clock, stream: number, query: RecordQuery): Page<StoredRecord> {
  assert(query.where.length <= limits.conditionsMax, "the number of conditions is checked where a query is read");
  const limit = Math.min(Math.max(1, query.limit), limits.pageRowsMax);
  const compiled = query.where.map(compileCondition);
  const filter = compiled.map(({ sql }) => ` AND ${sql}`).join("");
  const named: Named = Object.assign({}, ...compiled.map(({ values }) => values));
  return database.transaction(() => {
    const scan = new RangeScan(database, stream, query);
    const rows: RecordRow[] = [];
    let characters = 0;
    const startedAt = clock();
    for (let scanned = 0; ; scanned += scanStepRows) {
      const spent = scanned >= limits.scanRowsMax || clock() - startedAt >= scanMillisMax;
      // Where nothing filters, each row that is looked at is a row of the page.
      const edge = query.where.length === 0 ? null : scan.edge(scanStepRows);
      if (spent && scanned > 0) return page(rows, scan.position, query);
      for (const row of scan.rows(filter, named, edge, limit + 1 - rows.length)) {
        const full = rows.length === limit || characters >= pageCharactersMax;
        if (full) return page(rows, rows.at(-1)?.id ?? null, query);
        rows.push(row);
        characters += row.data.length;
      }
      if (edge === null) return page(rows, null, query);
      scan.position = edge;
    }
  });
}

function page(rows: readonly RecordRow[], next: RecordId | null, { stream }: RecordQuery): Page<StoredRecord> {
  return {
    rows: rows.map((row) => toStoredRecord(row, stream)),
    next: next === null ? null : encodeCursor("records", [Buffer.from(next).toString("hex")]),
  };
}

/** A range of record ids of one stream, walked in the order of the query. */
class RangeScan {
  /** The last id that is done with; null at the start. */
  position: RecordId | null;
  readonly #database: Database;
  readonly #stream: number;
  readonly #ascending: boolean;
  readonly #bounds: Named = {};
  readonly #boundsSql: string;

  constructor(database: Database, stream: number, { from, to, order, cursor }: RecordQuery) {
    this.#database = database;
    this.#stream = stream;
    this.#ascending = order === "asc";
    this.position = cursor === null ? null : decodePosition(cursor);
    let sql = "records.stream = $stream";
    if (from !== null) {
      sql += " AND records.id >= $from";
      this.#bounds["$from"] = recordIdFloor(from);
    }
    if (to !== null) {
      sql += " AND records.id < $to";
      this.#bounds["$to"] = recordIdFloor(to);
    }
    this.#boundsSql = sql;
  }

  /** The id `rows` rows ahead of the position, or null when the range ends before. */
  edge(rows: number): RecordId | null {
    const { sql, values } = this.#range(null);
    const text = `SELECT id FROM records WHERE ${sql} ${this.#order()} LIMIT 1 OFFSET $offset`;
    const row = this.#database.statement(text).get({ ...values, $offset: rows - 1 });
    return (row?.["id"] as Uint8Array | undefined) ?? null;
  }

  /** Rows behind the position, up to and including `edge` (null: the end of the range), that pass the filter. */
  *rows(filter: string, named: Named, edge: RecordId | null, max: number): Iterable<RecordRow> {
    const { sql, values } = this.#range(edge);
    const text = `${recordSelect} WHERE ${sql}${filter} ${this.#order()} LIMIT $max`;
    // Filters have no end of different texts, so only the plain one stays prepared.
    const statement = filter === "" ? this.#database.statement(text) : this.#database.prepare(text);
    for (const row of statement.iterate({ ...values, ...named, $max: max })) yield row as unknown as RecordRow;
  }

  #range(edge: RecordId | null): { readonly sql: string; readonly values: Named } {
    let sql = this.#boundsSql;
    const values: Named = { $stream: this.#stream, ...this.#bounds };
    if (this.position !== null) {
      sql += ` AND records.id ${this.#ascending ? ">" : "<"} $position`;
      values["$position"] = this.position;
    }
    if (edge !== null) {
      sql += ` AND records.id ${this.#ascending ? "<=" : ">="} $edge`;
      values["$edge"] = edge;
    }
    return { sql, values };
  }

  #order(): string {
    return `ORDER BY records.id ${this.#ascending ? "ASC" : "DESC"}`;
  }
}

function decodePosition(cursor: string): RecordId {
  const [hex] = decodeCursor("records", cursor, ["string"]);
  if (typeof hex !== "string" || !/^[0-9a-f]{32}$/.test(hex)) throw cursorInvalid();
  return Buffer.from(hex, "hex");
}

/** One condition over the data of records, with bound values. */
function compileCondition(condition: Condition, index: number): { sql: string; values: Named } {
  const names = { path: `$path${index}`, text: `$text${index}`, number: `$number${index}` };
  const { path, text, number } = conditionTerms(condition);
  const values: Named = { [names.path]: path };
  if (condition.operator !== "exists") values[names.text] = text;
  if (number !== null) values[names.number] = number;
  return { sql: conditionSql(condition, names), values };
}

/** What the SQL of a condition compares with. */
export interface ConditionTerms {
  readonly path: string;
  readonly text: string;
  /** Null where the text is no number, or the operator compares none. */
  readonly number: number | bigint | null;
}

export function conditionTerms({ field, operator, value }: Condition): ConditionTerms {
  const asText = operator === "exists" || operator === "contains";
  return { path: jsonPath(field), text: value, number: asText ? null : parseNumber(value) };
}

/**
 * One condition as SQL over a column `data` of JSON text; `terms` are the SQL of its terms. Numbers compare as numbers when
 * both sides are one; everything else compares as text, by UTF-8 bytes: `true`, `false` and `null` as JSON writes them,
 * objects and arrays as JSON text. SQLite: "The JSON functions", section 4.9 (`->>`) and 4.14 (`json_type`).
 */
export function conditionSql(condition: Condition, terms: Readonly<Record<keyof ConditionTerms, string>>): string {
  const { operator, value } = condition;
  const { path, text, number } = terms;
  const type = `json_type(data, ${path})`;
  if (operator === "exists") return `${type} IS ${value === "false" ? "" : "NOT "}NULL`;

  const stored = `CASE ${type} WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null'
    ELSE CAST(data ->> ${path} AS TEXT) END`;
  if (operator === "contains") return `instr(${stored}, ${text}) > 0`;

  const sign = { eq: "=", ne: "=", gt: ">", gte: ">=", lt: "<", lte: "<=" }[operator];
  let sql = `(${stored}) ${sign} ${text}`;
  if (conditionTerms(condition).number !== null) {
    sql = `CASE WHEN ${type} IN ('integer', 'real') THEN (data ->> ${path}) ${sign} ${number} ELSE ${sql} END`;
  }
  return operator === "ne" ? `(${sql}) IS NOT 1` : `(${sql})`;
}

/** A dotted path as a JSON path: every part quoted as JSON text, so that no character of it means anything. */
function jsonPath(field: string): string {
  return `$${field
    .split(".")
    .map((part) => `.${JSON.stringify(part)}`)
    .join("")}`;
}

/** Integers of 64 bits exactly, other JSON numbers as doubles; null for what is no JSON number. */
function parseNumber(text: string): number | bigint | null {
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return null;
  const exact = /^-?\d{1,18}$/.test(text);
  return exact ? BigInt(text) : Number(text);
}
