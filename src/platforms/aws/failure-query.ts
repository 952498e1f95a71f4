import { encodeCursor } from "../../model/cursor.ts";
import type { Failure } from "../../model/failure.ts";
import type { FailureFilter } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Page } from "../../model/page.ts";
import type { FailureQuery } from "../../ports/failure-log.ts";
import { conditionMatcher } from "./condition-matcher.ts";
import { type PayloadObjects, readPayloads } from "./failure-payloads.ts";
import { allShards, listKeys, shards, timeAndId } from "./item-keys.ts";
import { type ItemList, listPage } from "./list-page.ts";
import { type StoredFailure, storedFailure, toFailure } from "./stored-failure.ts";
import type { Table } from "./table.ts";

const kind = "failures";

/** Failures whose payloads are read at once, and at most for one page: 20,000 read units for payloads of 32 KB. */
const stretchMax = 100;
const scannedMax = 5_000;
/** Time that one page of a query over payloads may take, as for records. */
const scanMillisMax = 2_000;

/**
 * One page of failures. Where the filter looks into payloads, it looks at one stretch of the list after the other, and the
 * page ends early, with a cursor, when `scannedMax` failures or `scanMillisMax` are used up.
 */
export async function queryFailures(
  table: Table,
  objects: PayloadObjects | null,
  query: FailureQuery,
): Promise<Page<Failure>> {
  const list = failureList(table, query);
  const matches = payloadMatcher(query);
  if (matches === null) return listPage(list, query);

  const limit = Math.min(Math.max(1, query.limit), limits.pageRowsMax);
  const startedAt = performance.now();
  const rows: Failure[] = [];
  let { cursor } = query;
  for (let scanned = 0; ; ) {
    const stretch: Page<Failure> = await listPage(list, { limit: stretchMax, cursor, order: query.order });
    const payloads = await readPayloads(
      table,
      objects,
      stretch.rows.map(({ id }) => id),
    );
    for (const failure of stretch.rows) {
      const payload = payloads.get(failure.id);
      if (payload === undefined || !matches(payload)) continue;
      const last = rows[limit - 1];
      if (last !== undefined) return { rows, next: encodeCursor(kind, [timeAndId(last.lastSeenAt, last.id)]) };
      rows.push(failure);
    }
    cursor = stretch.next;
    scanned += stretchMax;
    const spent = scanned >= scannedMax || performance.now() - startedAt >= scanMillisMax;
    if (cursor === null || spent) return { rows, next: cursor };
  }
}

/** All but what the payloads must be asked for. */
function failureList(table: Table, query: FailureQuery): ItemList<Failure> {
  const { from, to } = query;
  const row = (failure: StoredFailure | null) => (failure !== null && fits(failure, query) ? toFailure(failure) : null);
  return {
    kind,
    table,
    ...failurePartitions(query.tenant, query),
    from,
    to,
    row: (item) => row(storedFailure(item, table.clock())),
  };
}

/** Where the failures of a filter are listed. */
export function failurePartitions(
  tenant: string,
  { fingerprint }: Pick<FailureFilter, "fingerprint">,
): Pick<ItemList<Failure>, "index" | "partitions"> {
  return fingerprint === null
    ? { index: "g1", partitions: allShards(shards.failures).map((shard) => listKeys.failures(tenant, shard)) }
    : {
        index: "g2",
        partitions: allShards(shards.failures).map((shard) => listKeys.failuresOfIssue(tenant, fingerprint, shard)),
      };
}

/** Whether a failure out of `failurePartitions` fits, but for the times and what its payload must be asked for. */
export function fits(failure: StoredFailure, { stream, state, class: ofClass, code }: FailureFilter): boolean {
  return (
    (stream === null || failure.stream === stream) &&
    (state === null || failure.state === state) &&
    (ofClass === null || failure.class === ofClass) &&
    (code === null || failure.code === code)
  );
}

/** Null: the filter does not look into payloads. */
export function payloadMatcher({ where, contains }: FailureFilter): ((payload: Uint8Array) => boolean) | null {
  if (where.length === 0 && contains === null) return null;
  const holds = conditionMatcher(where);
  return (payload) => {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    if (contains !== null && !bytes.includes(contains)) return false;
    return where.length === 0 || holds(objectText(bytes));
  };
}

/** A payload that is no JSON object has no fields. */
function objectText(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? text : "{}";
  } catch {
    return "{}";
  }
}
