import { expiringIds, expiryItems } from "./expiry-items.ts";
import { IssueChanges } from "./issue-changes.ts";
import { entityOf, type Item, keyText, ttlOf } from "./item.ts";
import { allShards, itemKeys, shards, timeOfText, timeText } from "./item-keys.ts";
import { failureGraceMillis, type StoredFailure } from "./stored-failure.ts";
import type { Table } from "./table.ts";
import { transaction, transactionItemsMax } from "./unit-of-work.ts";

/** So long after its expiry a failure is taken for final: a change that was under way, and clocks that differ, are over. */
const settledMillis = 5 * 60_000;
/** A failure that is being retried when it expires is waited for so long. */
const retryingMillis = 24 * 60 * 60 * 1000;

/**
 * Takes failures whose expiry has passed out of the counts of their issues, up to about `max` of them; answers with how many
 * those were. Readers have left them out since their expiry, and DynamoDB removes them `failureGraceMillis` after it, at no
 * cost: nothing is deleted here but the item that says what expires. So it must run at least once within that time; each
 * minute keeps the counts right to a few minutes. A failure that lives longer than it was written for (its replay failed)
 * has its payload kept as long, and comes up again then. Two sweeps at once count nothing twice.
 */
export async function expireFailures(table: Table, now: number, max: number): Promise<number> {
  const perShard = Math.ceil(max / shards.failures);
  const counts = allShards(shards.failures).map(async (shard) => {
    const partition = itemKeys.failureExpiryPartition(shard);
    let expired = 0;
    for await (const item of table.queryAll({ index: null, partition, to: timeText(now - settledMillis), limit: 10 })) {
      if (expired >= perShard) break;
      expired += await expireItem(table, item, now);
    }
    return expired;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function expireItem(table: Table, item: Item, now: number): Promise<number> {
  const expiresAt = timeOfText(item.sk);
  const keys = expiringIds(item).map((id) => itemKeys.failure(id));
  const found = await table.getAll(keys);
  const failures = keys.flatMap((key) => {
    const failure = found.get(keyText(key));
    return failure === undefined ? [] : [entityOf<StoredFailure>(failure)];
  });
  await keepLonger(
    table,
    failures.filter((failure) => failure.expiresAt > expiresAt),
  );
  // One that expired earlier stands on an item of that time.
  const due = failures.filter((failure) => failure.expiresAt === expiresAt);
  const isStaying = ({ state }: StoredFailure) => state === "retrying" && now < expiresAt + retryingMillis;
  const staying = due.filter(isStaying).map(({ id }) => id);
  let ending = due.filter((failure) => !isStaying(failure));
  let [left, expired] = [item.j, 0];
  for (;;) {
    const part = partOf(ending);
    const rest = ending.slice(part.length);
    const after = JSON.stringify([...staying, ...rest.map(({ id }) => id)]);
    if (after === left) return expired;
    if (!(await countExpired(table, { ...item, j: left ?? "" }, part, after))) return expired;
    expired += part.length;
    if (rest.length === 0) return expired;
    [left, ending] = [after, rest];
  }
}

/** As many as change issues that fit one transaction, beside the item itself. */
function partOf(failures: readonly StoredFailure[]): readonly StoredFailure[] {
  const issues = new Set<string>();
  const end = failures.findIndex(({ tenant, fingerprint }) => {
    issues.add(`${tenant} ${fingerprint}`);
    return issues.size === transactionItemsMax;
  });
  return end === -1 ? failures : failures.slice(0, end);
}

/** Changes the issues and the item together, so that no failure is counted out twice; false: another sweep was faster. */
async function countExpired(
  table: Table,
  item: Item,
  failures: readonly StoredFailure[],
  after: string,
): Promise<boolean> {
  return transaction(table, async (unit) => {
    const current = await unit.load(item);
    if (current === null || current.j !== item.j) return false;
    const issues = new IssueChanges();
    for (const failure of failures) {
      const { state } = failure;
      issues.expired(failure, state === "recovered" || state === "discarded" ? state : "waiting");
    }
    await issues.write(unit, () => true);
    if (after === "[]") unit.delete(current);
    else unit.put({ ...current, j: after });
    return true;
  });
}

/** Gives what belongs to each failure the time that the failure itself has. Doing it twice changes nothing. */
async function keepLonger(table: Table, failures: readonly StoredFailure[]): Promise<void> {
  if (failures.length === 0) return;
  const keysOf = ({ id, tenant, stream, identity, contentHash }: StoredFailure) => [
    itemKeys.failurePayload(id),
    ...(identity === null ? [] : [itemKeys.waiting(tenant, stream, identity, contentHash)]),
  ];
  // One after the other: payloads may be large.
  for (const failure of failures) {
    const ttl = ttlOf(failure.expiresAt + failureGraceMillis);
    const parts = await table.getAll(keysOf(failure));
    const outlived = [...parts.values()].filter((part) => (part.ttl ?? ttl) < ttl);
    await table.putAll([
      ...outlived.map((part) => ({ ...part, ttl })),
      ...expiryItems([failure.id], failure.expiresAt),
    ]);
  }
}
