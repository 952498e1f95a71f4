import type { StreamCounters } from "../../model/outcome.ts";
import type { Database } from "./database.ts";
import { tenantStream } from "./tenant-stream.ts";

/** How many events became what; while a commit runs, also by how much a counter changes (and then some are negative). */
export interface Tally {
  stored: number;
  dropped: number;
  quarantined: number;
  dead: number;
  retrying: number;
  duplicates: number;
}

export function emptyTally(): Tally {
  return { stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };
}

/** Adds `change` to `sum`. */
export function addTally(sum: Tally, change: Tally): void {
  sum.stored += change.stored;
  sum.dropped += change.dropped;
  sum.quarantined += change.quarantined;
  sum.dead += change.dead;
  sum.retrying += change.retrying;
  sum.duplicates += change.duplicates;
}

export function tallySum({ stored, dropped, quarantined, dead, retrying, duplicates }: Tally): number {
  return stored + dropped + quarantined + dead + retrying + duplicates;
}

/**
 * Adds to the counters of a stream. Every change keeps `received = stored + dropped + quarantined + dead + retrying +
 * duplicates`: an event that moves from one to another has a -1 and a +1, and one that is new has `received` + 1.
 */
export function addToCounters(database: Database, stream: number, received: number, tally: Tally): void {
  database.run(
    `INSERT INTO counters VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       received = received + excluded.received, stored = stored + excluded.stored,
       dropped = dropped + excluded.dropped, quarantined = quarantined + excluded.quarantined,
       dead = dead + excluded.dead, retrying = retrying + excluded.retrying,
       duplicates = duplicates + excluded.duplicates`,
    stream,
    received,
    tally.stored,
    tally.dropped,
    tally.quarantined,
    tally.dead,
    tally.retrying,
    tally.duplicates,
  );
}

/** Counters of every stream that ever received something, by `tenantStream`. One consistent moment. */
export function readCounters(database: Database): Map<string, StreamCounters> {
  const rows = database.all<StreamCounters & { tenant: string; name: string }>(
    `SELECT tenant, name, received, stored, dropped, quarantined, dead, retrying, duplicates
       FROM counters JOIN streams ON streams.id = counters.stream`,
  );
  return new Map(rows.map(({ tenant, name, ...counters }) => [tenantStream(tenant, name), counters]));
}
