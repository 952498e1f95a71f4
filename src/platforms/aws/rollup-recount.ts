import { entityOf, type Item, type ItemKey, keyText, ttlOf } from "./item.ts";
import { itemKeys, shardOf, shards } from "./item-keys.ts";
import type { ObjectMarker } from "./object-marker.ts";
import { pageOf, partNames, progressKey, progressOf } from "./outcome-pages.ts";
import { recordIds } from "./record-ids.ts";
import { type RecordItem, storedRecord } from "./record-items.ts";
import type { ReplaceObject } from "./replace-object.ts";
import { minuteMillis, type Rollup, rollupExpiry, rollupOf } from "./rollup-items.ts";
import { chunks, inParallel, type Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** A minute of one shard. */
interface TouchedMinute {
  readonly tenant: string;
  readonly stream: string;
  readonly shard: number;
  readonly minute: number;
  readonly fields: Set<string>;
  expiresAt: number;
}

/** Records of one minute, and minutes, that are read at once: 400 of the largest records take 100 MB. */
const recordsAtOnce = 100;
const minutesAtOnce = 4;
/** An object without a marker whose events came longer ago is no commit under way: its marker has expired. */
const underWayMillisMax = 24 * 60 * 60 * 1000;

/**
 * Counts the rollups of the minutes that were touched again, from the records that are there now: count and sum could be
 * moved by what changed, a minimum that is gone can only be looked for. Only in the shard of the objects concerned.
 */
export async function recountRollups(table: Table, objects: readonly ReplaceObject[]): Promise<void> {
  const touched = new Map<string, TouchedMinute>();
  for (const object of objects) touch(touched, object);
  for (const places of chunks([...touched.values()], minutesAtOnce)) {
    await inParallel(places, (place) => transaction(table, (unit) => recount(unit, place)));
  }
  await table.deleteAll(objects.flatMap(({ recounts }) => recounts.map(({ key }) => key)));
}

function touch(touched: Map<string, TouchedMinute>, { one, recounts }: ReplaceObject): void {
  const { tenant, stream } = one.meta;
  const shard = shardOf(one.rawKey, shards.rollups);
  for (const {
    recount: { minutes, fields, expiresAt },
  } of recounts) {
    for (const minute of minutes) {
      const key = keyText(itemKeys.rollup(tenant, stream, minute, shard));
      const place = touched.get(key) ?? { tenant, stream, shard, minute, fields: new Set<string>(), expiresAt: 0 };
      for (const field of fields) place.fields.add(field);
      place.expiresAt = Math.max(place.expiresAt, expiresAt);
      touched.set(key, place);
    }
  }
}

/**
 * Within a unit. The rollup is read first: whoever adds to it from then on makes the unit start again. Commits write their
 * records before they add to rollups, so records of objects whose commit is under way are left out: theirs is to come. An
 * event of a committed object that is tried again at this very moment may be counted twice, until the next recount.
 */
async function recount(unit: UnitOfWork, place: TouchedMinute): Promise<void> {
  const { tenant, stream, shard, minute, fields } = place;
  const key = itemKeys.rollup(tenant, stream, minute, shard);
  const item = await unit.load(key);
  const known = rollupOf(item);
  const names = new Set([...fields, ...Object.keys(known.fields)]);
  // The name of the number of events; a field that really has no name is not rolled up.
  names.delete("");
  const counted = new MinuteCount(names);
  const rolledUp = new RolledUpObjects(unit.table, key);
  const range = { tenant, stream, from: minute, to: minute + minuteMillis, order: "asc", after: null } as const;
  for await (const ids of recordIds(unit.table, range, (rawKey) => shardOf(rawKey, shards.rollups) === shard)) {
    for (const part of chunks(ids, recordsAtOnce)) {
      const records = (await readRecords(unit.table, place, part)).filter(
        ({ r }) => shardOf(r, shards.rollups) === shard,
      );
      for (const record of await rolledUp.only(records)) counted.add(record);
    }
  }
  const { rollup } = counted;
  if (rollup.count === 0 && Object.keys(rollup.fields).length === 0) {
    if (item !== null) unit.delete(key);
    return;
  }
  const ttl = Math.max(item?.ttl ?? 0, ttlOf(rollupExpiry(place.expiresAt)));
  unit.put({ ...key, j: JSON.stringify(rollup), ttl });
}

async function readRecords(
  table: Table,
  { tenant, stream }: TouchedMinute,
  ids: readonly string[],
): Promise<readonly RecordItem[]> {
  const keys = ids.map((id) => itemKeys.record(tenant, stream, Buffer.from(id, "hex").subarray(6)));
  const found = await table.getAll(keys);
  return keys.flatMap((key: ItemKey, position) => {
    const record = found.get(keyText(key)) as RecordItem | undefined;
    return record !== undefined && record.i === ids[position] ? [record] : [];
  });
}

/** Which raw objects have added to a rollup; asked once for each. */
class RolledUpObjects {
  readonly #table: Table;
  readonly #rollup: ItemKey;
  readonly #known = new Map<string, boolean>();

  constructor(table: Table, rollup: ItemKey) {
    this.#table = table;
    this.#rollup = rollup;
  }

  async only(records: readonly RecordItem[]): Promise<readonly RecordItem[]> {
    const missing = [...Map.groupBy(records, ({ r }) => r)].filter(([rawKey]) => !this.#known.has(rawKey));
    const found = await this.#table.getAll(missing.flatMap(([rawKey]) => [itemKeys.marker(rawKey), progress(rawKey)]));
    for (const [rawKey, [record]] of missing) {
      const item = found.get(keyText(itemKeys.marker(rawKey)));
      const marker = item === undefined ? null : entityOf<ObjectMarker>(item);
      const expired = marker === null && (record?.m ?? 0) < this.#table.clock() - underWayMillisMax;
      const done = this.#pageDone(found.get(keyText(progress(rawKey))) ?? null);
      this.#known.set(rawKey, expired || done || (marker !== null && marker.committedAt !== null));
    }
    return records.filter(({ r }) => this.#known.get(r) === true);
  }

  /** Whether the commit of a large object has come past the page with this rollup. */
  #pageDone(item: Item | null): boolean {
    const { pages, done } = progressOf(item) ?? { pages: 1, done: 0 };
    return pageOf(partNames.item(this.#rollup), pages) < done;
  }
}

function progress(rawKey: string): ItemKey {
  return progressKey({ rawKey, subject: { kind: "object" } });
}

/** Count, min, max and sum over the records of one minute, as a commit adds them up. */
class MinuteCount {
  readonly rollup: Rollup = rollupOf(null);
  readonly #fields: ReadonlySet<string>;
  readonly #events = new Set<string>();

  constructor(fields: ReadonlySet<string>) {
    this.#fields = fields;
  }

  add(record: RecordItem): void {
    const { rollup } = this;
    rollup.count = this.#events.add(`${record.r} ${record.n}`).size;
    const data: unknown = JSON.parse(storedRecord(record, "").dataJson);
    if (typeof data !== "object" || data === null || Array.isArray(data)) return;
    for (const [field, value] of Object.entries(data)) {
      if (typeof value !== "number" || !this.#fields.has(field)) continue;
      const sums = rollup.fields[field];
      if (sums === undefined) {
        rollup.fields[field] = { count: 1, min: value, max: value, sum: value };
        continue;
      }
      sums.count++;
      sums.min = Math.min(sums.min, value);
      sums.max = Math.max(sums.max, value);
      sums.sum += value;
    }
  }
}
