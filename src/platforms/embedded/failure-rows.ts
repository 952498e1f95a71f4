import { hash } from "node:crypto";
import type { SQLInputValue } from "node:sqlite";
import type { Failure, FailureDraft, FailureEdit, FailureState } from "../../model/failure.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { recordIdText } from "../../model/record.ts";
import type { Database } from "./database.ts";
import type { EndingFailure } from "./ending-failures.ts";
import type { IdentityIndex } from "./identity-index.ts";
import type { IssueMember, PendingIssues } from "./issue-rows.ts";
import { expiryTime } from "./record-batches.ts";

/** As in `Failure`. */
const failureColumns = `failures.id, failures.tenant, streams.name AS stream, door, state, class, stage, code, errors,
  attempts, first_seen_at AS firstSeenAt, last_seen_at AS lastSeenAt, expires_at AS expiresAt, trace_id AS traceId,
  principal, contract_version AS contractVersion, fingerprint, recoverable, recoverable_why AS recoverableWhy,
  raw_key AS rawKey, raw_index AS rawIndex, event_id AS eventId, content_type AS contentType, headers,
  payload_bytes AS payloadBytes, payload_sha256 AS payloadSha256, edit, job_id AS jobId, record_id AS recordId, note,
  version`;
export const failureSelect = `SELECT failures.number, failures.stream AS streamNumber, ${failureColumns},
  last_seen_at AS page_time, failures.id AS page_id FROM failures
  JOIN failure_details ON failure = failures.number JOIN streams ON streams.id = failures.stream`;

export interface FailureRow extends Omit<Failure, "errors" | "recoverable" | "headers" | "edit" | "recordId"> {
  /** Key of its details. */
  readonly number: number;
  readonly streamNumber: number;
  readonly errors: string;
  readonly recoverable: number;
  readonly headers: string;
  readonly edit: string | null;
  readonly recordId: Uint8Array | null;
}

export function findFailure(database: Database, tenant: string, id: string): FailureRow | null {
  return database.get<FailureRow>(`${failureSelect} WHERE failures.tenant = ? AND failures.id = ?`, tenant, id);
}

export function readPayload(database: Database, number: number): Uint8Array | null {
  const sql = "SELECT payload FROM failure_details WHERE failure = ?";
  return database.get<{ payload: Uint8Array }>(sql, number)?.payload ?? null;
}

export function toFailure(row: FailureRow): Failure {
  const { number: _number, streamNumber: _streamNumber, ...rest } = row;
  const { page_time: _time, page_id: _id, ...failure } = rest as typeof rest & { page_time: number; page_id: string };
  return { ...failure, ...parsedColumns(row) };
}

function parsedColumns(row: FailureRow): Pick<Failure, "errors" | "recoverable" | "headers" | "edit" | "recordId"> {
  return {
    errors: JSON.parse(row.errors) as Failure["errors"],
    recoverable: row.recoverable === 1,
    headers: JSON.parse(row.headers) as Failure["headers"],
    edit: row.edit === null ? null : (JSON.parse(row.edit) as FailureEdit),
    recordId: row.recordId && recordIdText(row.recordId),
  };
}

/** Where a failure comes from. */
export interface FailureOrigin {
  readonly stream: number;
  readonly rawKey: string;
  readonly meta: RawMeta;
  readonly expiresAt: number;
  readonly now: number;
}

/**
 * Writes a failure with its payload. False when its id is there already; then nothing changes. Retention works by the
 * minute, so the expiry is rounded up to one.
 */
export function insertFailure(
  database: Database,
  draft: FailureDraft,
  origin: FailureOrigin,
  issues: PendingIssues,
): boolean {
  const { meta, now } = origin;
  const { changes, lastInsertRowid } = insertRow(database, "failures", {
    id: draft.id,
    tenant: meta.tenant,
    stream: origin.stream,
    state: draft.state,
    class: draft.class,
    stage: draft.stage,
    code: draft.code,
    attempts: draft.attempts,
    first_seen_at: now,
    last_seen_at: now,
    expires_at: expiryTime(origin.expiresAt),
    fingerprint: draft.fingerprint,
    recoverable: draft.recoverable ? 1 : 0,
    raw_key: origin.rawKey,
    raw_index: draft.index,
    identity: draft.identity,
    content_hash: draft.contentHash,
    payload_bytes: draft.original.byteLength,
  });
  if (changes === 0) return false;
  insertRow(database, "failure_details", {
    failure: lastInsertRowid,
    door: meta.door,
    errors: JSON.stringify(draft.errors),
    trace_id: traceId(meta),
    principal: meta.principal,
    contract_version: draft.contractVersion,
    recoverable_why: draft.recoverableWhy,
    event_id: draft.eventId,
    content_type: meta.contentType,
    headers: JSON.stringify(meta.headers),
    payload_sha256: hash("sha256", draft.original, "hex"),
    payload: draft.original,
  });
  const { tenant } = meta;
  const { id, fingerprint } = draft;
  issues.added({ id, tenant, streamNumber: origin.stream, fingerprint, firstSeenAt: now }, draft, now);
  return true;
}

/** `values`: by the names of columns, the same ones for every row of a table. */
function insertRow(
  database: Database,
  table: "failures" | "failure_details",
  values: Readonly<Record<string, SQLInputValue>>,
) {
  const columns = Object.keys(values);
  const sql =
    insertSql.get(table) ??
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")}) ON CONFLICT DO NOTHING`;
  insertSql.set(table, sql);
  return database.statement(sql).run(...Object.values(values));
}

const insertSql = new Map<string, string>();

/**
 * Whether this event is here already: waiting as a failure (which is then seen again, and otherwise unchanged), or stored
 * as a record before its contract became stricter. Only events that the client identified can come twice.
 */
export function isKnownEvent(
  database: Database,
  identities: IdentityIndex,
  draft: FailureDraft,
  origin: FailureOrigin,
  issues: PendingIssues,
): boolean {
  if (draft.identity === null) return false;
  const waiting = database.all<IssueMember>(
    `UPDATE failures SET last_seen_at = ? WHERE identity = ? AND content_hash = ? AND stream = ?
       AND state IN ('quarantined', 'dead', 'retrying')
       RETURNING id, tenant, stream AS streamNumber, fingerprint, first_seen_at AS firstSeenAt`,
    origin.now,
    draft.identity,
    draft.contentHash,
    origin.stream,
  );
  for (const failure of waiting) issues.again(failure, null, origin.now);
  return waiting.length > 0 || identities.holds(draft.identity, draft.contentHash);
}

/** Ends a retry or a replay: `recovered`, or back to where the new draft belongs, or `retrying` for another attempt. */
export function endRetry(
  database: Database,
  failure: EndingFailure,
  now: number,
  change: {
    readonly state: FailureState;
    readonly recordId: Uint8Array | null;
    readonly draft: FailureDraft | null;
    readonly expiresAt: number;
    /** Null: no job; the one before stays. */
    readonly jobId: string | null;
  },
  issues: PendingIssues,
): void {
  const { draft, state, recordId, expiresAt, jobId } = change;
  // What was recovered was not seen failing: its times stay, and with them the entries of five indexes.
  database.run(
    `UPDATE failures SET state = ?, attempts = attempts + 1, record_id = ?, job_id = coalesce(?, job_id),
       version = version + 1 WHERE number = ?`,
    state,
    recordId,
    jobId,
    failure.number,
  );
  if (state === "recovered") {
    issues.ended(failure, "recovered");
    return;
  }
  database.run(
    "UPDATE failures SET last_seen_at = ?, expires_at = max(expires_at, ?) WHERE number = ?",
    now,
    expiryTime(expiresAt),
    failure.number,
  );
  issues.again(failure, draft, now);
  if (draft === null) return;
  database.run(
    "UPDATE failures SET class = ?, stage = ?, code = ?, fingerprint = ?, recoverable = ? WHERE number = ?",
    draft.class,
    draft.stage,
    draft.code,
    draft.fingerprint,
    draft.recoverable ? 1 : 0,
    failure.number,
  );
  database.run(
    "UPDATE failure_details SET errors = ?, contract_version = ?, recoverable_why = ? WHERE failure = ?",
    JSON.stringify(draft.errors),
    draft.contractVersion,
    draft.recoverableWhy,
    failure.number,
  );
}

/** The trace id of a W3C `traceparent` header (https://www.w3.org/TR/trace-context/#traceparent-header). */
function traceId({ headers }: RawMeta): string | null {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(headers["traceparent"] ?? "")?.[1] ?? null;
}
