import type { Failure, FailureEdit } from "../../model/failure.ts";
import { recordIdText } from "../../model/record.ts";
import type { FailureWithPayload } from "../../ports/failure-log.ts";
import type { Database } from "./database.ts";

// CROSS JOIN fixes the order: the given ids first, each by its index.
const loadSelect = `SELECT failures.id, failures.tenant, streams.name, door, state, class, stage, code, errors,
  attempts, first_seen_at, last_seen_at, expires_at, trace_id, principal, contract_version, fingerprint, recoverable,
  recoverable_why, raw_key, raw_index, event_id, content_type, headers, payload_bytes, payload_sha256, edit, job_id,
  record_id, note, version
  FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value
    JOIN streams ON streams.id = failures.stream WHERE failures.tenant = ?`;

/** As `loadSelect` has them. */
type LoadedRow = readonly [
  id: Failure["id"],
  tenant: Failure["tenant"],
  stream: Failure["stream"],
  door: Failure["door"],
  state: Failure["state"],
  failureClass: Failure["class"],
  stage: Failure["stage"],
  code: Failure["code"],
  errors: string,
  attempts: Failure["attempts"],
  firstSeenAt: Failure["firstSeenAt"],
  lastSeenAt: Failure["lastSeenAt"],
  expiresAt: Failure["expiresAt"],
  traceId: Failure["traceId"],
  principal: Failure["principal"],
  contractVersion: Failure["contractVersion"],
  fingerprint: Failure["fingerprint"],
  recoverable: number,
  recoverableWhy: Failure["recoverableWhy"],
  rawKey: Failure["rawKey"],
  rawIndex: Failure["rawIndex"],
  eventId: Failure["eventId"],
  contentType: Failure["contentType"],
  headers: string,
  payloadBytes: Failure["payloadBytes"],
  payloadSha256: Failure["payloadSha256"],
  edit: string | null,
  jobId: Failure["jobId"],
  recordId: Uint8Array | null,
  note: Failure["note"],
  version: Failure["version"],
];

/**
 * Those of the given failures that are there, with their payloads. A replay loads all that it takes, so its rows come as
 * arrays: 8.5 us a failure, and 13 us with an object without a prototype for each row and a copy of that.
 */
export function loadFailures(database: Database, tenant: string, ids: readonly string[]): FailureWithPayload[] {
  const rows = database.arrays<LoadedRow>(loadSelect, JSON.stringify([...new Set(ids)]), tenant);
  return rows.map((row) => new LoadedFailure(database, row));
}

/**
 * Reads its payload when it is asked for, since a replay needs it only where the raw object is gone: 75 us of CPU for a
 * replayed failure instead of 81, medians of 11 alternated runs. Empty when retention has removed the failure since it was loaded:
 * then it is no event, and nothing is left to be recovered.
 */
class LoadedFailure implements FailureWithPayload {
  readonly failure: Failure;
  readonly #database: Database;

  constructor(database: Database, row: LoadedRow) {
    this.failure = toFailure(row);
    this.#database = database;
  }

  get payload(): Uint8Array {
    return readPayload(this.#database, this.failure.id) ?? new Uint8Array(0);
  }
}

function toFailure(row: LoadedRow): Failure {
  return {
    id: row[0],
    tenant: row[1],
    stream: row[2],
    door: row[3],
    state: row[4],
    class: row[5],
    stage: row[6],
    code: row[7],
    errors: JSON.parse(row[8]) as Failure["errors"],
    attempts: row[9],
    firstSeenAt: row[10],
    lastSeenAt: row[11],
    expiresAt: row[12],
    traceId: row[13],
    principal: row[14],
    contractVersion: row[15],
    fingerprint: row[16],
    recoverable: row[17] === 1,
    recoverableWhy: row[18],
    rawKey: row[19],
    rawIndex: row[20],
    eventId: row[21],
    contentType: row[22],
    headers: JSON.parse(row[23]) as Failure["headers"],
    payloadBytes: row[24],
    payloadSha256: row[25],
    edit: row[26] === null ? null : (JSON.parse(row[26]) as FailureEdit),
    jobId: row[27],
    recordId: row[28] && recordIdText(row[28]),
    note: row[29],
    version: row[30],
  };
}

function readPayload(database: Database, id: string): Uint8Array | null {
  // By id: after retention the number of a failure may be another's.
  const sql = "SELECT payload FROM failures JOIN failure_payloads ON failure = number WHERE id = ?";
  return database.get<{ payload: Uint8Array }>(sql, id)?.payload ?? null;
}
