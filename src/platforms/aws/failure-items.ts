import type { Failure, FailureDraft, FailureState } from "../../model/failure.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import type { IssueChanges } from "./issue-changes.ts";
import type { Item } from "./item.ts";
import type { Table } from "./table.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** A failure as kept: what people see, and what tells whether its event comes again. */
export interface StoredFailure extends Failure {
  readonly identity: number | null;
  readonly contentHash: number;
}

/** Where a failure comes from. */
export interface FailureOrigin {
  readonly rawKey: string;
  readonly meta: RawMeta;
  readonly expiresAt: number;
  readonly now: number;
}

export interface FailureEnd {
  readonly state: FailureState;
  readonly recordId: string | null;
  /** Why it fails now; null: it does not, or is tried again. */
  readonly draft: FailureDraft | null;
  readonly expiresAt: number;
  /** Null: no job; the one before stays. */
  readonly jobId: string | null;
}

/** The item of a failure, with its place in the lists. */
export function failureItem(_failure: StoredFailure): Item {
  throw new Error("to be written");
}

/**
 * Writes new failures with their payloads, before the transaction that counts them: ids are derived from the place of the
 * event, so writing them again writes the same. Answers for each draft: `new` (also when an earlier try of this same commit
 * wrote it), or `known`: its event waits as another failure, which is then seen again.
 */
export async function writeFailures(
  _table: Table,
  _drafts: readonly FailureDraft[],
  _origin: FailureOrigin,
  _issues: IssueChanges,
): Promise<readonly ("new" | "known")[]> {
  throw new Error("to be written");
}

/** Within a unit: the failure as it is, null when there is none. */
export async function findFailure(_unit: UnitOfWork, _id: string): Promise<StoredFailure | null> {
  throw new Error("to be written");
}

/** Within a unit: ends a retry or a replay, attempts + 1. */
export function endFailure(
  _unit: UnitOfWork,
  _failure: StoredFailure,
  _end: FailureEnd,
  _now: number,
  _issues: IssueChanges,
): void {
  throw new Error("to be written");
}
