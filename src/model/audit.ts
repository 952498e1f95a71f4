import { hash } from "node:crypto";

/** What is worth an entry: whoever saw original bytes, and whoever changed what becomes of a failure or of what a rule found. */
export type AuditAction =
  | "payload.view"
  | "events.view"
  | "failure.edit"
  | "failure.retry"
  | "failure.discard"
  | "issue.change"
  | "anomaly.change"
  | "job.start"
  | "job.pause"
  | "job.resume"
  | "job.cancel";
export const auditActions = [
  "payload.view",
  "events.view",
  "failure.edit",
  "failure.retry",
  "failure.discard",
  "issue.change",
  "anomaly.change",
  "job.start",
  "job.pause",
  "job.resume",
  "job.cancel",
] as const satisfies readonly AuditAction[];

/** One act, before it has its place in the log. Never holds a payload: hashes say which bytes were meant. */
export interface AuditDraft {
  readonly tenant: string;
  /** Who: the name of the principal. */
  readonly actor: string;
  readonly action: AuditAction;
  /** What it was done to: `fail_…`, `iss_…`, `anom_…`, `job_…`, or a stream for `events.view`. */
  readonly target: string;
  /** Why, in the actor's words; null where none was asked for. */
  readonly reason: string | null;
  /** SHA-256, hex, of what it was before and after; null where it does not apply. */
  readonly hashBefore: string | null;
  readonly hashAfter: string | null;
  /** Small facts, such as how many items a job has. JSON-serialisable. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AuditEntry extends AuditDraft {
  /** 1, 2, 3, … without gaps within a tenant. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `hash` of the entry before; `auditStart` for the first. */
  readonly previousHash: string;
  /** SHA-256, hex, over everything above. */
  readonly hash: string;
}

export const auditStart = "0".repeat(64);

/** Gives a draft its place behind `previous` (null: the first). */
export function auditEntry(draft: AuditDraft, previous: AuditEntry | null, at: number): AuditEntry {
  const placed = {
    ...draft,
    // Stores keep UTF-8, which has no lone surrogates: what is hashed must be what is read back.
    actor: draft.actor.toWellFormed(),
    target: draft.target.toWellFormed(),
    reason: draft.reason?.toWellFormed() ?? null,
    sequence: (previous?.sequence ?? 0) + 1,
    at,
    previousHash: previous?.hash ?? auditStart,
  };
  return { ...placed, hash: auditHash(placed) };
}

/** The hash that an entry must have. Names come in a fixed order, so that two writers agree. */
export function auditHash(entry: Omit<AuditEntry, "hash">): string {
  const details = Object.entries(entry.details).sort(([left], [right]) => (left < right ? -1 : 1));
  const { sequence, at, tenant, actor, action, target, reason, hashBefore, hashAfter, previousHash } = entry;
  const fields = [sequence, at, tenant, actor, action, target, reason, hashBefore, hashAfter, details, previousHash];
  return hash("sha256", JSON.stringify(fields), "hex");
}

/**
 * What is wrong with `entry` behind `previous` (null: it must be the first), in words for an operator; null: nothing.
 * Applied to every entry of a tenant in turn it finds what was changed, removed, added or moved since it was written. It
 * does not find entries cut off at the end, nor a log that was written anew from some place on: for that, keep the last
 * hash somewhere else and compare.
 */
export function auditProblem(previous: AuditEntry | null, entry: AuditEntry): string | null {
  const sequence = (previous?.sequence ?? 0) + 1;
  if (entry.sequence !== sequence) {
    return entry.sequence > sequence
      ? `Entry ${sequence} is missing: after ${sequence - 1} comes ${entry.sequence}.`
      : `Entry ${entry.sequence} is out of place: ${sequence} was expected.`;
  }
  if (entry.hash !== auditHash(entry)) {
    return `Entry ${sequence} was changed after it was written: its hash does not match what it says.`;
  }
  if (entry.previousHash !== (previous?.hash ?? auditStart)) {
    return previous === null
      ? "Entry 1 was changed: it does not begin the log."
      : `Entry ${sequence} does not follow entry ${previous.sequence}: one of the two was replaced.`;
  }
  return null;
}
