import { failureId, partIdentityHash } from "../../model/identity.ts";
import { type RecordId, recordId, recordIdText, recordIdTime } from "../../model/record.ts";
import type { EventPlace, Reprocessed, ReprocessedEvent } from "../../model/replacement.ts";
import type { Tally } from "./counters.ts";
import { entityOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { readDefinition } from "./job-items.ts";
import type { RecordItem } from "./record-items.ts";
import type { ReplaceView } from "./replace-view.ts";
import { type StoredFailure, storedFailure } from "./stored-failure.ts";

/** One of the records that an event became; 0 is the first. */
export interface StoredPart {
  readonly part: number;
  readonly item: RecordItem;
}

/**
 * What became of an event of a raw object so far.
 * - `stored`: as these records. `elsewhere`: at a time that is not its time any more.
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

export interface StandingSearch {
  readonly view: ReplaceView;
  readonly now: number;
  readonly one: Reprocessed;
  /** What became of the events of the object, counted. */
  readonly tally: Tally;
  /** Indexes of events that are to be tried again. */
  readonly retrying: ReadonlySet<number>;
}

/** Where an event is counted in its object, as far as it is known. */
type Counted = "stored" | "duplicates" | "dropped" | "waiting";
type Found = readonly [standing: EventStanding, counted: Counted | null];

/**
 * Finds out what became of each event of a raw object. Items tell of records, failures, duplicates and retries; nothing but
 * the counters of the object tells of events that were dropped. So what is not found was dropped only if the counters leave
 * nothing else that it can be. More duplicates may be found than are counted: copies of an event that a transform dropped
 * are all dropped, and when one of them is stored later, the others look like its duplicates.
 */
export async function eventStandings(search: StandingSearch): Promise<Standings> {
  const { one, tally } = search;
  const counted = { stored: 0, duplicates: 0, dropped: 0, waiting: 0 };
  const unknownIdentities = new Set<string>();
  let copies = 0;
  const events: EventStanding[] = [];
  for (const event of one.events) {
    const [standing, where] = await find(search, event);
    events.push(standing);
    if (where !== null) counted[where]++;
    const { identity = null, contentHash } = event.place ?? {};
    if (standing.kind !== "unknown" || identity === null) continue;
    const seen = unknownIdentities.size;
    if (unknownIdentities.add(`${identity} ${contentHash}`).size === seen) copies++;
  }
  const storedFound = counted.stored === tally.stored;
  const waitingFound = counted.waiting === tally.quarantined + tally.dead + tally.retrying;
  const duplicatesFound = counted.duplicates + copies >= tally.duplicates;
  return { events, storedFound, unknownDropped: storedFound && waitingFound && duplicatesFound };
}

async function find(search: StandingSearch, event: ReprocessedEvent): Promise<Found> {
  const { view, one, now, retrying } = search;
  const id = failureId(one.rawKey, one.meta.receivedAt, event.index);
  const failure = storedFailure(await view.get(itemKeys.failure(id)), now);
  // What came to the dead letters on its way to the next attempt is a failure.
  if (failure === null && retrying.has(event.index)) return [{ kind: "waiting" }, "waiting"];
  const failed = failure && (await asFailure(search, event.index, failure));
  if (failed !== null) return failed;
  return event.place === null ? unknown : atPlace(search, event, event.place);
}

const unknown: Found = [{ kind: "unknown" }, null];

/** Null when it was recovered from the bytes as they were sent. */
async function asFailure({ view, one }: StandingSearch, index: number, failure: StoredFailure): Promise<Found | null> {
  const { tenant, stream } = one.meta;
  if (failure.state === "discarded") return [{ kind: "kept" }, "dropped"];
  if (failure.state !== "recovered") return [{ kind: "waiting" }, "waiting"];
  if (failure.edit === null && !(await wasMended(view, failure.jobId))) return null;
  if (failure.recordId === null) return [{ kind: "kept" }, "dropped"];
  const record = await view.record(tenant, stream, Buffer.from(failure.recordId.slice(4), "hex"));
  const own = record !== null && isOwn(record, one, index) && `evt_${record.i}` === failure.recordId;
  return [{ kind: "kept" }, own ? "stored" : "duplicates"];
}

async function wasMended(view: ReplaceView, jobId: string | null): Promise<boolean> {
  const item = jobId === null ? null : await view.get(itemKeys.jobDefinition(jobId));
  return item?.b !== undefined && readDefinition(item.b).mending !== null;
}

async function atPlace(search: StandingSearch, event: ReprocessedEvent, place: EventPlace): Promise<Found> {
  const { view, one } = search;
  const { tenant, stream } = one.meta;
  const item = await view.record(tenant, stream, place.id);
  if (item === null) return (await isDuplicateFailure(search, event, place)) ? duplicate : unknown;
  if (!isOwn(item, one, event.index)) return duplicate;
  return hasId(item, place.id) ? stored(search, event, place) : [{ kind: "elsewhere" }, "stored"];
}

const duplicate: Found = [{ kind: "duplicate" }, "duplicates"];

async function stored({ view, one }: StandingSearch, event: ReprocessedEvent, place: EventPlace): Promise<Found> {
  const { tenant, stream } = one.meta;
  const parts: StoredPart[] = [];
  let id = place.id;
  for (let part = 0; ; ) {
    const item = await view.record(tenant, stream, id);
    if (item !== null && isOwn(item, one, event.index) && hasId(item, id)) parts.push({ part, item });
    else if (part >= event.records.length) return [{ kind: "stored", parts }, "stored"];
    part++;
    id = recordId(recordIdTime(place.id), partIdentityHash(tenant, stream, place.name, part).bytes10);
  }
}

/** Whether the record came from this event. */
function isOwn(item: RecordItem, { rawKey }: Reprocessed, index: number): boolean {
  return item.r === rawKey && item.n === index;
}

function hasId(item: RecordItem, id: RecordId): boolean {
  return `evt_${item.i}` === recordIdText(id);
}

/** Whether it came while the same event waited as a failure from another place. */
async function isDuplicateFailure(
  { view, one }: StandingSearch,
  { index }: ReprocessedEvent,
  { identity, contentHash }: EventPlace,
): Promise<boolean> {
  if (identity === null) return false;
  const { tenant, stream, receivedAt } = one.meta;
  const pointer = await view.get(itemKeys.waiting(tenant, stream, identity, contentHash));
  return pointer !== null && entityOf<string>(pointer) !== failureId(one.rawKey, receivedAt, index);
}
