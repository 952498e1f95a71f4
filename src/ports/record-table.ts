import type { Anomaly, StoredDetectorState } from "../model/anomaly.ts";
import type { Outcome, OutcomeResult } from "../model/outcome.ts";
import type { Condition, Order, Page, PageRequest } from "../model/page.ts";
import type { StoredRecord } from "../model/record.ts";
import type { ReplaceResult, Reprocessed } from "../model/replacement.ts";

export interface RecordQuery extends PageRequest {
  readonly tenant: string;
  readonly stream: string;
  /** Event time, inclusive; null: from the first. */
  readonly from: number | null;
  /** Event time, exclusive; null: to the last. */
  readonly to: number | null;
  readonly order: Order;
  /**
   * All must hold. A field that is missing satisfies only `ne` and `exists=false`. Numbers compare as numbers when both
   * sides are one; everything else as text, by UTF-8 bytes: `true`, `false`, `null`, objects and arrays as JSON writes them.
   */
  readonly where: readonly Condition[];
}

export interface SeriesQuery {
  readonly tenant: string;
  readonly stream: string;
  /** A numeric field that is rolled up, or "" for the number of events. */
  readonly field: string;
  /** Event time, inclusive and exclusive, widened to whole minutes. */
  readonly from: number;
  readonly to: number;
  /** At most so many buckets, of equal width, at least one minute wide. */
  readonly points: number;
}
export interface SeriesPoint {
  /** Start of the bucket. */
  readonly time: number;
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly avg: number | null;
}
export interface Series {
  readonly bucketMillis: number;
  /** Ascending, without empty buckets. */
  readonly points: readonly SeriesPoint[];
  /** Every anomaly of the field in the range, however many buckets: a spike never disappears in an average. */
  readonly anomalies: readonly Anomaly[];
}

export interface RawKeyQuery {
  readonly tenant: string;
  readonly stream: string;
  /** Received time, inclusive and exclusive; null: from the first, to the last. */
  readonly from: number | null;
  readonly to: number | null;
  /** This key and those behind it; null: from the first on. */
  readonly startAt: string | null;
  readonly limit: number;
}

/** What became of a raw object; null until its outcome is committed. */
export interface ObjectResult extends OutcomeResult {
  readonly committedAt: number;
}

/** Records, and all that is committed with them. Rows are isolated by tenant and stream. */
export interface RecordTable {
  /**
   * Commits each outcome at once or not at all, in the order given: records, failures, anomalies, states, rollups,
   * notifications, retries and the marker. An outcome whose marker exists changes nothing (`applied: false`). A record
   * whose identity exists with the same content is a duplicate and changes nothing; with other content it becomes a failure
   * (IDENTITY_CONFLICT) and the first stays. Anomalies of records that are not stored are not kept. Throws STATE_STALE,
   * and then none of the outcomes is committed, when a detector state has another version than expected.
   */
  commit(outcomes: readonly Outcome[]): Promise<readonly OutcomeResult[]>;
  /** What `commit` would do now, without doing it. */
  judge(outcomes: readonly Outcome[]): Promise<readonly OutcomeResult[]>;
  /** States of the given detectors, version 0 and "null" for those that have none, and the false positives of each as they are now. */
  loadStates(
    tenant: string,
    keys: readonly { readonly rule: string; readonly key: string }[],
  ): Promise<readonly StoredDetectorState[]>;
  /** Records in order of (time, id). Stable under inserts: a page never repeats or skips what was there at its start. Throws CURSOR_INVALID. */
  query(query: RecordQuery): Promise<Page<StoredRecord>>;
  /** By record id (`evt_…`), by the id that the client gave, or for a CloudEvent by `{source}#{id}`; null when there is none. */
  get(tenant: string, stream: string, id: string): Promise<StoredRecord | null>;
  series(query: SeriesQuery): Promise<Series>;
  objectResult(rawKey: string): Promise<ObjectResult | null>;
  /**
   * Compares what events would be now with what is stored, and replaces what differs, in one commit; in a dry run says what
   * would be done. Answers for each object in turn; doing it twice changes nothing the second time. See `Replacement` for
   * what becomes of an event. Records keep their ids, their place and their expiry. Counters move with every event that is
   * added or removed; the rollups of the minutes concerned are counted again from the records that are there now. Anomalies
   * and detector states stay as they are: they tell what was seen then.
   *
   * A record is found by its id: identity and event time. After a change of the stream's `key` or `time` that is another id,
   * and storing the event under it would store it twice. So nothing is added in an object as long as the counters of the
   * object leave open that one of its events was stored, counted as a duplicate or set aside where it cannot be found any
   * more; such events are `unmatched`. It is the same for events whose record, failure or first copy has expired.
   */
  replace(reprocessed: readonly Reprocessed[], dryRun: boolean): Promise<readonly ReplaceResult[]>;
  /** Keys of raw objects whose outcome is committed, descending: by day, and by place within it. */
  rawKeys(query: RawKeyQuery): Promise<readonly string[]>;
}
