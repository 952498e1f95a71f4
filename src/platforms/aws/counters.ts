import type { StreamCounters } from "../../model/outcome.ts";
import { entityOf, keyText } from "./item.ts";
import { allShards, itemKeys, shardOf, shards } from "./item-keys.ts";
import type { Table } from "./table.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** How many events became what; while a commit runs, also by how much a counter changes (and then some are negative). */
export interface Tally {
  stored: number;
  dropped: number;
  quarantined: number;
  dead: number;
  retrying: number;
  duplicates: number;
}

export function emptyTally(): Tally {
  return { stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };
}

/** Adds `change` to `sum`. */
export function addTally(sum: Tally, change: Tally): void {
  for (const key of Object.keys(emptyTally()) as (keyof Tally)[]) sum[key] += change[key];
}

export function tallySum({ stored, dropped, quarantined, dead, retrying, duplicates }: Tally): number {
  return stored + dropped + quarantined + dead + retrying + duplicates;
}

/**
 * Within a unit: adds to the counters of a stream, in the shard of the raw object, so that many commits at once rarely meet.
 * One shard alone may hold negative numbers; their sum does not. Every change keeps `received = stored + dropped +
 * quarantined + dead + retrying + duplicates`: an event that moves from one to another has a -1 and a +1, and one that is
 * new has `received` + 1.
 */
export async function addToCounters(
  unit: UnitOfWork,
  tenant: string,
  stream: string,
  rawKey: string,
  received: number,
  change: Tally,
): Promise<void> {
  const key = itemKeys.counters(tenant, stream, shardOf(rawKey, shards.counters));
  const item = await unit.load(key);
  const counters = item === null ? { received: 0, ...emptyTally() } : entityOf<Tally & { received: number }>(item);
  counters.received += received;
  addTally(counters, change);
  unit.put({ ...key, j: JSON.stringify(counters) });
}

/** Counters of each of these streams, zero for one that never received anything. */
export async function readCounters(
  table: Table,
  tenant: string,
  streams: readonly string[],
): Promise<Map<string, StreamCounters>> {
  const keysOf = (stream: string) =>
    allShards(shards.counters).map((shard) => itemKeys.counters(tenant, stream, shard));
  const found = await table.getAll(streams.flatMap(keysOf));
  return new Map(
    streams.map((stream) => {
      const sum = { received: 0, ...emptyTally() };
      for (const key of keysOf(stream)) {
        const item = found.get(keyText(key));
        if (item === undefined) continue;
        const counters = entityOf<StreamCounters>(item);
        sum.received += counters.received;
        addTally(sum, counters);
      }
      return [stream, sum];
    }),
  );
}
