import type { AuditDraft } from "../../model/audit.ts";
import { EventPulseError } from "../../model/error.ts";
import type { Failure, FailureDraft } from "../../model/failure.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import { insertAudit } from "./audit-log.ts";
import { addToCounters, emptyTally, type Tally } from "./counters.ts";
import type { Clock, Database } from "./database.ts";
import { queryFailures } from "./failure-query.ts";
import { type FailureRow, findFailure, insertFailure, readPayload, toFailure } from "./failure-rows.ts";
import { PendingIssues } from "./issue-rows.ts";
import { loadFailures } from "./load-failures.ts";
import { addToObject } from "./object-marker.ts";
import { streamNumber } from "./stream-number.ts";
import { insertWork } from "./work-queue.ts";

export interface SqliteFailureLog extends FailureLog {
  /** `discardAll` inside a transaction of the caller. */
  discardAllSync(tenant: string, ids: readonly string[], note: string): readonly ("discarded" | "skipped" | "gone")[];
}

/** Failures in the embedded database. Reading works on a reading connection too. */
export function sqliteFailureLog(database: Database, clock: Clock): SqliteFailureLog {
  const discardAllSync: SqliteFailureLog["discardAllSync"] = (tenant, ids, note) =>
    database.transaction(() => discardEach(database, tenant, ids, note));
  /** One change that somebody asked for, with its audit entry; null when there is no such failure. Throws STATE_CONFLICT, ETAG_STALE. */
  function change(
    { tenant, id, version, audit }: ChangeRequest,
    verb: string,
    write: (failure: FailureRow) => void,
  ): Failure | null {
    return database.transaction(() => {
      const failure = findFailure(database, tenant, id);
      if (failure === null) return null;
      checkState(failure, version, verb);
      write(failure);
      insertAudit(database, clock, audit);
      const changed = findFailure(database, tenant, id);
      return changed && toFailure(changed);
    });
  }

  return {
    async query(query) {
      const { rows, next } = queryFailures(database, clock, query);
      return { rows: rows.map(toFailure), next };
    },
    async get(tenant, id) {
      const row = findFailure(database, tenant, id);
      return row && toFailure(row);
    },
    async payload(tenant, id) {
      const failure = findFailure(database, tenant, id);
      return failure && readPayload(database, failure.number);
    },
    async load(tenant, ids) {
      return loadFailures(database, tenant, ids);
    },
    async retry(tenant, id, version, audit) {
      return change({ tenant, id, version, audit }, "retried", (failure) => {
        const moves = new Moves(database);
        moves.retry(failure);
        moves.write();
        const { stream, attempts } = failure;
        insertWork(database, [{ kind: "failure", tenant, stream, failureId: id, attempt: attempts + 1 }], clock());
      });
    },
    async discard(tenant, id, version, note, audit) {
      return change({ tenant, id, version, audit }, "discarded", (failure) => {
        const moves = new Moves(database);
        moves.discard(failure, note);
        moves.write();
      });
    },
    async edit(tenant, id, version, edit, audit) {
      return change({ tenant, id, version, audit }, "edited", ({ number }) => {
        const json = edit && JSON.stringify(edit);
        database.run("UPDATE failures SET edit = ?, version = version + 1 WHERE number = ?", json, number);
      });
    },
    discardAllSync,
    async discardAll(tenant, ids, note) {
      return discardAllSync(tenant, ids, note);
    },
    async add(rawKey, meta, expiresAt, drafts) {
      database.transaction(() => addEach(database, rawKey, meta, drafts, expiresAt, clock()));
    },
  };
}

interface ChangeRequest {
  readonly tenant: string;
  readonly id: string;
  readonly version: number | null;
  readonly audit: AuditDraft;
}

function addEach(
  database: Database,
  rawKey: string,
  meta: RawMeta,
  drafts: readonly FailureDraft[],
  expiresAt: number,
  now: number,
): void {
  const stream = streamNumber(database, meta.tenant, meta.stream);
  const added = emptyTally();
  const issues = new PendingIssues();
  for (const draft of drafts) {
    if (insertFailure(database, draft, { stream, rawKey, meta, expiresAt, now }, issues)) added[draft.state]++;
  }
  issues.write(database);
  addToCounters(database, stream, added.quarantined + added.dead, added);
}

function discardEach(database: Database, tenant: string, ids: readonly string[], note: string) {
  const moves = new Moves(database);
  const results = ids.map((id) => {
    const failure = findFailure(database, tenant, id);
    if (failure === null) return "gone";
    if (!isWaiting(failure)) return "skipped";
    moves.discard(failure, note);
    return "discarded";
  });
  moves.write();
  return results;
}

/** Failures that leave `quarantined` or `dead` in one transaction; counters and issues are written at its end. */
class Moves {
  readonly #database: Database;
  readonly #issues = new PendingIssues();
  readonly #counters = new Map<number, Tally>();

  constructor(database: Database) {
    this.#database = database;
  }

  retry(failure: FailureRow): void {
    this.#move(failure, "retrying", null);
  }

  discard(failure: FailureRow, note: string): void {
    this.#move(failure, "discarded", note);
    this.#issues.ended(failure, "discarded");
  }

  write(): void {
    this.#issues.write(this.#database);
    for (const [stream, tally] of this.#counters) addToCounters(this.#database, stream, 0, tally);
  }

  #move(failure: FailureRow, to: "retrying" | "discarded", note: string | null): void {
    this.#database.run(
      "UPDATE failures SET state = ?, note = coalesce(?, note), version = version + 1 WHERE number = ?",
      to,
      note,
      failure.number,
    );
    const from = failure.state === "dead" ? "dead" : "quarantined";
    const target = to === "retrying" ? "retrying" : "dropped";
    addToObject(this.#database, { key: failure.rawKey }, { ...emptyTally(), [from]: -1, [target]: 1 });
    const counted = this.#counters.get(failure.streamNumber) ?? emptyTally();
    this.#counters.set(failure.streamNumber, counted);
    counted[from]--;
    counted[target]++;
  }
}

function isWaiting({ state }: FailureRow): boolean {
  return state === "quarantined" || state === "dead";
}

function checkState(failure: FailureRow, version: number | null, to: string): void {
  if (version !== null && version !== failure.version) {
    throw new EventPulseError(
      "ETAG_STALE",
      `Failure ${failure.id} is at version ${failure.version}, not ${version}: read it again, then repeat the change.`,
    );
  }
  if (isWaiting(failure)) return;
  throw new EventPulseError(
    "STATE_CONFLICT",
    `Failure ${failure.id} is ${failure.state}: only one that is quarantined or dead can be ${to}.`,
  );
}
