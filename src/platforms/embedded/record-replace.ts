import type { ErrorDetail } from "../../model/error.ts";
import { partIdentityHash } from "../../model/identity.ts";
import { type RecordDraft, type RecordId, recordIdTime } from "../../model/record.ts";
import { ReplaceReport } from "../../model/replace-report.ts";
import type { ReplaceResult, Reprocessed, ReprocessedEvent } from "../../model/replacement.ts";
import { addToCounters, emptyTally } from "./counters.ts";
import type { Database } from "./database.ts";
import {
  type CommittedObject,
  type EventStanding,
  eventStandings,
  type Standings,
  type StoredPart,
} from "./event-standing.ts";
import { IdentityIndex, IdentityMerge } from "./identity-index.ts";
import { addToObject } from "./object-marker.ts";
import { PendingRecordBatches } from "./record-batches.ts";
import { RecordWriter } from "./record-writer.ts";
import { recountRollups, type TouchedRollups } from "./rollup-recount.ts";
import { minuteMillis, PendingRollups } from "./rollups.ts";
import { findStreamNumber } from "./stream-number.ts";

/** `RecordTable.replace`, synchronous, so that it can be part of a caller's transaction. */
export function replaceRecords(
  database: Database,
  reprocessed: readonly Reprocessed[],
  dryRun: boolean,
): readonly ReplaceResult[] {
  if (reprocessed.length === 0) return [];
  // A dry run does all of it, so that each object sees what others change, and takes it back.
  return dryRun ? database.rehearse(replace) : database.transaction(replace);

  function replace(): readonly ReplaceResult[] {
    const work = new RecordReplace(database, reprocessed);
    const objects = reprocessed.map((one) => work.begin(one));
    work.addRecords(objects.flatMap(({ context }) => context ?? []));
    const results = objects.map(({ report }) => report.result());
    if (!dryRun) work.finish();
    return results;
  }
}

interface ObjectReplace {
  readonly one: Reprocessed;
  readonly stream: number;
  readonly object: CommittedObject;
  readonly standings: Standings;
  readonly report: ReplaceReport;
  /** Events of which nothing is stored, and that would be now. */
  readonly candidates: ReprocessedEvent[];
}

class RecordReplace {
  readonly #database: Database;
  readonly #identities: IdentityIndex;
  readonly #writer: RecordWriter;
  readonly #batches = new PendingRecordBatches();
  readonly #touched = new Map<number, TouchedRollups>();

  constructor(database: Database, reprocessed: readonly Reprocessed[]) {
    this.#database = database;
    this.#identities = new IdentityIndex(database);
    this.#identities.expect(reprocessed.flatMap(({ events }) => events.flatMap(({ place }) => place?.identity ?? [])));
    this.#writer = new RecordWriter(database, this.#identities);
  }

  /** All but what is to be added: whether an event may be added can depend on what becomes of other objects. */
  begin(one: Reprocessed): { readonly report: ReplaceReport; readonly context: ObjectReplace | null } {
    const report = new ReplaceReport(one.rawKey);
    const stream = findStreamNumber(this.#database, one.meta.tenant, one.meta.stream);
    const object = committedObject(this.#database, one.rawKey);
    if (stream === null || object === null) {
      for (const { index } of one.events) report.add(index, "waiting");
      return { report, context: null };
    }
    const standings = eventStandings(this.#database, this.#identities, stream, object, one);
    const context = { one, stream, object, standings, report, candidates: [] };
    for (const [position, event] of one.events.entries()) {
      const standing = standings.events[position];
      if (standing !== undefined) this.#replaceEvent(context, event, standing);
    }
    return { report, context };
  }

  /** Adds events until no more can be: each may be the first copy that the duplicates of another object were missing. */
  addRecords(contexts: readonly ObjectReplace[]): void {
    let open = contexts.filter(({ candidates }) => candidates.length > 0);
    for (let tried = 0; tried !== open.length; ) {
      tried = open.length;
      open = open.filter((context) => !this.#add(context));
    }
    for (const { candidates, report } of open) for (const { index } of candidates) report.add(index, "unmatched");
  }

  /** What belongs to the end of the transaction. */
  finish(): void {
    this.#identities.flush(new IdentityMerge(this.#database));
    this.#batches.write(this.#database);
    for (const [stream, touched] of this.#touched) recountRollups(this.#database, stream, touched);
  }

  #replaceEvent(context: ObjectReplace, event: ReprocessedEvent, standing: EventStanding): void {
    const { report, standings, candidates } = context;
    const { index, records, reason } = event;
    if (standing.kind === "waiting" || standing.kind === "kept") report.add(index, standing.kind);
    else if (standing.kind === "duplicate") report.add(index, "same");
    else if (reason !== null) report.fail(index, reason);
    else if (standing.kind === "stored") this.#replaceStored(context, event, standing.parts);
    else if (standing.kind === "elsewhere") report.add(index, "unmatched");
    else if (records.length > 0) candidates.push(event);
    else report.add(index, standings.storedFound ? "same" : "unmatched");
  }

  #replaceStored(context: ObjectReplace, event: ReprocessedEvent, parts: readonly StoredPart[]): void {
    const { report } = context;
    const { index, records } = event;
    const differing: { before: string | null; after: string | null }[] = [];
    for (const { part, id, attributes, data } of parts) {
      const draft = records[part];
      if (draft === undefined) this.#remove(context, event, part, id);
      else if (draft.dataJson === data && draft.attributesJson === attributes) continue;
      else this.#update(context, draft);
      differing.push({ before: data, after: draft?.dataJson ?? null });
    }
    const stored = new Set(parts.map(({ part }) => part));
    for (const [part, draft] of records.entries()) {
      if (stored.has(part) || !this.#isFree(draft)) continue;
      this.#write(context, [draft]);
      differing.push({ before: null, after: draft.dataJson });
    }
    const [first] = differing;
    if (first === undefined) report.add(index, "same");
    else report.add(index, records.length === 0 ? "removed" : "changed", first);
    if (records.length === 0) this.#move(context, -1);
  }

  #update(context: ObjectReplace, { id, dataJson, attributesJson }: RecordDraft): void {
    const sql = "UPDATE records SET data = ?, attributes = ? WHERE stream = ? AND id = ?";
    this.#database.run(sql, dataJson, attributesJson, context.stream, id);
    this.#touch(context, id);
  }

  /** Its expiry stays listed: deleting what is not there any more is no error. */
  #remove(context: ObjectReplace, { place }: ReprocessedEvent, part: number, id: RecordId): void {
    const { tenant, stream } = context.one.meta;
    this.#database.run("DELETE FROM records WHERE stream = ? AND id = ?", context.stream, id);
    this.#touch(context, id);
    if (place === null || place.identity === null) return;
    const identity = part === 0 ? place.identity : partIdentityHash(tenant, stream, place.name, part).hash53;
    this.#identities.remove(identity, id);
  }

  /** As in a commit, a further record whose identity is taken is left out. */
  #isFree({ identity, id, contentHash }: RecordDraft): boolean {
    return identity === null || this.#identities.lookup(identity, id, contentHash).kind === "new";
  }

  /** False when one of the events may have been something else than dropped. */
  #add(context: ObjectReplace): boolean {
    const { one, stream, object, report, candidates } = context;
    const counted = committedObject(this.#database, one.rawKey) ?? object;
    const standings = eventStandings(this.#database, this.#identities, stream, counted, one);
    if (!context.standings.unknownDropped && !standings.unknownDropped) return false;
    const { conflicts, recordIds } = this.#write(
      context,
      candidates.flatMap(({ records }) => records),
    );
    const conflicting = new Set(conflicts.map(({ index }) => index));
    for (const { index, records } of candidates) {
      if (conflicting.has(index)) report.fail(index, conflict);
      else if (recordIds.has(index)) report.add(index, "added", { before: null, after: records[0]?.dataJson ?? null });
      // Its identity is stored by now: it stays dropped, as a copy of an event that is there.
      else report.add(index, "same");
    }
    this.#move(context, recordIds.size);
    return true;
  }

  /** Counts events that were dropped as stored, or the other way round. */
  #move({ stream, object }: ObjectReplace, toStored: number): void {
    if (toStored === 0) return;
    const moved = { ...emptyTally(), stored: toStored, dropped: -toStored };
    addToCounters(this.#database, stream, 0, moved);
    addToObject(this.#database, object, moved);
  }

  #write(context: ObjectReplace, records: readonly RecordDraft[]) {
    const { one, stream, object } = context;
    for (const { id } of records) this.#touch(context, id);
    const outcome = { records, rollupFields: [], expiresAt: { records: one.recordsExpireAt } };
    const wanted = new Set(records.map(({ index }) => index));
    // Rollups are counted again, so what the writer adds to them is thrown away.
    const pending = { batches: this.#batches, rollups: new PendingRollups() };
    return this.#writer.write(outcome, stream, object.number, wanted, pending);
  }

  #touch({ one, stream }: ObjectReplace, id: RecordId): void {
    let touched = this.#touched.get(stream);
    if (touched === undefined) {
      touched = { minutes: new Set(), fields: new Set(), expiresAt: 0 };
      this.#touched.set(stream, touched);
    }
    touched.minutes.add(Math.floor(recordIdTime(id) / minuteMillis));
    for (const field of one.rollupFields) touched.fields.add(field);
    touched.expiresAt = Math.max(touched.expiresAt, one.recordsExpireAt);
  }
}

function committedObject(database: Database, rawKey: string): CommittedObject | null {
  return database.get<CommittedObject>(
    `SELECT id AS number, stored, dropped, quarantined, dead, retrying, duplicates FROM objects
       WHERE key = ? AND committed_at IS NOT NULL`,
    rawKey,
  );
}

const conflict: ErrorDetail = {
  pointer: "",
  code: "IDENTITY_CONFLICT",
  detail: "An event with this identity and other content is stored; it was not changed.",
};
