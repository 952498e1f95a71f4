import type { AuditDraft } from "../model/audit.ts";
import type { Failure, FailureDraft, FailureEdit, FailureHead } from "../model/failure.ts";
import type { FailureFilter } from "../model/job.ts";
import type { Order, Page, PageRequest } from "../model/page.ts";
import type { RawMeta } from "../model/raw-object.ts";

export interface FailureQuery extends PageRequest, FailureFilter {
  readonly tenant: string;
  readonly order: Order;
}

export interface FailureWithPayload {
  readonly failure: Failure;
  /** The bytes as they were sent. */
  readonly payload: Uint8Array;
}

/** A failure that a job takes. Most of them need no more than the head, so the rest may be read when it is asked for. */
export interface LoadedFailure {
  readonly head: FailureHead;
  /** Null when retention has removed it since it was loaded. */
  whole(): FailureWithPayload | null;
}

/**
 * Everything that could not be processed, with its original bytes, until it is mended, discarded or expired. Each change
 * that somebody asks for is committed together with its audit entry.
 */
export interface FailureLog {
  /** By (last seen, id). Throws CURSOR_INVALID. */
  query(query: FailureQuery): Promise<Page<Failure>>;
  get(tenant: string, id: string): Promise<Failure | null>;
  /** The bytes as they were sent, or null when there is no such failure. */
  payload(tenant: string, id: string): Promise<Uint8Array | null>;
  /** Each one at the place of its id; null where there is none. */
  load(tenant: string, ids: readonly string[]): Promise<readonly (LoadedFailure | null)[]>;
  /**
   * Moves a failure from `quarantined` or `dead` to `retrying` and enqueues its retry, at once or not at all. Throws
   * STATE_CONFLICT from another state and ETAG_STALE when `version` (null: any) is not the stored one. Null when there is none.
   */
  retry(tenant: string, id: string, version: number | null, audit: AuditDraft): Promise<Failure | null>;
  /** Moves a failure from `quarantined` or `dead` to `discarded`, counted as dropped. Throws as `retry` does. */
  discard(tenant: string, id: string, version: number | null, note: string, audit: AuditDraft): Promise<Failure | null>;
  /** Keeps an edit beside the original, in place of the one before; null takes it away. Throws as `retry` does. */
  edit(
    tenant: string,
    id: string,
    version: number | null,
    edit: FailureEdit | null,
    audit: AuditDraft,
  ): Promise<Failure | null>;
  /** Discards each one that is `quarantined` or `dead`; answers for each id in turn. `skipped`: in another state. */
  discardAll(
    tenant: string,
    ids: readonly string[],
    note: string,
  ): Promise<readonly ("discarded" | "skipped" | "gone")[]>;
  /** Writes failures found outside an outcome (a dead letter, a corrupt frame), counted as accepted with it. An id that exists changes nothing. */
  add(rawKey: string, meta: RawMeta, expiresAt: number, drafts: readonly FailureDraft[]): Promise<void>;
}
