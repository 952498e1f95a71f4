import { type Item, ttlOf } from "./item.ts";
import { itemKeys, shardOf, shards, timeText } from "./item-keys.ts";
import { type RecordItem, recordTime } from "./record-items.ts";
import type { Table } from "./table.ts";

/**
 * How records are found by time without a second item for each: the ids of an outcome's records, 16 bytes each, in pages
 * that span at most `pageSpanMillis` of event time. Pages of a day lie in one partition a shard, sorted by the start of
 * their span; the records themselves lie wherever the hash of their identity puts them, so no partition is hot.
 */
export interface IndexPage extends Item {
  /** Ids of 16 bytes, ascending. */
  readonly b: Uint8Array;
}

/** Events of one batch lie close together; those that do not get a page each, which costs as much as an index entry would. */
export const pageSpanMillis = 10_000;
const dayMillis = 86_400_000;
/** 300 KB, below what an item may hold. */
const idsPerPageMax = 18_000;

/** Start of the day that a time lies in. */
export function dayOf(time: number): number {
  return Math.floor(time / dayMillis) * dayMillis;
}

/** Start of the span that a time lies in. */
export function spanOf(time: number): number {
  return Math.floor(time / pageSpanMillis) * pageSpanMillis;
}

/** The pages of what one raw object stored. Derived from the object and the records alone: written twice they are the same. */
export function indexPages(
  tenant: string,
  stream: string,
  rawKey: string,
  records: readonly RecordItem[],
  expiresAt: number,
): IndexPage[] {
  const pages: IndexPage[] = [];
  for (const [span, ofSpan] of Map.groupBy(records, (record) => spanOf(recordTime(record)))) {
    const ids = ofSpan.map(({ i }) => i).sort();
    for (let start = 0; start < ids.length; start += idsPerPageMax) {
      const part = ids.slice(start, start + idsPerPageMax);
      pages.push({
        pk: itemKeys.indexPartition(tenant, stream, dayOf(span), shardOf(rawKey, shards.index)),
        // The first id makes a page of its own of what a later attempt (a retried event) adds for the same object.
        sk: `${timeText(span)}#${rawKey}#${part[0]}`,
        b: Buffer.from(part.join(""), "hex"),
        ttl: ttlOf(expiresAt),
      });
    }
  }
  return pages;
}

/** The ids (hex) on a page. */
export function pageIds({ b }: Pick<IndexPage, "b">): string[] {
  return Buffer.from(b).toString("hex").match(/.{32}/g) ?? [];
}

/** Days that one process remembers to have written. */
const daysKnownMax = 10_000;

/** Which days a stream has records in, so that readers look into no other. Days are written once by each process, not once a commit. */
export class RecordDays {
  readonly #table: Table;
  /** When they are deleted, by partition and sort key. */
  readonly #known = new Map<string, number>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Keeps the days of these event times at least until `expiresAt`. */
  async note(tenant: string, stream: string, times: readonly number[], expiresAt: number): Promise<void> {
    // Rounded up, so that the commits of a day write the same.
    const ttl = ttlOf(dayOf(expiresAt) + dayMillis);
    const pk = itemKeys.days(tenant, stream);
    for (const day of new Set(times.map(dayOf))) {
      const sk = timeText(day);
      const known = `${pk} ${sk}`;
      if ((this.#known.get(known) ?? 0) >= ttl) continue;
      await this.#table.putLonger({ pk, sk, ttl });
      if (this.#known.size >= daysKnownMax) this.#known.clear();
      this.#known.set(known, ttl);
    }
  }
}
