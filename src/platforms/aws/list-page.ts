import { cursorInvalid, decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { limits } from "../../model/limits.ts";
import type { Order, Page, PageRequest } from "../../model/page.ts";
import type { Item } from "./item.ts";
import { timeText } from "./item-keys.ts";
import type { Table, TableIndex } from "./table.ts";

export interface ItemList<Row> {
  /** Name of the list in its cursors. */
  readonly kind: string;
  readonly table: Table;
  readonly index: TableIndex;
  /** One, or all shards. Sort keys are `timeAndId` of what the list is ordered by. */
  readonly partitions: readonly string[];
  /** Of what the list is ordered by, inclusive and exclusive. */
  readonly from?: number | null;
  readonly to?: number | null;
  /** The row, or null when the filter leaves it out. */
  readonly row: (item: Item) => Row | null | Promise<Row | null>;
}

/** Items looked at for one page; a page ends early, with a cursor, instead of reading for minutes. */
const scannedMax = 5_000;

/** One page of a list by (time, id), descending unless `order` says otherwise. Throws CURSOR_INVALID. */
export async function listPage<Row>(
  list: ItemList<Row>,
  request: PageRequest & { readonly order?: Order },
): Promise<Page<Row>> {
  const limit = Math.min(Math.max(1, request.limit), limits.pageRowsMax);
  const rows: Row[] = [];
  let scanned = 0;
  let last = request.cursor === null ? null : cursorKey(list.kind, request.cursor);
  for await (const item of merged(list, last, request.order === "asc")) {
    if (rows.length === limit || scanned === scannedMax) return { rows, next: encodeCursor(list.kind, [last ?? ""]) };
    last = sortKey(list, item);
    scanned++;
    const row = await list.row(item);
    if (row !== null) rows.push(row);
  }
  return { rows, next: null };
}

function cursorKey(kind: string, cursor: string): string {
  const [key] = decodeCursor(kind, cursor, ["string"]);
  if (typeof key !== "string" || !/^\d{15}#/.test(key)) throw cursorInvalid();
  return key;
}

function sortKey({ index }: Pick<ItemList<unknown>, "index">, item: Item): string {
  return (index === "g1" ? item.g1s : item.g2s) ?? "";
}

/** Items of all partitions in one order, from behind `after` on. */
async function* merged<Row>(list: ItemList<Row>, after: string | null, ascending: boolean): AsyncGenerator<Item> {
  const from = list.from == null ? " " : timeText(list.from);
  // Sort keys of a time are longer than the time alone, so its text comes before all of them.
  const to = list.to == null ? "\uffff" : timeText(list.to);
  const range = {
    index: list.index,
    from: ascending && after !== null && after > from ? after : from,
    to: !ascending && after !== null && after < to ? after : to,
    descending: !ascending,
    limit: 250,
  };
  if (range.from > range.to) return;
  const sources = list.partitions.map((partition) => list.table.queryAll({ ...range, partition }));
  const heads = await Promise.all(sources.map((source) => source.next()));
  for (;;) {
    let best = -1;
    for (const [index, head] of heads.entries()) {
      if (head.done) continue;
      const other = heads[best];
      if (other === undefined || other.done) best = index;
      else if (sortKey(list, head.value) < sortKey(list, other.value) === ascending) best = index;
    }
    const head = heads[best];
    if (head === undefined || head.done) return;
    const [source] = sources.slice(best);
    heads[best] = await (source as AsyncGenerator<Item>).next();
    if (sortKey(list, head.value) !== after) yield head.value;
  }
}
