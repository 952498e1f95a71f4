import type { FailureEdit, FailureHead } from "../../model/failure.ts";
import { recordIdText } from "../../model/record.ts";
import type { FailureWithPayload, LoadedFailure } from "../../ports/failure-log.ts";
import type { Database } from "./database.ts";
import { findFailure, readPayload, toFailure } from "./failure-rows.ts";

// CROSS JOIN fixes the order: the given ids first, each by its index.
const headSelect = `SELECT failures.id, streams.name, state, attempts, recoverable, raw_key, raw_index, payload_bytes,
  edit, job_id, record_id, note
  FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value
    JOIN streams ON streams.id = failures.stream WHERE failures.tenant = ?`;

/** As `headSelect` has them. */
type HeadRow = readonly [
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
  return rows.map((row) => new LoadedRow(database, tenant, row));
}

class LoadedRow implements LoadedFailure {
  readonly head: FailureHead;
  readonly #database: Database;
  readonly #tenant: string;

  constructor(database: Database, tenant: string, row: HeadRow) {
    this.head = toHead(row);
    this.#database = database;
    this.#tenant = tenant;
  }

  whole(): FailureWithPayload | null {
    const row = findFailure(this.#database, this.#tenant, this.head.id);
    const payload = row && readPayload(this.#database, row.number);
    return row && payload && { failure: toFailure(row), payload };
  }
}

function toHead(row: HeadRow): FailureHead {
  return {
    id: row[0],
    stream: row[1],
    state: row[2],
    attempts: row[3],
    recoverable: row[4] === 1,
    rawKey: row[5],
    rawIndex: row[6],
    payloadBytes: row[7],
    edit: row[8] === null ? null : (JSON.parse(row[8]) as FailureEdit),
    jobId: row[9],
    recordId: row[10] && recordIdText(row[10]),
    note: row[11],
  };
}
