import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Outcome } from "../../model/outcome.ts";
import type { RecordDraft, RecordId } from "../../model/record.ts";
import type { Database } from "./database.ts";
import type { IdentityIndex } from "./identity-index.ts";
import type { PendingRecordBatches } from "./record-batches.ts";
import type { PendingRollups } from "./rollups.ts";

/** What became of the record drafts of one outcome, counted in events. */
export interface WrittenRecords {
  stored: number;
  duplicates: number;
  /** The first draft of each event whose identity is stored with other content. */
  readonly conflicts: RecordDraft[];
  /** Record of each event that was asked for and stored. */
  readonly recordIds: ReadonlyMap<number, RecordId>;
  /** Record of the last event: the new one, or the one it duplicates. */
  lastRecordId: RecordId | null;
}

interface AcceptedRecord {
  readonly draft: RecordDraft;
  readonly first: boolean;
  readonly identityHash: number | null;
}

const noRecordIds = new Map<number, RecordId>();
/** Rows in one INSERT: 400,000 records/s one by one, 490,000 by eight; more gained nothing. */
const rowsPerInsert = 8;
const columns = 7;
/** SQLITE_CONSTRAINT_PRIMARYKEY (https://sqlite.org/rescode.html). */
const constraintPrimaryKey = 1555;

/** Stores records with their identities, rollups and expiry. One for each database connection; used inside a transaction. */
export class RecordWriter {
  readonly #identities: IdentityIndex;
  readonly #insertOne: StatementSync;
  readonly #insertMany: StatementSync;
  readonly #changes: StatementSync;

  constructor(database: Database, identities: IdentityIndex) {
    const row = `(${new Array(columns).fill("?").join(", ")})`;
    this.#identities = identities;
    this.#insertOne = database.statement(`INSERT INTO records VALUES ${row} ON CONFLICT DO NOTHING`);
    // FAIL, not ABORT: to take back the rows before a failing one, SQLite would copy each page aside that a statement changes.
    this.#insertMany = database.statement(
      `INSERT OR FAIL INTO records VALUES ${new Array(rowsPerInsert).fill(row).join(", ")}`,
    );
    this.#changes = database.statement("SELECT changes() AS count");
  }

  /** `wanted`: indexes of events whose record ids the caller needs. */
  write(
    outcome: Pick<Outcome, "records" | "rollupFields"> & { readonly expiresAt: Pick<Outcome["expiresAt"], "records"> },
    stream: number,
    object: number,
    wanted: ReadonlySet<number>,
    pending: { readonly batches: PendingRecordBatches; readonly rollups: PendingRollups },
  ): WrittenRecords {
    const recordIds = wanted.size === 0 ? noRecordIds : new Map<number, RecordId>();
    const written: WrittenRecords = { stored: 0, duplicates: 0, conflicts: [], recordIds, lastRecordId: null };
    if (outcome.records.length === 0) return written;
    const accepted = this.#judge(outcome.records, stream, written);
    // Ascending ids touch each page once, which matters most for objects that span hours.
    accepted.sort((left, right) => left.draft.time - right.draft.time || Buffer.compare(left.draft.id, right.draft.id));
    const refused = this.#insert(accepted, stream, object);
    const batch = pending.batches.batch(stream, outcome.expiresAt.records);
    const rollUp = pending.rollups.recorder(stream, outcome.rollupFields, outcome.expiresAt.records);
    for (let position = 0; position < accepted.length; position++) {
      const { draft, first, identityHash } = accepted[position] as AcceptedRecord;
      if (refused?.has(position)) {
        if (first) written.duplicates++;
        continue;
      }
      batch.add(draft.id, identityHash);
      rollUp(draft, first);
      if (!first) continue;
      written.stored++;
      if (wanted.has(draft.index)) recordIds.set(draft.index, draft.id);
    }
    return written;
  }

  /** Decides event by event, and takes the places of the accepted in the identity index. */
  #judge(drafts: readonly RecordDraft[], stream: number, written: WrittenRecords): AcceptedRecord[] {
    const accepted: AcceptedRecord[] = [];
    for (let start = 0; start < drafts.length; ) {
      const first = drafts[start];
      if (first === undefined) break;
      let end = start + 1;
      while (drafts[end]?.index === first.index) end++;
      if (end === start + 1) {
        this.#judgeOne(first, stream, written, accepted);
      } else {
        this.#judgeEvent(first, drafts.slice(start, end), stream, written, accepted);
      }
      start = end;
    }
    return accepted;
  }

  /** An event that became one record, as most do. */
  #judgeOne(draft: RecordDraft, stream: number, written: WrittenRecords, accepted: AcceptedRecord[]): void {
    let identityHash: number | null = null;
    if (draft.identity !== null) {
      const lookup = this.#identities.lookup(draft.identity, draft.id, draft.contentHash);
      if (lookup.kind === "duplicate") {
        written.duplicates++;
        written.lastRecordId = lookup.recordId;
        return;
      }
      if (lookup.kind !== "new") {
        written.conflicts.push(draft);
        return;
      }
      identityHash = lookup.slot;
      this.#identities.insert(identityHash, stream, draft.id, draft.contentHash);
    }
    accepted.push({ draft, first: true, identityHash });
    written.lastRecordId = draft.id;
  }

  /**
   * The first record decides for its event. One of the others that is stored already is left out; one that meets other
   * content makes the whole event a conflict, so that no event is stored by half.
   */
  #judgeEvent(
    first: RecordDraft,
    drafts: readonly RecordDraft[],
    stream: number,
    written: WrittenRecords,
    accepted: AcceptedRecord[],
  ): void {
    const lookups = drafts.map((draft) =>
      draft.identity === null ? null : this.#identities.lookup(draft.identity, draft.id, draft.contentHash),
    );
    const decisive = lookups[0];
    if (decisive?.kind === "duplicate") {
      written.duplicates++;
      written.lastRecordId = decisive.recordId;
      return;
    }
    if (lookups.some((lookup) => lookup?.kind === "conflict")) {
      written.conflicts.push(first);
      return;
    }
    written.lastRecordId = first.id;
    for (const [position, draft] of drafts.entries()) {
      const lookup = lookups[position] ?? null;
      if (lookup !== null && lookup.kind !== "new") continue;
      if (lookup !== null) this.#identities.insert(lookup.slot, stream, draft.id, draft.contentHash);
      accepted.push({ draft, first: position === 0, identityHash: lookup?.slot ?? null });
    }
  }

  /** Inserts all; answers with the positions whose record id was taken, which no event that is new can be (null: none). */
  #insert(accepted: readonly AcceptedRecord[], stream: number, object: number): Set<number> | null {
    let refused: Set<number> | null = null;
    for (let start = 0; start < accepted.length; ) {
      const count = accepted.length - start < rowsPerInsert ? 1 : rowsPerInsert;
      const values: SQLInputValue[] = [];
      for (let position = start; position < start + count; position++) {
        const { draft } = accepted[position] as AcceptedRecord;
        values.push(stream, draft.id, object, draft.index, draft.eventId, draft.attributesJson, draft.dataJson);
      }
      const inserted = count === 1 ? Number(this.#insertOne.run(...values).changes) : this.#insertRows(values);
      start += inserted;
      if (inserted === count) continue;
      refused ??= new Set();
      refused.add(start++);
    }
    return refused;
  }

  /** Answers with how many rows were inserted before one whose record id was taken. */
  #insertRows(values: readonly SQLInputValue[]): number {
    try {
      this.#insertMany.run(...values);
      return rowsPerInsert;
    } catch (error) {
      if (!(error instanceof Error && "errcode" in error && error.errcode === constraintPrimaryKey)) throw error;
      return Number(this.#changes.get()?.["count"]);
    }
  }
}
