import type { SQLInputValue } from "node:sqlite";
import type { ErrorDetail } from "../../model/error.ts";
import { causePointer } from "../../model/identity.ts";
import type { JobPlan, JobSelection } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Database } from "./database.ts";
import { failureConditions } from "./failure-query.ts";
import type { JobItems } from "./job-items.ts";
import { findStreamNumber } from "./stream-number.ts";

/** Issues that a plan names. */
const issuesMax = 20;

/** What a selection matches, as SQL: `SELECT {target} {from} ORDER BY {order}`. */
interface Selected {
  /** What an item of the job names. */
  readonly target: string;
  /** `FROM … WHERE …`. */
  readonly from: string;
  readonly order: string;
  readonly values: readonly SQLInputValue[];
}

/** Keeps what a selection matches at this moment as the items of a job, the first `max` of it; answers with how many. */
export function freezeSelection(
  database: Database,
  tenant: string,
  selection: JobSelection,
  items: JobItems,
  max: number,
): number {
  const { target, from, order, values } = selected(database, tenant, selection);
  return items.freeze(`SELECT ${target} ${from} ORDER BY ${order} LIMIT ?`, ...values, max);
}

/**
 * Counts what a selection matches, all of it. `replayable` and `unrecoverable` divide the failures in a state that a replay
 * takes, and only such a failure is an expected duplicate. 100,000 failures took 0.25 s beside a million identities.
 */
export function planJob(database: Database, tenant: string, selection: JobSelection): JobPlan {
  return selection.kind === "raw"
    ? planRaw(database, tenant, selection)
    : planFailures(database, selected(database, tenant, selection));
}

function selected(database: Database, tenant: string, selection: JobSelection): Selected {
  if (selection.kind === "raw") {
    const { stream, from, to } = selection;
    return {
      target: "objects.key",
      from: `FROM objects WHERE stream = ? AND key >= ? AND key < ? AND received_at >= ? AND received_at < ?
        AND committed_at IS NOT NULL`,
      order: "received_at, key",
      // The range of keys is what has an index. "0" is the character after "/".
      values: [findStreamNumber(database, tenant, stream), `raw/${stream}/`, `raw/${stream}0`, from, to],
    };
  }
  if (selection.kind === "ids") {
    return {
      target: "failures.id",
      // CROSS JOIN fixes the order: the given ids first.
      from: `FROM json_each(?) AS given CROSS JOIN failures ON failures.id = given.value WHERE failures.tenant = ?`,
      order: "given.key",
      values: [JSON.stringify([...new Set(selection.ids)]), tenant],
    };
  }
  const conditions = failureConditions(database, tenant, selection.filter);
  const waiting = selection.filter.state === null ? ["failures.state IN ('quarantined', 'dead')"] : [];
  return {
    target: "failures.id",
    from: `FROM failures WHERE ${[...conditions.map(([sql]) => sql), ...waiting].join(" AND ")}`,
    order: "failures.last_seen_at, failures.id",
    values: conditions.map(([, value]) => value),
  };
}

/** Part of a plan: the failures of one stream in one state. The last two are of the whole. */
interface PlanRow {
  readonly stream: string;
  readonly state: string;
  readonly items: number;
  readonly bytes: number;
  readonly oldestAt: number;
  readonly newestAt: number;
  readonly firstExpiresAt: number;
  readonly edited: number;
  readonly taken: number;
  readonly replayable: number;
  readonly duplicates: number;
  readonly issues: string;
}

// What a selection matches is looked up once, since its conditions may look into payloads, and kept aside without its
// payloads. Identities are looked up in their order: in that of the failures each would touch another page of the index.
const identityRow = (table: string) =>
  `EXISTS (SELECT 1 FROM ${table} WHERE hash BETWEEN identity - identity % 16 AND identity - identity % 16 + 15
     AND content = content_hash)`;
const planSql = (from: string) => `
  WITH selected AS MATERIALIZED (
    SELECT failures.number, failures.stream, failures.state, failures.code, failures.fingerprint, payload_bytes, first_seen_at,
      failures.expires_at, edit IS NOT NULL AS edited, identity, content_hash,
      failures.state IN ('quarantined', 'dead') AS taken,
      failures.state IN ('quarantined', 'dead') AND recoverable AND attempts < ${limits.replaysMax} AS replayable
    ${from}
  )
  SELECT streams.name AS stream, state, count(*) AS items, sum(payload_bytes) AS bytes, min(first_seen_at) AS oldestAt,
    max(first_seen_at) AS newestAt, min(expires_at) AS firstExpiresAt, sum(edited) AS edited, sum(taken) AS taken,
    sum(replayable) AS replayable,
    (SELECT count(*) FROM (SELECT identity, content_hash FROM selected WHERE taken AND identity IS NOT NULL
       ORDER BY identity LIMIT -1)
       WHERE ${identityRow("identities")} OR ${identityRow("identities_recent")}) AS duplicates,
    (SELECT json_group_array(json_object('fingerprint', fingerprint, 'count', count, 'code', code,
         'errors', json((SELECT errors FROM failure_details WHERE failure = example))) ORDER BY count DESC, fingerprint)
       FROM (SELECT fingerprint, count(*) AS count, code, min(number) AS example FROM selected GROUP BY fingerprint
         ORDER BY count(*) DESC, fingerprint LIMIT ${issuesMax})) AS issues
  FROM selected JOIN streams ON streams.id = selected.stream GROUP BY selected.stream, state`;

function planFailures(database: Database, { from, values }: Selected): JobPlan {
  const rows = database.prepare(planSql(from)).all(...values) as unknown as PlanRow[];
  const sum = (value: (row: PlanRow) => number) => rows.reduce((total, row) => total + value(row), 0);
  const least = (list: readonly number[]) => (list.length === 0 ? null : Math.min(...list));
  const newest = least(rows.map((row) => -row.newestAt));
  return {
    items: sum((row) => row.items),
    bytes: sum((row) => row.bytes),
    oldestAt: least(rows.map((row) => row.oldestAt)),
    newestAt: newest && -newest,
    firstExpiresAt: least(rows.map((row) => row.firstExpiresAt)),
    streams: countBy(rows, "stream"),
    states: countBy(rows, "state"),
    issues: readIssues(rows[0]?.issues ?? "[]"),
    edited: sum((row) => row.edited),
    duplicatesExpected: rows[0]?.duplicates ?? 0,
    replayable: sum((row) => row.replayable),
    unrecoverable: sum((row) => row.taken - row.replayable),
  };
}

function readIssues(json: string): JobPlan["issues"] {
  const rows = JSON.parse(json) as { fingerprint: string; count: number; code: string; errors: ErrorDetail[] }[];
  return rows.map(({ fingerprint, count, code, errors }) => ({
    id: `iss_${fingerprint}`,
    code,
    pointer: causePointer(errors),
    count,
  }));
}

function countBy(rows: readonly PlanRow[], column: "stream" | "state"): Record<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row[column], (counts.get(row[column]) ?? 0) + row.items);
  return Object.fromEntries(counts);
}

/** Raw objects have no size in the database, and no state that a job would not take. */
function planRaw(database: Database, tenant: string, selection: JobSelection & { readonly kind: "raw" }): JobPlan {
  const { from, values } = selected(database, tenant, selection);
  const row = database.get<Pick<JobPlan, "items" | "oldestAt" | "newestAt" | "firstExpiresAt">>(
    `SELECT count(*) AS items, min(received_at) AS oldestAt, max(received_at) AS newestAt,
       min(expires_at) AS firstExpiresAt ${from}`,
    ...values,
  );
  const items = row?.items ?? 0;
  return {
    items,
    bytes: 0,
    oldestAt: row?.oldestAt ?? null,
    newestAt: row?.newestAt ?? null,
    firstExpiresAt: row?.firstExpiresAt ?? null,
    streams: items === 0 ? {} : { [selection.stream]: items },
    states: {},
    issues: [],
    edited: 0,
    duplicatesExpected: 0,
    replayable: items,
    unrecoverable: 0,
  };
}
