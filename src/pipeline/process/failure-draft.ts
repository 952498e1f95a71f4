import type { ErrorDetail } from "../../model/error.ts";
import type { FailureClass, FailureDraft, FailureStage } from "../../model/failure.ts";
import { causePointer, failureFingerprint, failureId } from "../../model/identity.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import type { Identity } from "./identify.ts";

/** What went wrong with one event. */
export interface Reason {
  readonly stage: FailureStage;
  readonly class: FailureClass;
  readonly code: string;
  readonly errors: readonly ErrorDetail[];
  readonly identity: Identity | null;
}

/** The failure record of one event. `quarantined` when an edit or a code change is needed, `dead` when attempts ran out. */
export function failureDraft(
  raw: Pick<RawObject, "key" | "meta">,
  event: Pick<ReadEvent, "index" | "original">,
  reason: Reason,
  contentHash: number,
  attempts: number,
  contractVersion: string,
): FailureDraft {
  const dead = reason.class === "bug" || reason.class === "transient" || reason.class === "poison";
  return {
    id: failureId(raw.key, raw.meta.receivedAt, event.index),
    state: dead ? "dead" : "quarantined",
    class: reason.class,
    stage: reason.stage,
    code: reason.code,
    errors: reason.errors,
    attempts,
    index: event.index,
    eventId: reason.identity?.eventId ?? null,
    identity: reason.identity?.hash ?? null,
    contentHash,
    fingerprint: failureFingerprint(
      raw.meta.stream,
      reason.stage,
      reason.code,
      causePointer(reason.errors),
      contractVersion,
    ),
    contractVersion,
    recoverable: event.original.length > 0,
    recoverableWhy: event.original.length > 0 ? (waysByCode[reason.code] ?? ways[reason.class]) : lost,
    original: event.original,
  };
}

const lost = "Nothing of its bytes is left: ask the sender to send it again, and discard this.";

/** What gets an event of a class through. */
const ways: Readonly<Record<FailureClass, string>> = {
  invalid: "The original is kept: correct it with an edit or a recipe, or change the contract, then replay it.",
  bug: "The original is kept: correct the transform or what it relies on, then replay it unchanged.",
  transient: "The original is kept: replay it when the cause is gone.",
  poison: "The original is kept: processing it ended the process, so correct the code first, then replay it alone.",
  conflict: "The original is kept: give it an identity of its own by editing its key, or discard it; the first stays.",
  security: "The original is kept and was not processed: replace it with a harmless event by an edit, or discard it.",
};

const waysByCode: Readonly<Record<string, string>> = {
  STREAM_REMOVED: "The original is kept: put its stream back into the config, then replay it unchanged.",
  RAW_CORRUPT: "The bytes are kept as they were found, damaged: replace the event with an edit, or ask the sender.",
};
