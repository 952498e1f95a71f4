import type { FailureEdit, FailureHead } from "../../model/failure.ts";
import { recordIdText } from "../../model/record.ts";
import type { FailureWithPayload, LoadedFailure } from "../../ports/failure-log.ts";
import type { Database } from "./database.ts";
import { type EndingFailure, rememberLoaded } from "./ending-failures.ts";
import { findFailure, readPayload, toFailure } from "./failure-rows.ts";

// CROSS JOIN fixes the order: the given ids first, each by its index.
const headSelect = `SELECT given.key, number, failures.stream, fingerprint, first_seen_at, failures.id, streams.name,
  state, attempts, recoverable, raw_key, raw_index, payload_bytes, edit, job_id, record_id, note
  FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value
    JOIN streams ON streams.id = failures.stream WHERE failures.tenant = ?`;

/** As `headSelect` has them. */
type HeadRow = readonly [
  place: number,
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
 * Each of the given failures at the place of its id; null where there is none. A replay loads all that it takes, so rows come as
 * arrays (a whole failure took 8.5 us, and 13 with an object without a prototype for each row and a copy of that), and what
 * it rarely needs is read when it is asked for.
 */
export function loadFailures(database: Database, tenant: string, ids: readonly string[]): (LoadedFailure | null)[] {
  const loaded = new Array<LoadedFailure | null>(ids.length).fill(null);
  const ending: EndingFailure[] = [];
  for (const row of database.arrays<HeadRow>(headSelect, JSON.stringify(ids), tenant)) {
    const one = new LoadedRow(database, tenant, row);
    loaded[row[0]] = one;
    ending.push(one.ending);
  }
  rememberLoaded(database, ending);
  return loaded;
}

class LoadedRow implements LoadedFailure {
  readonly head: FailureHead;
  readonly ending: EndingFailure;
  readonly #database: Database;

  constructor(database: Database, tenant: string, row: HeadRow) {
    this.head = toHead(row);
    const { id, state, attempts } = this.head;
    const [_place, number, streamNumber, fingerprint, firstSeenAt] = row;
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
    id: row[5],
    stream: row[6],
    state: row[7],
    attempts: row[8],
    recoverable: row[9] === 1,
    rawKey: row[10],
    rawIndex: row[11],
    payloadBytes: row[12],
    edit: row[13] === null ? null : (JSON.parse(row[13]) as FailureEdit),
    jobId: row[14],
    recordId: row[15] && recordIdText(row[15]),
    note: row[16],
  };
}
