import type { FailureDraft } from "./failure.ts";
import { failureFingerprint, failureId } from "./identity.ts";
import type { RawMeta } from "./raw-object.ts";
import type { RecordDraft } from "./record.ts";

/** The failure of an event whose identity is stored with other content. Its fingerprint leaves the contract out: a conflict does not depend on it. */
export function conflictDraft(record: RecordDraft, rawKey: string, meta: RawMeta, attempts: number): FailureDraft {
  const code = "IDENTITY_CONFLICT";
  return {
    id: failureId(rawKey, meta.receivedAt, record.index),
    state: "quarantined",
    class: "conflict",
    stage: "store",
    code,
    errors: [
      { pointer: "", code, detail: "An event with this identity and other content is stored; it was not changed." },
    ],
    attempts,
    index: record.index,
    eventId: record.eventId,
    identity: record.identity,
    contentHash: record.contentHash,
    fingerprint: failureFingerprint(meta.stream, "store", code, "", ""),
    contractVersion: "",
    recoverable: true,
    recoverableWhy: "Send it under an identity of its own, or discard it: the event that came first stays as it is.",
    original: record.original,
  };
}
