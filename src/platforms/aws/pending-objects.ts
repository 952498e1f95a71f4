import type { Balance } from "../../model/outcome.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { readCounters } from "./counters.ts";
import { entityOf } from "./item.ts";
import { allShards, itemKeys, shards } from "./item-keys.ts";
import type { Table } from "./table.ts";
import { transaction } from "./unit-of-work.ts";

/** A raw object that was accepted, or is about to be, and of which no outcome is committed. */
export interface PendingObject extends Pick<RawMeta, "tenant" | "stream" | "door" | "events" | "receivedAt"> {
  readonly rawKey: string;
  /** When the item was written, milliseconds since 1970. */
  readonly at: number;
}

export interface InFlight {
  readonly events: number;
  /** When the one that has waited longest was written. */
  readonly oldestAt: number;
}

/**
 * What is in flight, object by object: an item is there before its object is stored, and goes with the commit of its outcome.
 * So no crash in between makes an accepted event uncounted, and the sweep finds objects whose event got lost.
 */
export class PendingObjects {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Durable when it resolves. Adding an object twice keeps one item. */
  async add(
    rawKey: string,
    { tenant, stream, door, events, receivedAt }: Omit<PendingObject, "rawKey" | "at">,
  ): Promise<void> {
    const pending: PendingObject = { rawKey, tenant, stream, door, events, receivedAt, at: this.#table.clock() };
    await this.#table.putAll([{ ...itemKeys.pending(rawKey), j: JSON.stringify(pending) }]);
  }

  /** Notes it as written now, if it is still there: an outcome that is committed meanwhile is not undone. */
  async renew(rawKey: string): Promise<void> {
    await transaction(this.#table, async (unit) => {
      const item = await unit.load(itemKeys.pending(rawKey));
      if (item === null) return;
      unit.put({ ...item, j: JSON.stringify({ ...entityOf<PendingObject>(item), at: this.#table.clock() }) });
    });
  }

  /** The object was not stored after all. */
  async remove(rawKey: string): Promise<void> {
    await this.#table.delete(itemKeys.pending(rawKey));
  }

  /** Null: it was never accepted, or its outcome is committed. */
  async get(rawKey: string): Promise<PendingObject | null> {
    const item = await this.#table.get(itemKeys.pending(rawKey));
    return item && entityOf<PendingObject>(item);
  }

  /** Those written before `before`, in no promised order. */
  async *list(before: number): AsyncGenerator<PendingObject> {
    for (const shard of allShards(shards.outbox)) {
      const partition = itemKeys.pendingPartition(shard);
      for await (const item of this.#table.queryAll({ index: null, partition })) {
        const pending = entityOf<PendingObject>(item);
        if (pending.at < before) yield pending;
      }
    }
  }

  /** Sums of a tenant by stream, of those that have any. */
  async inFlight(tenant: string): Promise<ReadonlyMap<string, InFlight>> {
    const sums = new Map<string, InFlight>();
    for await (const { stream, events, at, ...pending } of this.list(Number.POSITIVE_INFINITY)) {
      if (pending.tenant !== tenant) continue;
      const sum = sums.get(stream) ?? { events: 0, oldestAt: at };
      sums.set(stream, { events: sum.events + events, oldestAt: Math.min(sum.oldestAt, at) });
    }
    return sums;
  }
}

/**
 * The balance of these streams and of those that have something in flight. Counters and pending items are read one after the
 * other, so an outcome that is committed in between may be counted once too often or too little for a moment.
 */
export async function readBalance(
  table: Table,
  tenant: string,
  streams: Iterable<string>,
): Promise<ReadonlyMap<string, Balance>> {
  const inFlight = await new PendingObjects(table).inFlight(tenant);
  const counted = await readCounters(table, tenant, [...new Set([...streams, ...inFlight.keys()])]);
  return new Map(
    [...counted].map(([stream, { received, stored, dropped, quarantined, dead, retrying, duplicates }]) => {
      const waiting = inFlight.get(stream)?.events ?? 0;
      const accepted = received - duplicates + waiting;
      return [stream, { accepted, stored, dropped, quarantined, dead, inFlight: retrying + waiting, duplicates }];
    }),
  );
}
