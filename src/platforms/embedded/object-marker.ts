import type { OutcomeResult } from "../../model/outcome.ts";
import type { ObjectResult } from "../../ports/record-table.ts";
import { addTally, type Tally } from "./counters.ts";
import type { Database } from "./database.ts";

/** The row of a raw object: its number in other tables, and the marker that its outcome is committed. */
export interface ObjectMarker {
  readonly number: number;
  readonly committed: boolean;
}

/** Finds or makes the row of a raw object, and keeps it at least until `expiresAt`. */
function objectMarker(
  database: Database,
  key: string,
  stream: number,
  receivedAt: number,
  expiresAt: number,
): ObjectMarker {
  const found = database.get<{ id: number; committed_at: number | null; expires_at: number }>(
    "SELECT id, committed_at, expires_at FROM objects WHERE key = ?",
    key,
  );
  if (found === null) {
    const { lastInsertRowid } = database
      .statement("INSERT INTO objects (key, stream, received_at, expires_at) VALUES (?, ?, ?, ?)")
      .run(key, stream, receivedAt, expiresAt);
    return { number: Number(lastInsertRowid), committed: false };
  }
  if (found.expires_at < expiresAt) {
    database.run("UPDATE objects SET expires_at = ? WHERE id = ?", expiresAt, found.id);
  }
  return { number: found.id, committed: found.committed_at !== null };
}

/** Marks the outcome of the object as committed. */
function markCommitted(database: Database, object: number, now: number): void {
  database.run("UPDATE objects SET committed_at = ? WHERE id = ?", now, object);
}

/** The objects of one commit: each is looked up once, and what became of its events is written once. */
export class PendingObjects {
  readonly #database: Database;
  readonly #markers = new Map<string, ObjectMarker>();
  readonly #tallies = new Map<number, Tally>();

  constructor(database: Database) {
    this.#database = database;
  }

  marker(key: string, stream: number, receivedAt: number, expiresAt: number): ObjectMarker {
    const known = this.#markers.get(key);
    if (known !== undefined) return known;
    const marker = objectMarker(this.#database, key, stream, receivedAt, expiresAt);
    this.#markers.set(key, marker);
    return marker;
  }

  commit(key: string, { number }: ObjectMarker, now: number): void {
    markCommitted(this.#database, number, now);
    this.#markers.set(key, { number, committed: true });
  }

  add({ number }: ObjectMarker, tally: Tally): void {
    const sum = this.#tallies.get(number);
    if (sum === undefined) this.#tallies.set(number, { ...tally });
    else addTally(sum, tally);
  }

  write(): void {
    for (const [number, tally] of this.#tallies) addToObject(this.#database, { number }, tally);
  }
}

/** Adds to what became of the object's events. Does nothing when there is no such row. */
export function addToObject(database: Database, where: { key: string } | { number: number }, tally: Tally): void {
  const [column, value] = "key" in where ? ["key", where.key] : ["id", where.number];
  database.run(
    `UPDATE objects SET stored = stored + ?, dropped = dropped + ?, quarantined = quarantined + ?, dead = dead + ?,
       retrying = retrying + ?, duplicates = duplicates + ? WHERE ${column} = ?`,
    tally.stored,
    tally.dropped,
    tally.quarantined,
    tally.dead,
    tally.retrying,
    tally.duplicates,
    value,
  );
}

/** What has become of the object's events by now, retries and discards included; null until its outcome is committed. */
export function readObjectResult(database: Database, key: string): ObjectResult | null {
  const row = database.get<Omit<OutcomeResult, "applied" | "recordId"> & { committedAt: number }>(
    `SELECT stored, dropped, quarantined, dead, retrying, duplicates, committed_at AS committedAt
       FROM objects WHERE key = ? AND committed_at IS NOT NULL`,
    key,
  );
  return row && { applied: true, recordId: null, ...row };
}
