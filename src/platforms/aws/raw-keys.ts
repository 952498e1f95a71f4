import type { RawMeta } from "../../model/raw-object.ts";
import type { RawKeyQuery } from "../../ports/record-table.ts";
import { dayOf } from "./index-pages.ts";
import { entityOf } from "./item.ts";
import { listKeys } from "./item-keys.ts";
import type { Table } from "./table.ts";

const dayMillis = 86_400_000;

/** `RecordTable.rawKeys`. Keys name their day, so a range of time is a range of keys: see `RawObject.key`. */
export async function rawKeys(
  table: Table,
  { tenant, stream, from, to, startAt, limit }: RawKeyQuery,
): Promise<readonly string[]> {
  // An upload lies under the day of its link, which may be the day before.
  const first = from === null ? `raw/${stream}/` : `raw/${stream}/${dayPath(from - dayMillis)}`;
  // "0" is the character after "/".
  const end = to === null ? `raw/${stream}0` : `raw/${stream}/${dayPath(to)}0`;
  const last = startAt !== null && startAt < end ? startAt : end;
  const keys: string[] = [];
  if (first > last) return keys;
  const range = {
    index: "g1",
    partition: listKeys.rawKeys(tenant, stream),
    from: first,
    to: last,
    descending: true,
    limit: Math.max(1, limit),
  } as const;
  for await (const item of table.queryAll(range)) {
    const receivedAt = entityOf<Pick<RawMeta, "receivedAt">>(item).receivedAt;
    if ((from === null || receivedAt >= from) && (to === null || receivedAt < to)) keys.push(item.g1s ?? "");
    if (keys.length >= limit) break;
  }
  return keys;
}

function dayPath(time: number): string {
  const inRange = Math.min(Math.max(time, 0), Date.UTC(9999, 11, 31));
  return new Date(dayOf(inRange)).toISOString().slice(0, 10).replaceAll("-", "/");
}
