import type { ItemResult, JobItem } from "../../model/job.ts";
import { entityOf, type Item, keyText, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { Table } from "./table.ts";

/** Items of a job on one item of the table: 100 failures are 4 KB, and a step touches one or two. */
export const sliceItems = 100;
/** Slices written in one go. */
const slicesAtOnce = 200;
/** Slices read in one go: at most 4 MB. */
const slicesRead = 20;

/** An item of a job by its place in the slice: target, and from its result on also result, detail, record. */
type SliceEntry = readonly [target: string, result?: ItemResult, detail?: string | null, recordId?: string | null];

export function sliceOf(position: number): number {
  return Math.floor((position - 1) / sliceItems);
}

/** Writes `targets` as the frozen list of a job, the first `max` of them; answers with how many. Flat in memory. */
export async function writeFrozenItems(
  table: Table,
  list: string,
  targets: AsyncIterable<string>,
  { max, expiresAt }: { readonly max: number; readonly expiresAt: number },
): Promise<number> {
  let slice: SliceEntry[] = [];
  let waiting: Item[] = [];
  let count = 0;
  const close = () => {
    waiting.push(sliceItem(list, sliceOf(count), slice, ttlOf(expiresAt)));
    slice = [];
  };
  for await (const target of targets) {
    slice.push([target]);
    count++;
    if (slice.length === sliceItems) close();
    if (waiting.length === slicesAtOnce) {
      await table.putAll(waiting);
      waiting = [];
    }
    if (count === max) break;
  }
  if (slice.length > 0) close();
  await table.putAll(waiting);
  return count;
}

/** Items of a list of `count`, ascending, from the slice `first` on. */
export async function* readFrozenItems(
  table: Table,
  list: string,
  count: number,
  first: number,
): AsyncGenerator<JobItem> {
  const end = count === 0 ? 0 : sliceOf(count) + 1;
  // The first read is of one slice: most readers want less than that.
  for (let start = first, size = 1; start < end; start += size, size = slicesRead) {
    const slices = Array.from({ length: Math.min(size, end - start) }, (_, index) => start + index);
    const found = await table.getAll(slices.map((slice) => itemKeys.jobItems(list, slice)));
    for (const slice of slices) {
      const item = found.get(keyText(itemKeys.jobItems(list, slice)));
      if (item !== undefined) yield* itemsOf(item, slice);
    }
  }
}

/** The slice with the results of items that had none, and what that was. */
export function withResults(
  item: Item,
  list: string,
  slice: number,
  results: readonly (JobItem & { readonly result: ItemResult })[],
): { readonly item: Item; readonly added: readonly ItemResult[]; readonly left: number } {
  const entries = [...entityOf<readonly SliceEntry[]>(item)];
  const added: ItemResult[] = [];
  for (const { position, result, detail, recordId } of results) {
    const place = (position - 1) % sliceItems;
    const entry = entries[place];
    if (entry === undefined || entry[1] !== undefined) continue;
    entries[place] = [entry[0], result, detail, recordId];
    added.push(result);
  }
  const left = entries.filter(([, result]) => result === undefined).length;
  return { item: sliceItem(list, slice, entries, item.ttl), added, left };
}

function sliceItem(list: string, slice: number, entries: readonly SliceEntry[], ttl: number | undefined): Item {
  return { ...itemKeys.jobItems(list, slice), j: JSON.stringify(entries), ...(ttl !== undefined && { ttl }) };
}

function itemsOf(item: Item, slice: number): JobItem[] {
  return entityOf<readonly SliceEntry[]>(item).map(
    ([target, result = null, detail = null, recordId = null], index): JobItem => ({
      position: slice * sliceItems + index + 1,
      target,
      result,
      detail,
      recordId,
    }),
  );
}
