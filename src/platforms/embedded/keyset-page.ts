import type { SQLInputValue } from "node:sqlite";
import { decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { limits } from "../../model/limits.ts";
import type { Order, Page, PageRequest } from "../../model/page.ts";
import type { Database } from "./database.ts";

export interface KeysetList {
  /** Name of the list in its cursors. */
  readonly kind: string;
  /** `SELECT … FROM …` without a condition. */
  readonly select: string;
  readonly timeColumn: string;
  readonly idColumn: string;
}

/** A condition with one `?`, and its value; null: the condition is left out. */
export type Filter = readonly [sql: string, value: SQLInputValue | null];

/** One page of a list by (time, id), descending unless `order` says otherwise. The number of different texts is bounded by the filters, so they stay prepared. */
export function keysetPage<Row extends object>(
  database: Database,
  list: KeysetList,
  filters: readonly Filter[],
  request: PageRequest & { readonly order?: Order },
): Page<Row> {
  const [sign, direction] = request.order === "asc" ? [">", "ASC"] : ["<", "DESC"];
  const used = filters.filter(([, value]) => value !== null);
  const conditions = used.map(([sql]) => sql);
  const values: SQLInputValue[] = used.map(([, value]) => value);
  if (request.cursor !== null) {
    conditions.push(`(${list.timeColumn}, ${list.idColumn}) ${sign} (?, ?)`);
    values.push(...decodeCursor(list.kind, request.cursor, ["number", "string"]));
  }
  const limit = Math.min(Math.max(1, request.limit), limits.pageRowsMax);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const rows = database.all<Row & { page_time: number; page_id: string }>(
    `${list.select} ${where} ORDER BY ${list.timeColumn} ${direction}, ${list.idColumn} ${direction} LIMIT ?`,
    ...values,
    limit + 1,
  );
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit),
    next: last === undefined ? null : encodeCursor(list.kind, [last.page_time, last.page_id]),
  };
}
