import { hash } from "node:crypto";
import { EventPulseError } from "../../model/error.ts";
import type { Failure } from "../../model/failure.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { PatchOperation } from "../../model/recipe.ts";
import type { Contract } from "../process/contract.ts";
import { explainErrors } from "../process/explain-errors.ts";
import { processEvent } from "../process/process-event.ts";
import { applyPatch } from "./apply-patch.ts";
import { failureEvent, mended } from "./failure-event.ts";

/** An edit to judge. `object`: the raw object of the failure, null when it is gone. */
export interface EditRequest {
  readonly failure: Failure;
  readonly payload: Uint8Array;
  readonly object: RawObject | null;
  readonly patch: readonly PatchOperation[];
}

/** An edit that applies, and after which the event fits. */
export interface EditJudgement {
  /** The event before and after, as JSON text; `before` is null when the original cannot be read. */
  readonly before: string | null;
  readonly after: string;
  /** SHA-256, hex, of `after`. */
  readonly sha256: string;
  readonly outcome: "stored" | "dropped";
  /** The data of the records that it would become. */
  readonly results: readonly unknown[];
}

/**
 * Applies a patch to the event of a failure, then validates, identifies and transforms it as processing would, and keeps nothing. An
 * event that cannot be read is edited as `null`: only a replacement of the whole document applies to it. Throws PATCH_INVALID,
 * and EDIT_REFUSED with the errors when the event would still fail. Whether another event has its identity shows only when it is
 * stored.
 */
export async function judgeEdit(
  { failure, payload, object, patch }: EditRequest,
  contract: Contract,
): Promise<EditJudgement> {
  const { object: source, event } = failureEvent({ failure, payload }, object, contract);
  const readable = event.errors === null;
  const before = readable ? JSON.stringify(event.data) : null;
  const edited = mended(event, applyPatch(readable ? event.data : null, patch));
  const after = Buffer.from(edited.original).toString("utf8");
  const result = await processEvent(edited, source.meta, contract);
  if (result.kind === "failed") {
    const errors = explainErrors(result.errors, edited, contract.stream);
    const first = errors[0]?.detail ?? result.code;
    const where = errors[0]?.pointer ? ` at ${errors[0].pointer}` : "";
    const message = `After the edit the event would still fail (${result.code}${where}): ${first.replace(/\.$/, "")}.`;
    throw new EventPulseError("EDIT_REFUSED", message, { errors });
  }
  // By way of the text that would be stored: a transform may hand out what JSON changes, such as a Date.
  const results = result.kind === "stored" ? result.records.map(({ dataJson }) => JSON.parse(dataJson) as unknown) : [];
  return { before, after, sha256: hash("sha256", after, "hex"), outcome: result.kind, results };
}
