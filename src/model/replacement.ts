import type { ErrorDetail } from "./error.ts";
import type { RawMeta } from "./raw-object.ts";
import type { RecordDraft, RecordId } from "./record.ts";

/** Where the records of an event lie: what its identity and its time say now. */
export interface EventPlace {
  /** Of its first record. */
  readonly id: RecordId;
  /** What identifies the event, as text; the ids of its further records are derived from it. */
  readonly name: string;
  /** As in `RecordDraft`. */
  readonly identity: number | null;
  readonly contentHash: number;
}

/** What one event would become with the contract and the transform of now. */
export interface ReprocessedEvent {
  readonly index: number;
  /** Null: it fails before it can be told which event it is. */
  readonly place: EventPlace | null;
  /** The first decides for all; empty when a transform drops the event, or when it fails. */
  readonly records: readonly RecordDraft[];
  /** Why it would fail, the first reason; null when it would not. */
  readonly reason: ErrorDetail | null;
}

/** A raw object, processed again and not stored. */
export interface Reprocessed {
  readonly rawKey: string;
  readonly meta: RawMeta;
  /** When records that are added may be deleted, milliseconds since 1970. */
  readonly recordsExpireAt: number;
  /** Numeric fields of the records, as in `Outcome.rollupFields`. */
  readonly rollupFields: readonly string[];
  /** All events of the object, ascending by index. */
  readonly events: readonly ReprocessedEvent[];
}

/**
 * What became of an event.
 * - `same`: what is stored is what it would be now, down to nothing where it was dropped. Duplicates stay duplicates.
 * - `changed`: its records were replaced in place; those that a transform makes more or less of it were added or removed.
 * - `added`: it was dropped before, and is stored now. `removed`: the other way round.
 * - `failing`: it would fail now. What is stored of it stays.
 * - `waiting`: it is a failure that waits, or has not been processed a first time: that is for a replay.
 * - `kept`: somebody decided about it: it was discarded, or recovered after a mend that a new run would undo.
 * - `unmatched`: what it became before cannot be found: see `RecordTable.replace`. Nothing was changed.
 */
export type Replacement = "same" | "changed" | "added" | "removed" | "failing" | "waiting" | "kept" | "unmatched";

/** What `replace` did with a raw object (in a dry run: would do). The counts are of events; together they are all of the object. */
export interface ReplaceResult extends Readonly<Record<Replacement, number>> {
  readonly rawKey: string;
  /** Why events fail now, in the order they were met. Pointers with `*` for array indexes. */
  readonly reasons: readonly ReplaceReason[];
  /** The first few events that are not the same any more. */
  readonly samples: readonly ReplacementSample[];
}

export interface ReplaceReason extends Pick<ErrorDetail, "code" | "pointer" | "detail"> {
  readonly count: number;
  /** Of the first event with it. */
  readonly index: number;
}

/** The first record of an event that differs, as JSON text, personal data included; null: there is none on that side. */
export interface ReplacementSample {
  readonly index: number;
  readonly result: Replacement;
  readonly before: string | null;
  readonly after: string | null;
}
