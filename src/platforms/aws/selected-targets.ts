import type { FailureFilter, JobSelection } from "../../model/job.ts";
import { type PayloadObjects, readPayloads } from "./failure-payloads.ts";
import { failurePartitions, fits, payloadMatcher } from "./failure-query.ts";
import { dayOf } from "./index-pages.ts";
import { type Item, keyText } from "./item.ts";
import { itemKeys, listKeys, timeText } from "./item-keys.ts";
import { receivedAtOf } from "./object-marker.ts";
import { isOpen, type StoredFailure, storedFailure } from "./stored-failure.ts";
import { chunks, type ItemPage, type ItemRange, type Table } from "./table.ts";

type RawSelection = JobSelection & { readonly kind: "raw" };
type FailureSelection = Exclude<JobSelection, RawSelection>;

export interface SelectedObject {
  readonly key: string;
  readonly receivedAt: number;
  readonly expiresAt: number;
}

/** Payloads read in one go. */
const payloadsAtOnce = 100;
const dayMillis = 86_400_000;

/** What the items of a job name, in their order. Reads as it is asked for more, so a million of them need no memory. */
export async function* selectedTargets(
  table: Table,
  objects: PayloadObjects | null,
  tenant: string,
  selection: JobSelection,
): AsyncGenerator<string> {
  if (selection.kind === "raw") {
    for await (const { key } of selectedObjects(table, tenant, selection)) yield key;
  } else {
    for await (const { id } of selectedFailures(table, objects, tenant, selection)) yield id;
  }
}

/** Failures that are named, in the order given, or that a filter matches, by (last seen, id). */
export async function* selectedFailures(
  table: Table,
  objects: PayloadObjects | null,
  tenant: string,
  selection: FailureSelection,
): AsyncGenerator<StoredFailure> {
  if (selection.kind === "ids") {
    yield* namedFailures(table, tenant, selection.ids);
    return;
  }
  const matches = payloadMatcher(selection.filter);
  const listed = listedFailures(table, tenant, selection.filter);
  if (matches === null) {
    yield* listed;
    return;
  }
  for await (const part of grouped(listed, payloadsAtOnce)) {
    const payloads = await readPayloads(
      table,
      objects,
      part.map(({ id }) => id),
    );
    for (const failure of part) {
      const payload = payloads.get(failure.id);
      if (payload !== undefined && matches(payload)) yield failure;
    }
  }
}

async function* namedFailures(table: Table, tenant: string, ids: readonly string[]): AsyncGenerator<StoredFailure> {
  for (const part of chunks([...new Set(ids)], 1_000)) {
    const found = await table.getAll(part.map((id) => itemKeys.failure(id)));
    for (const id of part) {
      const failure = storedFailure(found.get(keyText(itemKeys.failure(id))), table.clock());
      if (failure?.tenant === tenant) yield failure;
    }
  }
}

/** All that a filter says but for the payload; without a state those that wait for somebody. */
async function* listedFailures(table: Table, tenant: string, filter: FailureFilter): AsyncGenerator<StoredFailure> {
  const { from, to, state } = filter;
  const { index, partitions } = failurePartitions(tenant, filter);
  const range = {
    index,
    ...(from !== null && { from: timeText(from) }),
    // Sort keys of a time are longer than the time alone, so its text comes before all of them.
    ...(to !== null && { to: timeText(to) }),
  };
  if (from !== null && to !== null && from >= to) return;
  const sorted = (item: Item) => (index === "g1" ? item.g1s : item.g2s) ?? "";
  const sources = partitions.map((partition) => readAhead(table, { ...range, partition }));
  for await (const item of merged(sources, sorted)) {
    const failure = storedFailure(item, table.clock());
    if (failure === null || !fits(failure, filter)) continue;
    if (state !== null || isOpen(failure)) yield failure;
  }
}

/** Raw objects whose outcome is committed, by (received, key). */
export async function* selectedObjects(
  table: Table,
  tenant: string,
  { stream, from, to }: RawSelection,
): AsyncGenerator<SelectedObject> {
  if (from >= to) return;
  const range = {
    index: "g1",
    partition: listKeys.rawKeys(tenant, stream),
    // An upload lies under the day of its link, which may be the day before.
    from: `raw/${stream}/${dayPath(from - dayMillis)}`,
    // "0" is the character after "/".
    to: `raw/${stream}/${dayPath(to)}0`,
  } as const;
  let waiting: SelectedObject[] = [];
  let day = "";
  for await (const item of readAhead(table, range)) {
    const key = item.g1s ?? "";
    const ofKey = key.slice(0, dayPathEnd(stream));
    if (ofKey !== day) {
      // What lies under a day was received on it or later: what is older has no one before it any more.
      const start = Date.parse(ofKey.slice(-10).replaceAll("/", "-"));
      const [ready, rest] = split(waiting, start);
      yield* ready;
      waiting = rest;
      day = ofKey;
    }
    const receivedAt = receivedAtOf(item);
    const live = item.ttl === undefined ? Number.MAX_SAFE_INTEGER : item.ttl * 1000;
    if (receivedAt >= from && receivedAt < to) waiting.push({ key, receivedAt, expiresAt: live });
  }
  yield* waiting.sort(byReceived);
}

/** Those received before `end`, sorted, and the others. */
function split(waiting: readonly SelectedObject[], end: number): [SelectedObject[], SelectedObject[]] {
  const ready = waiting.filter(({ receivedAt }) => receivedAt < end).sort(byReceived);
  return [ready, waiting.filter(({ receivedAt }) => !(receivedAt < end))];
}

function byReceived(left: SelectedObject, right: SelectedObject): number {
  return left.receivedAt - right.receivedAt || (left.key < right.key ? -1 : 1);
}

function dayPathEnd(stream: string): number {
  return `raw/${stream}/yyyy/mm/dd`.length;
}

function dayPath(time: number): string {
  const inRange = Math.min(Math.max(time, 0), Date.UTC(9999, 11, 31));
  return new Date(dayOf(inRange)).toISOString().slice(0, 10).replaceAll("-", "/");
}

/** `Table.queryAll`, asking for the next page before this one is used up: most of the time goes into waiting for pages. */
async function* readAhead(table: Table, range: ItemRange): AsyncGenerator<Item> {
  let next: Promise<ItemPage> | null = table.query(range);
  while (next !== null) {
    const { items, after }: ItemPage = await next;
    next = after === null ? null : table.query({ ...range, after });
    // Whoever stops reading does not await it.
    next?.catch(() => {});
    yield* items;
  }
}

/** Several ascending sources as one. */
async function* merged<Value>(
  sources: readonly AsyncGenerator<Value>[],
  keyOf: (value: Value) => string,
): AsyncGenerator<Value> {
  const heads = await Promise.all(sources.map((source) => source.next()));
  for (;;) {
    let least = -1;
    for (const [index, head] of heads.entries()) {
      const other = heads[least];
      if (!head.done && (other === undefined || keyOf(head.value) < keyOf(other.value))) least = index;
    }
    const [head, source] = [heads[least], sources[least]];
    if (head === undefined || source === undefined) return;
    yield head.value;
    heads[least] = await source.next();
  }
}

async function* grouped<Value>(values: AsyncIterable<Value>, size: number): AsyncGenerator<Value[]> {
  let group: Value[] = [];
  for await (const value of values) {
    group.push(value);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
