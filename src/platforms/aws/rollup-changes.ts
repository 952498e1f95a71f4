import type { RecordDraft } from "../../model/record.ts";
import { type ItemKey, ttlOf } from "./item.ts";
import { itemKeys, shardOf, shards } from "./item-keys.ts";
import { minuteMillis, type Rollup, rollupExpiry, rollupOf, type Sums } from "./rollup-items.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

interface MinuteChange {
  readonly key: ItemKey;
  readonly rollup: Rollup;
}

/** Count, min, max and sum per minute over the records that one outcome stores, each minute in one item of the raw object's shard. */
export class RollupChanges {
  readonly #ttl: number;
  readonly #minutes = new Map<number, MinuteChange>();
  readonly #keyOf: (minute: number) => ItemKey;

  constructor(tenant: string, stream: string, rawKey: string, recordsExpireAt: number) {
    const shard = shardOf(rawKey, shards.rollups);
    this.#keyOf = (minute) => itemKeys.rollup(tenant, stream, minute, shard);
    this.#ttl = ttlOf(rollupExpiry(recordsExpireAt));
  }

  /** Adds one record. `first` of the records that one event became: only that one counts as an event. */
  add({ time, numbers }: Pick<RecordDraft, "time" | "numbers">, fields: readonly string[], first: boolean): void {
    const { rollup } = this.#at(Math.floor(time / minuteMillis) * minuteMillis);
    if (first) rollup.count++;
    for (const [index, field] of fields.entries()) {
      const value = numbers[index];
      if (value === undefined || Number.isNaN(value)) continue;
      addTo(rollup.fields, field, { count: 1, min: value, max: value, sum: value });
    }
  }

  keys(): readonly ItemKey[] {
    return [...this.#minutes.values()].map(({ key }) => key);
  }

  /** Within a unit: adds to those minutes whose key passes `part`. */
  async write(unit: UnitOfWork, part: (key: ItemKey) => boolean): Promise<void> {
    const changes = [...this.#minutes.values()].filter(({ key }) => part(key));
    const items = await unit.loadAll(changes.map(({ key }) => key));
    for (const [index, { key, rollup: change }] of changes.entries()) {
      const item = items[index] ?? null;
      const rollup = rollupOf(item);
      rollup.count += change.count;
      for (const [field, sums] of Object.entries(change.fields)) addTo(rollup.fields, field, sums);
      unit.put({ ...key, j: JSON.stringify(rollup), ttl: Math.max(this.#ttl, item?.ttl ?? 0) });
    }
  }

  #at(minute: number): MinuteChange {
    let change = this.#minutes.get(minute);
    if (change === undefined) {
      change = { key: this.#keyOf(minute), rollup: rollupOf(null) };
      this.#minutes.set(minute, change);
    }
    return change;
  }
}

function addTo(fields: Record<string, Sums>, field: string, { count, min, max, sum }: Sums): void {
  const sums = fields[field];
  if (sums === undefined) {
    fields[field] = { count, min, max, sum };
    return;
  }
  sums.count += count;
  sums.min = Math.min(sums.min, min);
  sums.max = Math.max(sums.max, max);
  sums.sum += sum;
}
