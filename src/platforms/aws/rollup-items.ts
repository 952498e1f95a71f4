import type { Item } from "./item.ts";

/** Rollups are kept as long as a record that they count, in steps of an hour: every commit of the hour writes the same expiry. */
const expiryStepMillis = 3_600_000;
export const minuteMillis = 60_000;

/** When the rollup of records that expire then may be deleted. */
export function rollupExpiry(expiresAt: number): number {
  return Math.ceil(expiresAt / expiryStepMillis) * expiryStepMillis;
}

export interface Sums {
  count: number;
  min: number;
  max: number;
  sum: number;
}

/** What one shard has seen of a stream in one minute: the JSON of a rollup item. */
export interface Rollup {
  /** Events. */
  count: number;
  /** By the name of a numeric field. */
  fields: Record<string, Sums>;
}

/** The rollup in an item; an empty one when there is none. Any name may be a field's, so the fields have no prototype. */
export function rollupOf(item: Item | null): Rollup {
  const { count = 0, fields = {} } = item === null ? {} : (JSON.parse(item.j ?? "{}") as Partial<Rollup>);
  return { count, fields: Object.assign(Object.create(null), fields) };
}
