import { hash, randomUUID } from "node:crypto";
import type { Replacement, ReplacementSample } from "../../model/replacement.ts";
import { addToCounters, emptyTally, type Tally } from "./counters.ts";
import { indexPages, RecordDays } from "./index-pages.ts";
import { type Item, type ItemKey, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { addToObject } from "./object-marker.ts";
import { type RecordItem, recordTime } from "./record-items.ts";
import type { Recount, ReplaceObject } from "./replace-object.ts";
import type { ReplaceView } from "./replace-view.ts";
import { minuteMillis } from "./rollup-items.ts";
import type { Table } from "./table.ts";
import { transaction, transactionItemsMax, type UnitOfWork } from "./unit-of-work.ts";

export interface RecordChange {
  readonly key: ItemKey;
  /** Null: there is none on that side. */
  readonly before: RecordItem | null;
  readonly after: RecordItem | null;
}

/** What is to be written for one event. */
export interface EventChange {
  readonly index: number;
  readonly result: Replacement;
  readonly sample: Pick<ReplacementSample, "before" | "after">;
  /** In the order of the event's records. */
  readonly changes: readonly RecordChange[];
  /** 1: it was dropped and is stored now; -1: the other way round. */
  readonly toStored: -1 | 0 | 1;
}

/** What was read has changed since: read and compare again. */
export class StaleView extends Error {}

/** Beside records a transaction writes the marker, the counters and the recount. */
const recordsMax = transactionItemsMax - 3;
/** A transaction holds 4 MB. */
const bytesMax = 3 * 1024 * 1024;

/**
 * Writes what was decided for the events of one object: each event with its counts in one transaction, as many events in
 * one as fit. The marker is part of each, as the lock against others who change events of the object. Calls `done` for
 * each event that is written. Throws StaleView.
 */
export async function writeChanges(
  table: Table,
  view: ReplaceView,
  object: ReplaceObject,
  changes: readonly EventChange[],
  done: (change: EventChange) => void,
): Promise<void> {
  if (changes.length === 0) return;
  await writeIndex(table, object, changes);
  for (const step of steps(changes)) {
    await writeStep(table, view, object, step);
    for (const change of step.ended) done(change);
  }
}

/** Before the records: an id on a page whose record is not there is passed over. */
async function writeIndex(table: Table, { one }: ReplaceObject, changes: readonly EventChange[]): Promise<void> {
  const { tenant, stream } = one.meta;
  const added = changes.flatMap(({ changes: records }) =>
    records.flatMap(({ before, after }) => (before === null && after !== null ? [after] : [])),
  );
  if (added.length === 0) return;
  const pages = indexPages(tenant, stream, one.rawKey, added, one.recordsExpireAt);
  // Named by what is on them, so that they never take the place of a page with other ids.
  await table.putAll(pages.map((page) => ({ ...page, sk: `${page.sk}#${hash("sha1", page.b, "hex").slice(0, 16)}` })));
  await new RecordDays(table).note(tenant, stream, added.map(recordTime), one.recordsExpireAt);
}

interface Step {
  readonly records: RecordChange[];
  /** Events whose last record, and whose counts, are in this step. */
  readonly ended: EventChange[];
}

/**
 * An event that fits no transaction is written in several, its first record last: as long as that one is as it was,
 * another run finds the event as it was, and does the rest. Further records go from the last on, since a reader
 * looks for them one after the other.
 */
function* steps(changes: readonly EventChange[]): Generator<Step> {
  let step: Step = { records: [], ended: [] };
  let bytes = 0;
  for (const change of changes) {
    const eventBytes = change.changes.reduce((sum, record) => sum + bytesOf(record), 0);
    const fits = step.records.length + change.changes.length <= recordsMax && bytes + eventBytes <= bytesMax;
    if (!fits && step.records.length > 0) {
      yield step;
      step = { records: [], ended: [] };
      bytes = 0;
    }
    for (const record of change.changes.toReversed()) {
      if (step.records.length === recordsMax || (step.records.length > 0 && bytes + bytesOf(record) > bytesMax)) {
        yield step;
        step = { records: [], ended: [] };
        bytes = 0;
      }
      step.records.push(record);
      bytes += bytesOf(record);
    }
    step.ended.push(change);
  }
  if (step.records.length > 0) yield step;
}

function bytesOf({ after }: RecordChange): number {
  return (after?.d.length ?? 0) + (after?.a?.length ?? 0) + 500;
}

async function writeStep(table: Table, view: ReplaceView, object: ReplaceObject, step: Step): Promise<void> {
  const { one } = object;
  const { tenant, stream } = one.meta;
  const marker = itemKeys.marker(one.rawKey);
  const recount = recountOf(object, step.records);
  const recountKey = itemKeys.recount(one.rawKey, randomUUID());
  const toStored = step.ended.reduce((sum, change) => sum + change.toStored, 0);
  const moved: Tally = { ...emptyTally(), stored: toStored, dropped: -toStored };
  const stored = await transaction(table, async (unit) => {
    const keys = [marker, ...step.records.map(({ key }) => key)];
    const items = await unit.loadAll(keys);
    if (keys.some((key, position) => !sameItem(view.stored(key), items[position] ?? null))) throw new StaleView();
    for (const { key, after } of step.records) {
      if (after === null) unit.delete(key);
      else unit.put(after);
    }
    await addToObject(unit, one.rawKey, moved);
    if (toStored !== 0) await addToCounters(unit, tenant, stream, one.rawKey, 0, moved);
    unit.put({ ...recountKey, j: JSON.stringify(recount), ttl: ttlOf(recount.expiresAt) });
    return writtenItems(unit, keys, items);
  });
  for (const [key, item] of stored) view.written(key, item);
  object.recounts.push({ key: recountKey, recount });
}

/** The items as they are once the unit is committed. */
async function writtenItems(
  unit: UnitOfWork,
  keys: readonly ItemKey[],
  before: readonly (Item | null)[],
): Promise<readonly (readonly [ItemKey, Item | null])[]> {
  const after = await unit.loadAll(keys);
  return keys.map((key, position) => {
    const item = after[position] ?? null;
    return [key, item && { ...item, v: (before[position]?.v ?? 0) + 1 }];
  });
}

function sameItem(left: Item | null, right: Item | null): boolean {
  if (left === null || right === null) return left === right;
  const [one, other] = [left as Partial<RecordItem>, right as Partial<RecordItem>];
  const content = Buffer.compare(one.d ?? new Uint8Array(), other.d ?? new Uint8Array()) === 0;
  return one.v === other.v && one.i === other.i && one.r === other.r && one.n === other.n && content;
}

function recountOf({ one }: ReplaceObject, records: readonly RecordChange[]): Recount {
  const minutes = new Set<number>();
  for (const { before, after } of records) {
    const item = after ?? before;
    if (item !== null) minutes.add(Math.floor(recordTime(item) / minuteMillis) * minuteMillis);
  }
  return { minutes: [...minutes], fields: one.rollupFields, expiresAt: one.recordsExpireAt };
}
