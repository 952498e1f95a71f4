import type { Failure, FailureEdit } from "../../model/failure.ts";
import { recordIdText } from "../../model/record.ts";
import type { FailureWithPayload } from "../../ports/failure-log.ts";
import type { Database } from "./database.ts";

// CROSS JOIN fixes the order: the given ids first, each by its index.
const loadSelect = `SELECT payload, failures.id, failures.tenant, streams.name, door, state, class, stage, code, errors,
  attempts, first_seen_at, last_seen_at, expires_at, trace_id, principal, contract_version, fingerprint, recoverable,
  recoverable_why, raw_key, raw_index, event_id, content_type, headers, payload_bytes, payload_sha256, edit, job_id,
  record_id, note, version
  FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value
    JOIN streams ON streams.id = failures.stream JOIN failure_payloads ON failure_payloads.failure = failures.number
  WHERE failures.tenant = ?`;

/** As `loadSelect` has them. */
type LoadedRow = readonly [
  payload: Uint8Array,
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
  return database.arrays<LoadedRow>(loadSelect, JSON.stringify([...new Set(ids)]), tenant).map(loaded);
}

function loaded(row: LoadedRow): FailureWithPayload {
  const failure: Failure = {
    id: row[1],
    tenant: row[2],
    stream: row[3],
    door: row[4],
    state: row[5],
    class: row[6],
    stage: row[7],
    code: row[8],
    errors: JSON.parse(row[9]) as Failure["errors"],
    attempts: row[10],
    firstSeenAt: row[11],
    lastSeenAt: row[12],
    expiresAt: row[13],
    traceId: row[14],
    principal: row[15],
    contractVersion: row[16],
    fingerprint: row[17],
    recoverable: row[18] === 1,
    recoverableWhy: row[19],
    rawKey: row[20],
    rawIndex: row[21],
    eventId: row[22],
    contentType: row[23],
    headers: JSON.parse(row[24]) as Failure["headers"],
    payloadBytes: row[25],
    payloadSha256: row[26],
    edit: row[27] === null ? null : (JSON.parse(row[27]) as FailureEdit),
    jobId: row[28],
    recordId: row[29] && recordIdText(row[29]),
    note: row[30],
    version: row[31],
  };
  return { failure, payload: row[0] };
}
