import { assert } from "../../model/error.ts";
import type { FailureDraft } from "../../model/failure.ts";
import { causePointer } from "../../model/identity.ts";
import type { Issue, IssueNotice, IssueState } from "../../model/issue.ts";
import { retentionMillisDefault } from "../../model/limits.ts";
import type { Database } from "./database.ts";

export const issueSelect = `SELECT issues.number, issues.id, issues.tenant, streams.name AS stream, fingerprint, class,
  stage, code, pointer, detail, contract_version AS contractVersion, state, owner, note, first_seen_at AS firstSeenAt,
  last_seen_at AS lastSeenAt, total, waiting, recovered, discarded, example_id AS exampleId, version, notice,
  last_seen_at AS page_time, issues.id AS page_id FROM issues JOIN streams ON streams.id = issues.stream`;

export interface IssueRow extends Issue {
  readonly number: number;
  readonly notice: string | null;
}

export function findIssue(database: Database, tenant: string, id: string): IssueRow | null {
  return database.get<IssueRow>(`${issueSelect} WHERE issues.tenant = ? AND issues.id = ?`, tenant, id);
}

export function toIssue(row: IssueRow): Issue {
  const { number: _number, notice: _notice, ...rest } = row;
  const { page_time: _time, page_id: _id, ...issue } = rest as typeof rest & { page_time: number; page_id: string };
  return issue;
}

export function toNotice({ notice }: IssueRow): IssueNotice | null {
  return notice === null ? null : (JSON.parse(notice) as IssueNotice);
}

export const hourMillis = 3_600_000;

/** What an issue needs to know of a failure. */
export interface IssueMember {
  readonly id: string;
  readonly tenant: string;
  readonly streamNumber: number;
  readonly fingerprint: string;
  readonly firstSeenAt: number;
}

/** By how much one issue changes in a transaction. */
interface IssueChange {
  readonly tenant: string;
  readonly stream: number;
  readonly fingerprint: string;
  /** The first failure that came to it; null: none did. */
  cause: FailureDraft | null;
  exampleId: string | null;
  /** One of its failures was recovered, discarded, or turned out to have another cause. */
  ended: boolean;
  /** One of its failures is not its own any more: it has another cause, or it has expired. */
  left: boolean;
  total: number;
  waiting: number;
  recovered: number;
  discarded: number;
  firstSeenAt: number;
  lastSeenAt: number;
  readonly hours: Map<number, number>;
}

/**
 * Gathers what happens to failures in one transaction, then writes each issue once. Belongs to every transaction that
 * writes, ends or deletes failures; `quarantined`, `dead` and `retrying` ones are waiting.
 */
export class PendingIssues {
  readonly #changes = new Map<string, IssueChange>();
  #last: IssueChange | null = null;

  /** A new failure. */
  added(member: IssueMember, cause: FailureDraft, now: number): void {
    const change = this.#seen(member, now);
    change.cause ??= cause;
    change.exampleId = member.id;
    change.total++;
    change.waiting++;
    if (member.firstSeenAt < change.firstSeenAt) change.firstSeenAt = member.firstSeenAt;
    const hour = Math.floor(member.firstSeenAt / hourMillis);
    change.hours.set(hour, (change.hours.get(hour) ?? 0) + 1);
  }

  /** A failure that waits was seen again, or failed again. With `cause` it fails for that one now: it leaves one issue for another. */
  again(member: IssueMember, cause: FailureDraft | null, now: number): void {
    if (cause === null || cause.fingerprint === member.fingerprint) {
      this.#seen(member, now);
      return;
    }
    const change = this.#change(member);
    change.ended = true;
    change.left = true;
    change.total--;
    change.waiting--;
    const hour = Math.floor(member.firstSeenAt / hourMillis);
    change.hours.set(hour, (change.hours.get(hour) ?? 0) - 1);
    this.added({ ...member, fingerprint: cause.fingerprint }, cause, now);
  }

  /** A failure that waited is over. */
  ended(member: IssueMember, as: "recovered" | "discarded"): void {
    const change = this.#change(member);
    change.ended = true;
    change.waiting--;
    change[as]++;
  }

  /** Retention removes a failure: from then on it is in `total` alone. */
  expired(member: IssueMember, from: "waiting" | "recovered" | "discarded"): void {
    const change = this.#change(member);
    change.left = true;
    change[from]--;
  }

  write(database: Database): void {
    for (const change of this.#changes.values()) {
      const issue = writeIssue(database, change);
      if (change.left) renewExample(database, issue);
      for (const [hour, count] of change.hours) {
        database.run(
          "INSERT INTO issue_hours VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
          issue,
          hour,
          count,
        );
        if (count < 0) database.run("DELETE FROM issue_hours WHERE issue = ? AND hour = ? AND count = 0", issue, hour);
      }
    }
    countFailures(database, [...this.#changes.values()]);
  }

  #seen(member: IssueMember, now: number): IssueChange {
    const change = this.#change(member);
    if (now > change.lastSeenAt) change.lastSeenAt = now;
    return change;
  }

  #change({ tenant, streamNumber, fingerprint }: IssueMember): IssueChange {
    const last = this.#last;
    if (last?.fingerprint === fingerprint && last.tenant === tenant) return last;
    const key = `${tenant}\n${fingerprint}`;
    let change = this.#changes.get(key);
    if (change === undefined) {
      change = {
        tenant,
        stream: streamNumber,
        fingerprint,
        cause: null,
        exampleId: null,
        ended: false,
        left: false,
        total: 0,
        waiting: 0,
        recovered: 0,
        discarded: 0,
        firstSeenAt: Number.POSITIVE_INFINITY,
        lastSeenAt: 0,
        hours: new Map(),
      };
      this.#changes.set(key, change);
    }
    this.#last = change;
    return change;
  }
}

/** What expires is not taken back: counters only grow. */
function countFailures(database: Database, changes: readonly IssueChange[]): void {
  for (const [stream, ofStream] of Map.groupBy(changes, (change) => change.stream)) {
    let [written, drained] = [0, 0];
    for (const { total, recovered, discarded } of ofStream) {
      written += total;
      drained += Math.max(recovered, 0) + Math.max(discarded, 0);
    }
    if (written === 0 && drained === 0) continue;
    database.run(
      `INSERT INTO failure_counters VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET written = written + excluded.written, drained = drained + excluded.drained`,
      stream,
      written,
      drained,
    );
  }
}

/** Answers with the number of the row. */
function writeIssue(database: Database, change: IssueChange): number {
  const { tenant, fingerprint, total, waiting, recovered, discarded, exampleId, lastSeenAt } = change;
  const id = `iss_${fingerprint}`;
  const row = database.get<{ number: number; state: IssueState; waiting: number; first_seen_at: number }>(
    "SELECT number, state, waiting, first_seen_at FROM issues WHERE tenant = ? AND id = ?",
    tenant,
    id,
  );
  if (row === null) return insertIssue(database, id, change);
  const state = nextState(row.state, change, row.waiting + waiting);
  const entered = state === row.state ? 0 : 1;
  database.run(
    `UPDATE issues SET state = ?, version = version + ?, unnoticed = max(unnoticed, ?), total = total + ?,
       waiting = waiting + ?, recovered = recovered + ?, discarded = discarded + ?, first_seen_at = ?,
       last_seen_at = max(last_seen_at, ?), example_id = coalesce(?, example_id) WHERE number = ?`,
    state,
    entered,
    Math.max(entered, exampleId === null ? 0 : 1),
    total,
    waiting,
    recovered,
    discarded,
    Math.min(row.first_seen_at, change.firstSeenAt),
    lastSeenAt,
    exampleId,
    row.number,
  );
  return row.number;
}

function insertIssue(database: Database, id: string, change: IssueChange): number {
  const { tenant, stream, fingerprint, cause, firstSeenAt, lastSeenAt, total, waiting, recovered, discarded } = change;
  assert(cause !== null, "an issue begins with a failure, and stays as long as it has one");
  const { lastInsertRowid } = database
    .statement(
      `INSERT INTO issues (id, tenant, stream, fingerprint, class, stage, code, pointer, detail, contract_version, state,
         first_seen_at, last_seen_at, total, waiting, recovered, discarded, example_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      tenant,
      stream,
      fingerprint,
      cause.class,
      cause.stage,
      cause.code,
      causePointer(cause.errors),
      cause.errors[0]?.detail ?? "",
      cause.contractVersion,
      nextState("open", change, waiting),
      firstSeenAt,
      lastSeenAt,
      total,
      waiting,
      recovered,
      discarded,
      change.exampleId,
    );
  return Number(lastInsertRowid);
}

/** What a transaction makes of the state, see `IssueState`. Expiry resolves nothing: what expires was not mended. */
function nextState(state: IssueState, { cause, ended }: IssueChange, waiting: number): IssueState {
  if (state === "ignored") return state;
  if (ended && waiting === 0) return "resolved";
  return state === "resolved" && cause !== null ? "regressed" : state;
}

/** Takes the failure that was seen last when the example has left; without one the example stays, gone as it is. */
function renewExample(database: Database, issue: number): void {
  database.run(
    `UPDATE issues SET example_id = coalesce((SELECT id FROM failures WHERE failures.tenant = issues.tenant
         AND failures.fingerprint = issues.fingerprint ORDER BY last_seen_at DESC, id DESC LIMIT 1), example_id)
       WHERE number = ? AND NOT EXISTS (SELECT 1 FROM failures WHERE failures.id = example_id
         AND failures.tenant = issues.tenant AND failures.fingerprint = issues.fingerprint)`,
    issue,
  );
}

/** Removes issues without a failure that were last seen 7 days ago, for a transaction of the caller. */
export function sweepIssues(database: Database, now: number, max: number): number {
  if (max <= 0) return 0;
  // By tenant, as the index is.
  const rows = database.all<{ number: number }>(
    `SELECT number FROM issues WHERE tenant IN (SELECT tenant FROM streams) AND last_seen_at <= ?
       AND waiting = 0 AND recovered = 0 AND discarded = 0 LIMIT ?`,
    now - retentionMillisDefault,
    max,
  );
  for (const { number } of rows) {
    database.run("DELETE FROM issue_hours WHERE issue = ?", number);
    database.run("DELETE FROM issues WHERE number = ?", number);
  }
  return rows.length;
}
