import type { StatementSync } from "node:sqlite";
import { assert } from "../../model/error.ts";
import type { RecordId } from "../../model/record.ts";
import type { Database } from "./database.ts";

/** What is known of an identity. */
export type IdentityLookup =
  /** Not seen before; `slot` is free for it. */
  | { readonly kind: "new"; readonly slot: number }
  /** Stored with the same content, or with other content. */
  | { readonly kind: "duplicate" | "conflict"; readonly recordId: RecordId };

interface IdentityRow {
  readonly hash: number;
  readonly record_id: Uint8Array;
  readonly content: number;
}

/** Two identities of 10 million share the first place of their hash with a probability of 9%; sixteen never do. */
const slotsPerHash = 16;
/** Rows in one INSERT; see `RecordWriter`. */
const rowsPerInsert = 8;

const none: readonly IdentityRow[] = [];

interface NewIdentity extends IdentityRow {
  readonly stream: number;
}

/**
 * Finds records by what the client said identifies them. The hash is the key of a table, so a lookup is one step; two
 * identities with one hash are told apart by the identity bytes of their record ids and stand next to each other. All
 * places are looked at, not only up to the first free one: retention leaves gaps.
 *
 * Keys are random, so each lookup and each insert of its own would touch another page of the table. `expect` reads all
 * that a transaction will ask for and `flush` writes all that it added, each in the order of the keys. What is added goes to a
 * small table first, which `IdentityMerge` empties. Together: 38,000 events/s became 46,000 at a million identities.
 */
export class IdentityIndex {
  readonly #database: Database;
  readonly #find: StatementSync;
  /** By first place: what the table held when it was read, and what was added since. */
  readonly #known = new Map<number, readonly IdentityRow[]>();
  readonly #added: NewIdentity[] = [];

  constructor(database: Database) {
    this.#database = database;
    this.#find = database.statement(
      `SELECT hash, record_id, content FROM identities WHERE hash BETWEEN ?1 AND ?2 UNION ALL
         SELECT hash, record_id, content FROM identities_recent WHERE hash BETWEEN ?1 AND ?2`,
    );
  }

  /** Reads what is known of these identities (53-bit hashes), so that asking for them costs nothing. */
  expect(identities: readonly number[]): void {
    if (identities.length === 0) return;
    const sorted = Float64Array.from(identities, firstPlace).sort();
    const places = sorted.filter((place, index) => place !== sorted[index - 1]);
    for (const place of places) this.#known.set(place, none);
    const list = `[${places.join(",")}]`;
    for (const table of ["identities", "identities_recent"]) {
      const rows = this.#database.all<IdentityRow>(
        `SELECT hash, record_id, content FROM json_each(?) CROSS JOIN ${table}
           ON hash BETWEEN json_each.value AND json_each.value + ${slotsPerHash - 1}`,
        list,
      );
      for (const row of rows) this.#add(firstPlace(row.hash), row);
    }
  }

  /** `identity` is the 53-bit hash, `bytes` a record id (or more) whose bytes 6 to 16 are the identity's. */
  lookup(identity: number, bytes: Uint8Array, content: number): IdentityLookup {
    const first = firstPlace(identity);
    const rows = this.#rows(first);
    if (rows.length === 0) return { kind: "new", slot: first };
    const found = rows.find((row) => sameIdentity(row.record_id, bytes));
    if (found) return { kind: found.content === content ? "duplicate" : "conflict", recordId: found.record_id };
    const taken = new Set(rows.map(({ hash }) => hash));
    let slot = first;
    while (taken.has(slot)) slot++;
    assert(slot < first + slotsPerHash, "fewer than 16 identities share the first place of their hash");
    return { kind: "new", slot };
  }

  /** Whether a stored record has this hash and this content, for events of which no identity bytes are known. */
  holds(identity: number, content: number): boolean {
    return this.#rows(firstPlace(identity)).some((row) => row.content === content);
  }

  /** The record with this identity, or null. */
  find(identity: number, bytes10: Uint8Array): RecordId | null {
    const rows = this.#rows(firstPlace(identity));
    return rows.find(({ record_id }) => Buffer.compare(record_id.subarray(6), bytes10) === 0)?.record_id ?? null;
  }

  /** Takes the place that `lookup` found; in the table after `flush`. */
  insert(slot: number, stream: number, recordId: RecordId, content: number): void {
    const row = { hash: slot, stream, record_id: recordId, content };
    this.#add(firstPlace(slot), row);
    this.#added.push(row);
  }

  /** Forgets the identity of a record that was there before this transaction. */
  remove(identity: number, recordId: RecordId): void {
    const first = firstPlace(identity);
    this.#known.set(
      first,
      this.#rows(first).filter((row) => Buffer.compare(row.record_id, recordId) !== 0),
    );
    for (const table of ["identities", "identities_recent"]) {
      const sql = `DELETE FROM ${table} WHERE hash BETWEEN ? AND ? AND record_id = ?`;
      this.#database.run(sql, first, first + slotsPerHash - 1, recordId);
    }
  }

  /** Writes what was inserted. Belongs to the end of the transaction. */
  flush(merge: IdentityMerge): void {
    const rows = this.#added.sort((left, right) => left.hash - right.hash);
    for (let start = 0; start < rows.length; start += rowsPerInsert) {
      const part = rows.slice(start, start + rowsPerInsert);
      const sql = `INSERT OR FAIL INTO identities_recent VALUES ${part.map(() => "(?, ?, ?, ?)").join(", ")}`;
      this.#database.run(
        sql,
        ...part.flatMap(({ hash, stream, record_id, content }) => [hash, stream, record_id, content]),
      );
    }
    if (rows.length > 0) merge.run();
    this.#added.length = 0;
  }

  #add(first: number, row: IdentityRow): void {
    const rows = this.#rows(first);
    this.#known.set(first, rows.length === 0 ? [row] : [...rows, row]);
  }

  #rows(first: number): readonly IdentityRow[] {
    return (
      this.#known.get(first) ?? (this.#find.all(first, first + slotsPerHash - 1) as unknown as readonly IdentityRow[])
    );
  }
}

/** Identities that wait for their move into the large table: about 2 MB. */
const recentMax = 60_000;
/** Parts of the range of hashes, moved one at a time. */
const slices = 8;

/**
 * Moves identities from the table of recent ones into the large one, a part of the range after the other: several then
 * share each page that is written, and no commit does much of it.
 */
export class IdentityMerge {
  readonly #database: Database;
  #slice = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Part of a transaction that added identities. */
  run(): void {
    // Counted each time (under 1 ms) rather than remembered: a transaction that is rolled back takes its rows with it.
    const counted = this.#database.get<{ count: number }>("SELECT count(*) AS count FROM identities_recent");
    for (let recent = counted?.count ?? 0; recent > recentMax; ) recent -= this.#moveSlice();
  }

  #moveSlice(): number {
    const width = 2 ** 53 / slices;
    const [from, end] = [this.#slice * width, (this.#slice + 1) * width];
    this.#slice = (this.#slice + 1) % slices;
    this.#database.run(
      "INSERT OR FAIL INTO identities SELECT * FROM identities_recent WHERE hash >= ? AND hash < ? ORDER BY hash",
      from,
      end,
    );
    return this.#database.run("DELETE FROM identities_recent WHERE hash >= ? AND hash < ?", from, end);
  }
}

function firstPlace(identity: number): number {
  return identity - (identity % slotsPerHash);
}

function sameIdentity(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left.subarray(6), right.subarray(6)) === 0;
}
