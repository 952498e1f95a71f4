import type { FailureEdit, FailureHead } from "../../model/failure.ts";
import { recordIdText } from "../../model/record.ts";
import type { FailureWithPayload, LoadedFailure } from "../../ports/failure-log.ts";
import type { Database } from "./database.ts";
import { type EndingFailure, rememberLoaded } from "./ending-failures.ts";
import { findFailure, readPayload, toFailure } from "./failure-rows.ts";

// CROSS JOIN fixes the order: the given ids first, each by its index.
const headSelect = `SELECT number, failures.stream, fingerprint, first_seen_at, failures.id, streams.name, state, attempts, recoverable, raw_key, raw_index, payload_bytes,
  edit, job_id, record_id, note
  FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value
    JOIN streams ON streams.id = failures.stream WHERE failures.tenant = ?`;

/** As `headSelect` has them. */
type HeadRow = readonly [
  number: number,
  streamNumber: number,
  fingerprint: string,
  firstSeenAt: number,
  id: FailureHead["id"],
  stream: FailureHead["stream"],
  state: FailureHead["state"],
  attempts: FailureHead["attempts"],
  recoverable: number,
  rawKey: FailureHead["rawKey"],
  rawIndex: FailureHead["rawIndex"],
  payloadBytes: FailureHead["payloadBytes"],
  edit: string | null,
  jobId: FailureHead["jobId"],
  recordId: Uint8Array | null,
  note: FailureHead["note"],
];

/**
 * Those of the given failures that are there. A replay loads all that it takes, so its rows come as arrays (8.5 us a whole
 * failure, 13 with an object without a prototype for each row and a copy of that), and what it rarely needs comes later.
 */
export function loadFailures(database: Database, tenant: string, ids: readonly string[]): LoadedFailure[] {
  const rows = database.arrays<HeadRow>(headSelect, JSON.stringify([...new Set(ids)]), tenant);
  const found = rows.map((row) => new LoadedRow(database, tenant, row));
  rememberLoaded(
    database,
    found.map(({ ending }) => ending),
  );
  return found;
}

class LoadedRow implements LoadedFailure {
  readonly head: FailureHead;
  readonly ending: EndingFailure;
  readonly #database: Database;

  constructor(database: Database, tenant: string, row: HeadRow) {
    this.head = toHead(row);
    const { id, state, attempts } = this.head;
    const [number, streamNumber, fingerprint, firstSeenAt] = row;
    this.ending = { number, id, tenant, streamNumber, fingerprint, firstSeenAt, state, attempts };
    this.#database = database;
  }

  whole(): FailureWithPayload | null {
    const row = findFailure(this.#database, this.ending.tenant, this.head.id);
    const payload = row && readPayload(this.#database, row.number);
    return row && payload && { failure: toFailure(row), payload };
  }
}

function toHead(row: HeadRow): FailureHead {
  return {
    id: row[4],
    stream: row[5],
    state: row[6],
    attempts: row[7],
    recoverable: row[8] === 1,
    rawKey: row[9],
    rawIndex: row[10],
    payloadBytes: row[11],
    edit: row[12] === null ? null : (JSON.parse(row[12]) as FailureEdit),
    jobId: row[13],
    recordId: row[14] && recordIdText(row[14]),
    note: row[15],
  };
}
