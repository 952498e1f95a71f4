import type { FailureDraft } from "../../model/failure.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Tally } from "./counters.ts";
import { endFailure, findFailure, type StoredFailure } from "./failure-items.ts";
import type { IssueChanges } from "./issue-changes.ts";
import { entityOf, type Item, type ItemKey, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { findMarker, writeMarker } from "./object-marker.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** Where an outcome's subject stands before the outcome is committed. */
export interface SubjectStanding {
  /** Its marker says that it was committed before. */
  readonly applied: boolean;
  /** The failure that a retry or a replay ends. */
  readonly failure: StoredFailure | null;
}

/** How the subject ends. */
export interface SubjectEnd {
  readonly tally: Tally;
  /** Why a failure fails now; null: it does not. */
  readonly draft: FailureDraft | null;
  readonly recordId: string | null;
}

/** The attempts at an event that is tried again; `done`: it is not any more. */
export interface EventAttempt {
  readonly attempt: number;
  readonly done: boolean;
}

/** Names the subject and its attempt within the raw object. */
export function subjectText({ subject }: Pick<Outcome, "subject">): string {
  if (subject.kind === "object") return "object";
  if (subject.kind === "event") return `event#${subject.index}#${subject.attempt}`;
  return `failure#${subject.failureId}#${subject.attempt}`;
}

/** Of the items that tell where the subject stands. */
export function subjectKeys({ subject, rawKey }: Pick<Outcome, "subject" | "rawKey">): ItemKey[] {
  const marker = itemKeys.marker(rawKey);
  if (subject.kind === "object") return [marker];
  if (subject.kind === "event") return [marker, itemKeys.eventAttempt(rawKey, subject.index)];
  return [marker, itemKeys.failure(subject.failureId)];
}

/** Within a unit. */
export async function subjectStanding(
  unit: UnitOfWork,
  { subject, rawKey }: Pick<Outcome, "subject" | "rawKey">,
): Promise<SubjectStanding> {
  if (subject.kind === "object") {
    const marker = await findMarker(unit, rawKey);
    return { applied: marker !== null && marker.committedAt !== null, failure: null };
  }
  if (subject.kind === "event") {
    const item = await unit.load(itemKeys.eventAttempt(rawKey, subject.index));
    const last = item && entityOf<EventAttempt>(item);
    return { applied: last !== null && (last.done || last.attempt >= subject.attempt), failure: null };
  }
  const failure = await findFailure(unit, subject.failureId);
  if (failure === null || failure.attempts + 1 !== subject.attempt) return { applied: true, failure };
  const { state } = failure;
  const awaited = subject.jobId === null ? state === "retrying" : state === "quarantined" || state === "dead";
  return { applied: !awaited, failure };
}

/**
 * Within a unit: ends the failure or the attempt, and writes the marker. Answers with what changes in the counters of the
 * stream, where every event of the subject is counted once.
 */
export async function endSubject(
  unit: UnitOfWork,
  outcome: Outcome,
  { failure }: SubjectStanding,
  { tally, draft, recordId }: SubjectEnd,
  now: number,
  issues: IssueChanges,
): Promise<Tally> {
  const { subject, rawKey, meta, retries, expiresAt } = outcome;
  const change = { ...tally };
  if (subject.kind === "failure" && failure !== null) {
    const { state } = failure;
    change[state === "quarantined" || state === "dead" ? state : "retrying"]--;
    const end = {
      state: draft?.state ?? (retries.length > 0 ? "retrying" : "recovered"),
      recordId,
      draft,
      expiresAt: expiresAt.failures,
      jobId: subject.jobId,
    } as const;
    endFailure(unit, failure, end, now, issues);
  } else if (subject.kind === "event") {
    change.retrying--;
    const attempt: EventAttempt = { attempt: subject.attempt, done: retries.length === 0 };
    unit.put(attemptItem(outcome, subject.index, attempt));
  }
  const committedAt = subject.kind === "object" ? now : null;
  await writeMarker(unit, rawKey, meta, change, { expiresAt: keptUntil(outcome), committedAt });
  return change;
}

export function attemptItem(
  outcome: Pick<Outcome, "rawKey" | "expiresAt">,
  index: number,
  attempt: EventAttempt,
): Item {
  return {
    ...itemKeys.eventAttempt(outcome.rawKey, index),
    j: JSON.stringify(attempt),
    ttl: ttlOf(keptUntil(outcome)),
  };
}

/** A marker, and what tells of attempts, is needed as long as the object or its records. */
function keptUntil({ expiresAt }: Pick<Outcome, "expiresAt">): number {
  return Math.max(expiresAt.records, expiresAt.raw);
}
