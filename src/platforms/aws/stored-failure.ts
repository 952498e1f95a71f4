import type { Failure } from "../../model/failure.ts";
import { entityOf, type Item, ttlOf } from "./item.ts";
import { itemKeys, listKeys, shardOf, shards, timeAndId } from "./item-keys.ts";

/** A failure as kept: what people see, and what tells whether its event comes again. */
export interface StoredFailure extends Failure {
  readonly identity: number | null;
  readonly contentHash: number;
  /** Found outside an outcome (`FailureLog.add`), and counted there: no commit counts it again. */
  readonly outside?: true;
}

/**
 * Readers leave a failure out from its expiry on, but DynamoDB keeps it for so long after it: the sweep that takes expired
 * failures out of the counts of their issues must still see what they were.
 */
export const failureGraceMillis = 2 * 24 * 60 * 60 * 1000;

/** The item of a failure, with its place in the lists. */
export function failureItem(failure: StoredFailure): Item {
  const { id, tenant, fingerprint, lastSeenAt, expiresAt } = failure;
  const place = timeAndId(lastSeenAt, id);
  const shard = shardOf(id, shards.failures);
  return {
    ...itemKeys.failure(id),
    j: JSON.stringify(failure),
    ttl: ttlOf(expiresAt + failureGraceMillis),
    g1p: listKeys.failures(tenant, shard),
    g1s: place,
    g2p: listKeys.failuresOfIssue(tenant, fingerprint, shard),
    g2s: place,
  };
}

/** The failure of an item; null when there is no item, or its failure has expired. One that is being retried stays until it is decided. */
export function storedFailure(item: Item | null | undefined, now: number): StoredFailure | null {
  if (item == null) return null;
  const failure = entityOf<StoredFailure>(item);
  return failure.expiresAt <= now && failure.state !== "retrying" ? null : failure;
}

/** What people see of it. */
export function toFailure({
  identity: _identity,
  contentHash: _hash,
  outside: _outside,
  ...failure
}: StoredFailure): Failure {
  return failure;
}

/** Whether somebody may still ask for a change. */
export function isOpen({ state }: Pick<Failure, "state">): boolean {
  return state === "quarantined" || state === "dead";
}

/** Whether it counts as waiting: open, or being retried. */
export function isWaiting(failure: Pick<Failure, "state">): boolean {
  return isOpen(failure) || failure.state === "retrying";
}
