import { failureId, partIdentityHash } from "../../model/identity.ts";
import { type RecordId, recordId, recordIdTime } from "../../model/record.ts";
import type { EventPlace, Reprocessed, ReprocessedEvent } from "../../model/replacement.ts";
import type { Work } from "../../ports/work-queue.ts";
import type { Tally } from "./counters.ts";
import type { Database } from "./database.ts";
import type { IdentityIndex } from "./identity-index.ts";

/** One of the records that an event became; 0 is the first. */
export interface StoredPart {
  readonly part: number;
  readonly id: RecordId;
  readonly attributes: string | null;
  readonly data: string;
}

/**
 * What became of an event of a raw object so far.
 * - `stored`: as these records. `elsewhere`: under an id that is not its id any more.
 * - `duplicate`: of an event that is stored, or was a failure, from another place.
 * - `waiting`, `kept`: as in `Replacement`.
 * - `unknown`: none of these. It was dropped, unless `Standings` says that something else is possible.
 */
export type EventStanding =
  | { readonly kind: "stored"; readonly parts: readonly StoredPart[] }
  | { readonly kind: "elsewhere" | "duplicate" | "waiting" | "kept" | "unknown" };

/** The events of a raw object, each in its place. */
export interface Standings {
  readonly events: readonly EventStanding[];
  /** Whether all events that are counted as stored were found: then no `unknown` one is. */
  readonly storedFound: boolean;
  /** Whether each `unknown` event was dropped, or is a copy of one before it in this object that was. */
  readonly unknownDropped: boolean;
}

/** The row of a raw object whose outcome is committed. */
export interface CommittedObject extends Tally {
  readonly number: number;
}

/** Where an event is counted in its object, as far as it is known. */
type Counted = "stored" | "duplicates" | "dropped" | "waiting";
type Found = readonly [standing: EventStanding, counted: Counted | null];

interface Search {
  readonly database: Database;
  readonly identities: IdentityIndex;
  readonly stream: number;
  readonly object: CommittedObject;
  readonly one: Reprocessed;
  /** Indexes of events that are to be tried again. */
  readonly retrying: ReadonlySet<number>;
}

/**
 * Finds out what became of each event of a raw object. Rows tell of records, failures, duplicates and retries; nothing but
 * the counters of the object tells of events that were dropped. So what is not found was dropped only if the counters leave
 * nothing else that it can be. More duplicates may be found than are counted: copies of an event that a transform dropped
 * are all dropped, and when one of them is stored later, the others look like its duplicates.
 */
export function eventStandings(
  database: Database,
  identities: IdentityIndex,
  stream: number,
  object: CommittedObject,
  one: Reprocessed,
): Standings {
  const search = { database, identities, stream, object, one, retrying: retryingIndexes(database, one.rawKey) };
  const counted = { stored: 0, duplicates: 0, dropped: 0, waiting: 0 };
  const unknownIdentities = new Set<string>();
  let copies = 0;
  const events = one.events.map((event) => {
    const [standing, where] = find(search, event);
    if (where !== null) counted[where]++;
    const { identity = null, contentHash } = event.place ?? {};
    if (standing.kind === "unknown" && identity !== null) {
      const seen = unknownIdentities.size;
      if (unknownIdentities.add(`${identity} ${contentHash}`).size === seen) copies++;
    }
    return standing;
  });
  const storedFound = counted.stored === object.stored;
  const waitingFound = counted.waiting === object.quarantined + object.dead + object.retrying;
  const duplicatesFound = counted.duplicates + copies >= object.duplicates;
  return { events, storedFound, unknownDropped: storedFound && waitingFound && duplicatesFound };
}

function retryingIndexes(database: Database, rawKey: string): ReadonlySet<number> {
  const rows = database.all<{ work: string }>("SELECT work FROM work WHERE raw_key = ?", rawKey);
  const work = rows.map((row) => JSON.parse(row.work) as Work);
  return new Set(work.flatMap((one) => (one.kind === "event" ? one.index : [])));
}

function find(search: Search, event: ReprocessedEvent): Found {
  if (search.retrying.has(event.index)) return [{ kind: "waiting" }, "waiting"];
  return asFailure(search, event.index) ?? (event.place === null ? unknown() : atPlace(search, event, event.place));
}

function unknown(): Found {
  return [{ kind: "unknown" }, null];
}

/** Null when it is none, or was recovered from the bytes as they were sent. */
function asFailure(search: Search, index: number): Found | null {
  const { database, one } = search;
  const row = database.get<{ state: string; record_id: Uint8Array | null; mended: number }>(
    `SELECT state, record_id, edit IS NOT NULL OR EXISTS
       (SELECT 1 FROM jobs WHERE jobs.id = failures.job_id AND mending IS NOT NULL) AS mended FROM failures WHERE id = ?`,
    failureId(one.rawKey, one.meta.receivedAt, index),
  );
  if (row === null || (row.state === "recovered" && row.mended === 0)) return null;
  if (row.state === "discarded") return [{ kind: "kept" }, "dropped"];
  if (row.state !== "recovered") return [{ kind: "waiting" }, "waiting"];
  if (row.record_id === null) return [{ kind: "kept" }, "dropped"];
  return [{ kind: "kept" }, ownRecord(search, index, row.record_id) === null ? "duplicates" : "stored"];
}

function atPlace(search: Search, event: ReprocessedEvent, place: EventPlace): Found {
  const { identities } = search;
  const { index } = event;
  if (place.identity === null) {
    return ownRecord(search, index, place.id) === null ? unknown() : stored(search, event, place);
  }
  const id = identities.find(place.identity, place.id.subarray(6));
  if (id === null) return isDuplicateFailure(search, index, place) ? [{ kind: "duplicate" }, "duplicates"] : unknown();
  if (ownRecord(search, index, id) === null) return [{ kind: "duplicate" }, "duplicates"];
  return Buffer.compare(id, place.id) === 0 ? stored(search, event, place) : [{ kind: "elsewhere" }, "stored"];
}

function stored(search: Search, { index, records }: ReprocessedEvent, place: EventPlace): Found {
  const { tenant, stream } = search.one.meta;
  const parts: StoredPart[] = [];
  let id = place.id;
  for (let part = 0; ; ) {
    const row = ownRecord(search, index, id);
    if (row !== null) parts.push({ part, id, ...row });
    else if (part >= records.length) return [{ kind: "stored", parts }, "stored"];
    part++;
    id = recordId(recordIdTime(place.id), partIdentityHash(tenant, stream, place.name, part).bytes10);
  }
}

/** The record with this id, when it came from this event. */
function ownRecord({ database, stream, object }: Search, index: number, id: RecordId) {
  return database.get<{ attributes: string | null; data: string }>(
    "SELECT attributes, data FROM records WHERE stream = ? AND id = ? AND object = ? AND raw_index = ?",
    stream,
    id,
    object.number,
    index,
  );
}

/** Whether it came while the same event waited as a failure, see `isKnownEvent`. */
function isDuplicateFailure({ database, stream, one }: Search, index: number, place: EventPlace): boolean {
  const row = database.get(
    "SELECT 1 FROM failures WHERE identity = ? AND content_hash = ? AND stream = ? AND id <> ? LIMIT 1",
    place.identity,
    place.contentHash,
    stream,
    failureId(one.rawKey, one.meta.receivedAt, index),
  );
  return row !== null;
}
