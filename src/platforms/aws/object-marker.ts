import type { RawMeta } from "../../model/raw-object.ts";
import type { ObjectResult } from "../../ports/record-table.ts";
import { addTally, emptyTally, type Tally } from "./counters.ts";
import { entityOf, type Item, ttlOf } from "./item.ts";
import { itemKeys, listKeys } from "./item-keys.ts";
import type { Table } from "./table.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** What is kept of a raw object: the marker that its outcome is committed, and what has become of its events. */
export interface ObjectMarker extends Tally {
  readonly tenant: string;
  readonly stream: string;
  readonly receivedAt: number;
  /** Null until its outcome is committed: an event of it may be tried again after its marker has expired. */
  readonly committedAt: number | null;
}

/** Within a unit. */
export async function findMarker(unit: UnitOfWork, rawKey: string): Promise<ObjectMarker | null> {
  const item = await unit.load(itemKeys.marker(rawKey));
  return item && entityOf<ObjectMarker>(item);
}

/**
 * Within a unit: adds what became of events of the object, in a marker of its own when there is none, and keeps it at least
 * until `expiresAt`. With a time in `committedAt` the outcome of the object is committed from now on.
 */
export async function writeMarker(
  unit: UnitOfWork,
  rawKey: string,
  { tenant, stream, receivedAt }: Pick<RawMeta, "tenant" | "stream" | "receivedAt">,
  change: Tally,
  { expiresAt, committedAt }: { readonly expiresAt: number; readonly committedAt: number | null },
): Promise<void> {
  const item = await unit.load(itemKeys.marker(rawKey));
  const before = item && entityOf<ObjectMarker>(item);
  const marker: ObjectMarker = {
    ...(before ?? { tenant, stream, receivedAt, ...emptyTally() }),
    committedAt: committedAt ?? before?.committedAt ?? null,
  };
  addTally(marker, change);
  unit.put(markerItem(rawKey, marker, Math.max(item?.ttl ?? 0, ttlOf(expiresAt))));
}

/** Within a unit: moves events of an object from one count to another. Does nothing when its marker is gone. */
export async function addToObject(unit: UnitOfWork, rawKey: string, change: Tally): Promise<void> {
  const item = await unit.load(itemKeys.marker(rawKey));
  if (item === null) return;
  const marker = entityOf<ObjectMarker>(item);
  addTally(marker, change);
  unit.put({ ...item, j: JSON.stringify(marker) });
}

/** What has become of the object's events by now, retries and discards included; null until its outcome is committed. */
export async function readObjectResult(table: Table, rawKey: string): Promise<ObjectResult | null> {
  const item = await table.get(itemKeys.marker(rawKey));
  if (item === null) return null;
  const { committedAt, stored, dropped, quarantined, dead, retrying, duplicates } = entityOf<ObjectMarker>(item);
  if (committedAt === null) return null;
  return {
    applied: true,
    recordId: null,
    committedAt,
    stored,
    dropped,
    quarantined,
    dead,
    retrying,
    duplicates,
  };
}

/** When the object of a marker was received. */
export function receivedAtOf(item: Item): number {
  return entityOf<ObjectMarker>(item).receivedAt;
}

/** Only a committed object is listed. */
function markerItem(rawKey: string, marker: ObjectMarker, ttl: number): Item {
  const { tenant, stream, committedAt } = marker;
  return {
    ...itemKeys.marker(rawKey),
    j: JSON.stringify(marker),
    ttl,
    ...(committedAt !== null && { g1p: listKeys.rawKeys(tenant, stream), g1s: rawKey }),
  };
}
