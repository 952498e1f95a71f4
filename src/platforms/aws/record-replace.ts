import { deflateRawSync } from "node:zlib";
import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import type { RecordDraft } from "../../model/record.ts";
import { ReplaceReport } from "../../model/replace-report.ts";
import type { ReplaceResult, Reprocessed, ReprocessedEvent } from "../../model/replacement.ts";
import { type EventStanding, eventStandings, type Standings, type StoredPart } from "./event-standing.ts";
import { type RecordItem, recordItem, recordKey, storedRecord } from "./record-items.ts";
import { type ReplaceObject, readReplaceObject } from "./replace-object.ts";
import { ReplaceView } from "./replace-view.ts";
import { recountRollups } from "./rollup-recount.ts";
import type { Table } from "./table.ts";
import { type EventChange, type RecordChange, StaleView, writeChanges } from "./write-changes.ts";

/** Times that all is read and compared again because others had changed what was read. */
const triesMax = 10;

/**
 * `RecordTable.replace`. What becomes of the events is found out in memory, over what was read; then it is written, for each
 * event at once or not at all, and only if nothing of what it was based on has changed; if something has, all is
 * read and compared again, but for the events that are done. The minutes whose rollups must be counted again are written
 * with the records, so that what a crash leaves over is counted by the next run. Throws TOO_BUSY.
 */
export async function replaceRecords(
  table: Table,
  reprocessed: readonly Reprocessed[],
  dryRun: boolean,
): Promise<readonly ReplaceResult[]> {
  if (reprocessed.length === 0) return [];
  const done: DoneEvents = reprocessed.map(() => new Map());
  for (let tries = 1; ; tries++) {
    const replace = await RecordReplace.compare(table, reprocessed, done);
    if (dryRun) return replace.results();
    try {
      await replace.write();
      return replace.results();
    } catch (error) {
      if (!(error instanceof StaleView)) throw error;
      if (tries < triesMax) continue;
      throw new EventPulseError("TOO_BUSY", "Too many change the same records at once; try again.", { cause: error });
    }
  }
}

/** For each object what became, in earlier tries, of events that are written by now; by their index. */
type DoneEvents = readonly Map<number, EventChange>[];

interface ObjectReplace {
  readonly object: ReplaceObject;
  readonly standings: Standings;
  readonly report: ReplaceReport;
  /** By index, of events that are written already. */
  readonly done: Map<number, EventChange>;
  /** Events of which nothing is stored, and that would be now. */
  readonly candidates: ReprocessedEvent[];
  /** What becomes of events of which something is stored, and then what is added. */
  readonly replaced: EventChange[];
  readonly added: EventChange[];
}

/** One try. */
class RecordReplace {
  readonly #table: Table;
  readonly #view: ReplaceView;
  readonly #reports: ReplaceReport[] = [];
  readonly #objects: ObjectReplace[] = [];

  private constructor(table: Table) {
    this.#table = table;
    this.#view = new ReplaceView(table);
  }

  static async compare(table: Table, reprocessed: readonly Reprocessed[], done: DoneEvents): Promise<RecordReplace> {
    const replace = new RecordReplace(table);
    await replace.#view.prefetch(reprocessed);
    for (const [position, one] of reprocessed.entries()) await replace.#begin(one, done[position] ?? new Map());
    await replace.#addRecords();
    return replace;
  }

  results(): readonly ReplaceResult[] {
    return this.#reports.map((report) => report.result());
  }

  /** In the order in which it was decided: what is added can take a place that another object has left. */
  async write(): Promise<void> {
    for (const phase of ["replaced", "added"] as const) {
      for (const one of this.#objects) {
        await writeChanges(this.#table, this.#view, one.object, one[phase], (change) => {
          one.done.set(change.index, change);
        });
      }
    }
    await recountRollups(
      this.#table,
      this.#objects.map(({ object }) => object),
    );
  }

  /** All but what is to be added: whether an event may be added can depend on what becomes of other objects. */
  async #begin(one: Reprocessed, done: Map<number, EventChange>): Promise<void> {
    const report = new ReplaceReport(one.rawKey);
    this.#reports.push(report);
    const object = await readReplaceObject(this.#table, this.#view, one);
    if (object === null) {
      for (const { index } of one.events) report.add(index, "waiting");
      return;
    }
    const standings = await eventStandings(object);
    const context = { object, standings, report, done, candidates: [], replaced: [], added: [] };
    this.#objects.push(context);
    for (const [position, event] of one.events.entries()) {
      const standing = standings.events[position];
      const earlier = done.get(event.index);
      if (earlier !== undefined) report.add(event.index, earlier.result, earlier.sample);
      else if (standing !== undefined) await this.#replaceEvent(context, event, standing);
    }
  }

  /** Adds events until no more can be: each may be the first copy that the duplicates of another object were missing. */
  async #addRecords(): Promise<void> {
    let open = this.#objects.filter(({ candidates }) => candidates.length > 0);
    for (let tried = 0; tried !== open.length; ) {
      tried = open.length;
      const left: ObjectReplace[] = [];
      for (const context of open) {
        if (!(await this.#add(context))) left.push(context);
      }
      open = left;
    }
    for (const { candidates, report } of open) for (const { index } of candidates) report.add(index, "unmatched");
  }

  async #replaceEvent(context: ObjectReplace, event: ReprocessedEvent, standing: EventStanding): Promise<void> {
    const { report, standings, candidates } = context;
    const { index, records, reason } = event;
    if (standing.kind === "waiting" || standing.kind === "kept") report.add(index, standing.kind);
    else if (standing.kind === "duplicate") report.add(index, "same");
    else if (reason !== null) report.fail(index, reason);
    else if (standing.kind === "stored") await this.#replaceStored(context, event, standing.parts);
    else if (standing.kind === "elsewhere") report.add(index, "unmatched");
    else if (records.length > 0) candidates.push(event);
    else report.add(index, standings.storedFound ? "same" : "unmatched");
  }

  async #replaceStored(
    context: ObjectReplace,
    { index, records }: ReprocessedEvent,
    parts: readonly StoredPart[],
  ): Promise<void> {
    const changes: RecordChange[] = [];
    for (const { part, item } of parts) {
      const draft = records[part];
      if (draft !== undefined && dataOf(item) === draft.dataJson && (item.a ?? null) === draft.attributesJson) continue;
      const after = draft === undefined ? null : withDraft(item, draft);
      changes.push({ key: { pk: item.pk, sk: item.sk }, before: item, after });
    }
    const known = new Set(parts.map(({ part }) => part));
    for (const [part, draft] of records.entries()) {
      // As in a commit, a further record whose identity is taken is left out.
      if (!known.has(part) && (await this.#isFree(context, draft))) changes.push(this.#addition(context, draft));
    }
    const [first] = changes;
    if (first === undefined) {
      context.report.add(index, "same");
      return;
    }
    const removed = records.length === 0;
    const sample = { before: dataOf(first.before), after: dataOf(first.after) };
    this.#keep(context, "replaced", {
      index,
      result: removed ? "removed" : "changed",
      sample,
      changes,
      toStored: removed ? -1 : 0,
    });
  }

  /** False when one of the events may have been something else than dropped. */
  async #add(context: ObjectReplace): Promise<boolean> {
    const { object, candidates, report } = context;
    if (!context.standings.unknownDropped && !(await eventStandings(object)).unknownDropped) return false;
    for (const { index, records } of candidates) {
      const lookups = await Promise.all(records.map((draft) => this.#lookup(context, draft)));
      if (lookups[0] === "duplicate") {
        // Its identity is stored by now: it stays dropped, as a copy of an event that is there.
        report.add(index, "same");
      } else if (lookups.includes("conflict")) {
        // No event is stored by half.
        report.fail(index, conflict);
      } else {
        const wanted = records.filter((_, part) => lookups[part] === "new");
        const changes = wanted.map((draft) => this.#addition(context, draft));
        const sample = { before: null, after: records[0]?.dataJson ?? null };
        this.#keep(context, "added", { index, result: "added", sample, changes, toStored: 1 });
      }
    }
    return true;
  }

  #keep(context: ObjectReplace, phase: "replaced" | "added", change: EventChange): void {
    for (const { key, after } of change.changes) this.#view.change(key, after);
    const { tally } = context.object;
    tally.stored += change.toStored;
    tally.dropped -= change.toStored;
    context[phase].push(change);
    context.report.add(change.index, change.result, change.sample);
  }

  async #isFree(context: ObjectReplace, draft: RecordDraft): Promise<boolean> {
    return (await this.#lookup(context, draft)) === "new";
  }

  async #lookup({ object }: ObjectReplace, draft: RecordDraft): Promise<"new" | "duplicate" | "conflict"> {
    const { tenant, stream } = object.one.meta;
    const item = await this.#view.record(tenant, stream, draft.id);
    if (item === null) return "new";
    return draft.identity === null || item.c === draft.contentHash ? "duplicate" : "conflict";
  }

  #addition({ object }: ObjectReplace, draft: RecordDraft): RecordChange {
    const { meta, rawKey, recordsExpireAt } = object.one;
    const { tenant, stream, receivedAt } = meta;
    const after = recordItem(draft, { tenant, stream, rawKey, receivedAt, expiresAt: recordsExpireAt });
    return { key: recordKey(object.one.meta, draft), before: null, after };
  }
}

/** The record with other content: it keeps its id, its place and its times. */
function withDraft({ a: _, ...item }: RecordItem, { attributesJson, dataJson }: RecordDraft): RecordItem {
  return { ...item, ...(attributesJson !== null && { a: attributesJson }), d: deflateRawSync(dataJson) };
}

function dataOf(item: RecordItem | null): string | null {
  return item && storedRecord(item, "").dataJson;
}

const conflict: ErrorDetail = {
  pointer: "",
  code: "IDENTITY_CONFLICT",
  detail: "An event with this identity and other content is stored; it was not changed.",
};
