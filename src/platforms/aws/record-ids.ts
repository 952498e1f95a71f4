import type { Order } from "../../model/page.ts";
import { recordIdFloor, recordIdText, recordIdTime } from "../../model/record.ts";
import { dayOf, type IndexPage, pageIds, spanOf } from "./index-pages.ts";
import { allShards, itemKeys, shards, timeOfText, timeText } from "./item-keys.ts";
import type { Table } from "./table.ts";

/** Which records of a stream, in which order. */
export interface RecordRange {
  readonly tenant: string;
  readonly stream: string;
  /** Event time, inclusive and exclusive; null: no bound. */
  readonly from: number | null;
  readonly to: number | null;
  readonly order: Order;
  /** Hex of the id behind which to start; null: at the start. */
  readonly after: string | null;
}

/** Days, and pages of a shard, that the first look at them reads; each further look reads twice as many. */
const daysFirst = 32;
const pagesFirst = 16;
const pagesMax = 256;
const dayMillis = 86_400_000;
const lastId = "f".repeat(32);

/**
 * The ids (hex) of a range in its order, those of one span at a time, each id once. An id may be of a record that is gone.
 * Reads no further than it is asked to, but always whole spans: where many write at once, the ids of a span lie on
 * many pages and in any order. With `wants` only those that came from raw objects with these keys.
 */
export async function* recordIds(
  table: Table,
  range: RecordRange,
  wants: (rawKey: string) => boolean = () => true,
): AsyncGenerator<readonly string[]> {
  const bounds = idBounds(range);
  if (bounds.first > bounds.last) return;
  const inBounds = (id: string) => id >= bounds.first && id <= bounds.last && id !== range.after;
  for await (const day of days(table, range, bounds)) {
    for await (const ids of spansOfDay(table, range, day, bounds, wants)) {
      const wanted = [...new Set(ids)].filter(inBounds).sort();
      if (range.order === "desc") wanted.reverse();
      if (wanted.length > 0) yield wanted;
    }
  }
}

interface IdBounds {
  /** Hex, both inclusive. */
  readonly first: string;
  readonly last: string;
}

function idBounds({ from, to, order, after }: RecordRange): IdBounds {
  let first = from === null ? hexFloor(Number.NEGATIVE_INFINITY) : hexFloor(from);
  // The greatest id below that of the time `to`: what comes before the first of a time is the last of the time before.
  let last = to === null ? lastId : `${hexFloor(to - 1).slice(0, 12)}${lastId.slice(12)}`;
  if (after !== null && order === "asc" && after > first) first = after;
  if (after !== null && order === "desc" && after < last) last = after;
  return { first, last };
}

function hexFloor(time: number): string {
  return recordIdText(recordIdFloor(time)).slice(4);
}

function timeOfHex(id: string): number {
  return recordIdTime(Buffer.from(id, "hex"));
}

/** Starts of the days that have records, in order. */
async function* days(table: Table, { tenant, stream, order }: RecordRange, bounds: IdBounds): AsyncGenerator<number> {
  const range = {
    index: null,
    partition: itemKeys.days(tenant, stream),
    from: timeText(dayOf(timeOfHex(bounds.first))),
    to: timeText(dayOf(timeOfHex(bounds.last))),
    descending: order === "desc",
    limit: daysFirst,
  };
  for await (const { sk } of table.queryAll(range)) yield timeOfText(sk);
}

/** The ids of each span of a day, in the order of the spans; within a span in none. */
async function* spansOfDay(
  table: Table,
  { tenant, stream, order }: RecordRange,
  day: number,
  bounds: IdBounds,
  wants: (rawKey: string) => boolean,
): AsyncGenerator<readonly string[]> {
  const first = timeText(spanOf(Math.max(day, timeOfHex(bounds.first))));
  // "$" is the character after the "#" that ends the span in a sort key.
  const last = `${timeText(spanOf(Math.min(day + dayMillis - 1, timeOfHex(bounds.last))))}$`;
  const readers = allShards(shards.index).map((shard) => {
    const partition = itemKeys.indexPartition(tenant, stream, day, shard);
    return new SpanReader(readPages(table, partition, first, last, order), wants);
  });
  for (;;) {
    const spans = (await Promise.all(readers.map((reader) => reader.span()))).filter((span) => span !== null).sort();
    const span = order === "asc" ? spans[0] : spans.at(-1);
    if (span === undefined) return;
    yield (await Promise.all(readers.map((reader) => reader.take(span)))).flat();
  }
}

async function* readPages(
  table: Table,
  partition: string,
  from: string,
  to: string,
  order: Order,
): AsyncGenerator<IndexPage> {
  let after = null;
  let limit = pagesFirst;
  do {
    const page = await table.query({ index: null, partition, from, to, descending: order === "desc", limit, after });
    yield* page.items as IndexPage[];
    after = page.after;
    limit = Math.min(limit * 2, pagesMax);
  } while (after !== null);
}

/** The pages of one shard, span by span. */
class SpanReader {
  readonly #pages: AsyncGenerator<IndexPage>;
  readonly #wants: (rawKey: string) => boolean;
  #head: IndexPage | null | undefined;

  constructor(pages: AsyncGenerator<IndexPage>, wants: (rawKey: string) => boolean) {
    this.#pages = pages;
    this.#wants = wants;
  }

  /** Of the next page, as text; null: there is none. */
  async span(): Promise<string | null> {
    if (this.#head === undefined) {
      const { done, value } = await this.#pages.next();
      this.#head = done === true ? null : value;
    }
    return this.#head?.sk.split("#", 1)[0] ?? null;
  }

  /** The ids on the next pages, as long as they are of this span. */
  async take(span: string): Promise<readonly string[]> {
    const ids: string[][] = [];
    while ((await this.span()) === span && this.#head != null) {
      if (this.#wants(rawKeyOf(this.#head))) ids.push(pageIds(this.#head));
      this.#head = undefined;
    }
    return ids.flat();
  }
}

/** The sort key of a page: its span, the raw object, the first id, and what else tells pages apart. */
function rawKeyOf({ sk }: IndexPage): string {
  return /^\d+#(.*)#[0-9a-f]{32}(?:#[0-9a-f]+)?$/s.exec(sk)?.[1] ?? "";
}
