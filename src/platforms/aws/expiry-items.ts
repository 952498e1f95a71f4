import { entityOf, type Item, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { failureGraceMillis } from "./stored-failure.ts";
import { chunks } from "./table.ts";

/** Ids of about 40 bytes on one item: far below what it may hold, and read in one go. */
const idsMax = 1_000;

/** Where the sweep finds the failures that one raw object brought, once they have expired: an item for all of them. */
export function expiryItems(ids: readonly string[], expiresAt: number): Item[] {
  return chunks(ids, idsMax).map((part) => ({
    ...itemKeys.failureExpiry(expiresAt, part[0] ?? ""),
    j: JSON.stringify(part),
    ttl: ttlOf(expiresAt + 2 * failureGraceMillis),
  }));
}

/** The failures on an expiry item. */
export function expiringIds(item: Item): readonly string[] {
  return entityOf<readonly string[]>(item);
}
