import type { RawKeyQuery } from "../../ports/record-table.ts";
import type { Database } from "./database.ts";
import { findStreamNumber } from "./stream-number.ts";

const dayMillis = 24 * 60 * 60 * 1000;

/** `RecordTable.rawKeys`. Keys name their day, so a range of time is a range of keys: see `RawObject.key`. */
export function readRawKeys(
  database: Database,
  { tenant, stream, from, to, startAt, limit }: RawKeyQuery,
): readonly string[] {
  // An upload lies under the day of its link, which may be the day before.
  const first = from === null ? "" : dayOf(from - dayMillis);
  // "0" is the character after "/".
  const end = to === null ? `raw/${stream}0` : `raw/${stream}/${dayOf(to)}0`;
  const rows = database.all<{ key: string }>(
    `SELECT key FROM objects WHERE stream = ? AND key >= ? AND key < ? AND key <= ? AND received_at >= ?
       AND received_at < ? AND committed_at IS NOT NULL ORDER BY key DESC LIMIT ?`,
    findStreamNumber(database, tenant, stream),
    `raw/${stream}/${first}`,
    end,
    startAt ?? end,
    from ?? Number.MIN_SAFE_INTEGER,
    to ?? Number.MAX_SAFE_INTEGER,
    limit,
  );
  return rows.map(({ key }) => key);
}

function dayOf(time: number): string {
  const inRange = Math.min(Math.max(time, 0), Date.UTC(9999, 11, 31));
  return new Date(inRange).toISOString().slice(0, 10).replaceAll("-", "/");
}
