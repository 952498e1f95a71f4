import { recordIdFloor } from "../../model/record.ts";
import type { Database } from "./database.ts";
import { minuteMillis, rollupExpiry } from "./rollups.ts";

/** What may have changed in the rollups of one stream. */
export interface TouchedRollups {
  /** Minutes since 1970. */
  readonly minutes: Set<number>;
  /** Fields of the new records; those that have rollups already are counted anyway. */
  readonly fields: Set<string>;
  /** Of the records, milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Counts the rollups of some minutes again, from the records that are there now: count and sum could be moved by what
 * changed, a minimum that is gone can only be looked for. Costs a look at every record of those minutes.
 */
export function recountRollups(database: Database, stream: number, touched: TouchedRollups): void {
  const fields = new Set([...touched.fields, ...rolledUpFields(database, stream)]);
  // The name of the number of events; a field that really has no name is not rolled up.
  fields.delete("");
  for (const minute of touched.minutes) {
    const range = [stream, recordIdFloor(minute * minuteMillis), recordIdFloor((minute + 1) * minuteMillis)] as const;
    const events = database.get<{ count: number }>(
      `SELECT count(*) AS count FROM
         (SELECT DISTINCT object, raw_index FROM records WHERE stream = ? AND id >= ? AND id < ?)`,
      ...range,
    );
    // total, not sum: it counts in doubles as the pipeline does, and never overflows.
    const rows = database.all<Sums & { field: string }>(
      `SELECT json_each.key AS field, count(*) AS count, min(json_each.value) AS min, max(json_each.value) AS max,
         total(json_each.value) AS sum FROM records CROSS JOIN json_each(records.data)
         WHERE records.stream = ? AND records.id >= ? AND records.id < ? AND json_each.type IN ('integer', 'real')
         GROUP BY json_each.key`,
      ...range,
    );
    const sums = new Map<string, Sums>(rows.map((row) => [row.field, row]));
    const place = { stream, minute, expiresAt: rollupExpiry(touched.expiresAt) };
    write(database, place, "", { count: events?.count ?? 0, min: null, max: null, sum: null });
    for (const field of fields) write(database, place, field, sums.get(field) ?? null);
  }
}

interface Sums {
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly sum: number | null;
}

/** Every field that has rollups, one step of the key each: looking at all rows would take as long as there are minutes. */
function* rolledUpFields(database: Database, stream: number): Iterable<string> {
  const next = "SELECT field FROM rollups WHERE stream = ? AND field > ? ORDER BY field LIMIT 1";
  for (let field = ""; ; ) {
    const row = database.get<{ field: string }>(next, stream, field);
    if (row === null) return;
    field = row.field;
    yield field;
  }
}

function write(
  database: Database,
  { stream, minute, expiresAt }: { readonly stream: number; readonly minute: number; readonly expiresAt: number },
  field: string,
  sums: Sums | null,
): void {
  if (sums === null || sums.count === 0) {
    database.run("DELETE FROM rollups WHERE stream = ? AND field = ? AND minute = ?", stream, field, minute);
    return;
  }
  database.run(
    `INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = excluded.count,
       min = excluded.min, max = excluded.max, sum = excluded.sum, expires_at = max(expires_at, excluded.expires_at)`,
    stream,
    field,
    minute,
    sums.count,
    sums.min,
    sums.max,
    sums.sum,
    expiresAt,
  );
}
