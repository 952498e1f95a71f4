import type { Anomaly } from "../../model/anomaly.ts";
import type { Failure } from "../../model/failure.ts";
import type { StreamCounters } from "../../model/outcome.ts";
import type { StoredRecord } from "../../model/record.ts";
import type { RawPosition } from "./raw-position.ts";

/** What the processing thread is started with. */
export interface ProcessThreadData {
  readonly configFile: string;
  readonly dataDirectory: string;
  /** Those that have a key. */
  readonly tenants: readonly string[];
  /** The thread before this one crashed. */
  readonly careful: boolean;
}

/**
 * How far processing has come; written in the same transaction as the results. `bytes` and `events` (by `tenantStream`) count
 * all of the raw log since the data folder began, so that what is in flight is a difference that survives every crash.
 */
export interface Checkpoint extends RawPosition {
  readonly bytes: number;
  readonly events: Readonly<Record<string, number>>;
}

export const checkpointStart: Checkpoint = { segment: 0, offset: 0, bytes: 0, events: {} };

/** One consistent moment of what is committed. */
export interface Progress {
  readonly checkpoint: Checkpoint;
  /** By `tenantStream`. */
  readonly counters: ReadonlyMap<string, StreamCounters>;
  /** Events in uploaded files that wait, by `tenantStream`. */
  readonly uploads: ReadonlyMap<string, number>;
}

/** What was committed of one tenant, for those who watch live. `skipped`: left out because there was too much, by stream. */
export interface Committed {
  readonly tenant: string;
  readonly records: readonly StoredRecord[];
  readonly failures: readonly Failure[];
  readonly anomalies: readonly Anomaly[];
  readonly skipped: ReadonlyMap<string, number>;
}

export type MessageFromProcess =
  | { readonly kind: "ready"; readonly progress: Progress }
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "committed"; readonly committed: readonly Committed[] }
  | { readonly kind: "health"; readonly problem: string | null }
  | { readonly kind: "drained" };

export type MessageToProcess =
  | { readonly kind: "durable"; readonly position: RawPosition }
  | { readonly kind: "live"; readonly on: boolean }
  | { readonly kind: "stop"; readonly drain: boolean };

/** What else the main thread may ask of the processing thread. */
export interface Writer {
  /** Writes and commits: proves that the store takes writes. `busyMillis`: how long the object under way has taken so far. */
  ping(): Promise<{ readonly busyMillis: number }>;
}
