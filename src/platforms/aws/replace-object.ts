import type { Reprocessed } from "../../model/replacement.ts";
import type { Tally } from "./counters.ts";
import type { StandingSearch } from "./event-standing.ts";
import { entityOf, type ItemKey } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { ObjectMarker } from "./object-marker.ts";
import type { ReplaceView } from "./replace-view.ts";
import type { EventAttempt } from "./subject-standing.ts";
import type { Table } from "./table.ts";

/** Minutes whose rollups have to be counted again, for records of one raw object: an item until it is done. */
export interface Recount {
  /** Starts of the minutes, milliseconds since 1970. */
  readonly minutes: readonly number[];
  /** Fields of the new records; those that have rollups already are counted anyway. */
  readonly fields: readonly string[];
  /** Of the records. */
  readonly expiresAt: number;
}

/** A raw object whose events are compared, with what is known of it. */
export interface ReplaceObject extends StandingSearch {
  readonly one: Reprocessed;
  /** Changes with what is decided. */
  readonly tally: Tally;
  /** Of this run, and what earlier ones have left over. */
  readonly recounts: { readonly key: ItemKey; readonly recount: Recount }[];
}

/** Null when the object has not been processed a first time, or is another stream's. */
export async function readReplaceObject(
  table: Table,
  view: ReplaceView,
  one: Reprocessed,
): Promise<ReplaceObject | null> {
  const { rawKey, meta } = one;
  const markerKey = itemKeys.marker(rawKey);
  const retrying = new Set<number>();
  const recounts: ReplaceObject["recounts"] = [];
  let marker: ObjectMarker | null = null;
  for await (const item of table.queryAll({ index: null, partition: markerKey.pk })) {
    const { pk, sk } = item;
    if (sk === markerKey.sk) {
      marker = entityOf<ObjectMarker>(item);
      view.written(markerKey, item);
    } else if (sk.startsWith("E#")) {
      if (!entityOf<EventAttempt>(item).done) retrying.add(Number(sk.slice(2)));
    } else if (sk.startsWith("R#")) {
      recounts.push({ key: { pk, sk }, recount: entityOf<Recount>(item) });
    }
  }
  if (marker === null || marker.committedAt === null) return null;
  if (marker.tenant !== meta.tenant || marker.stream !== meta.stream) return null;
  const { stored, dropped, quarantined, dead, retrying: again, duplicates } = marker;
  const tally = { stored, dropped, quarantined, dead, retrying: again, duplicates };
  return { view, now: table.clock(), one, tally, retrying, recounts };
}
