import type { ErrorDetail } from "../../model/error.ts";
import { EventPulseError } from "../../model/error.ts";
import type { FailureDraft } from "../../model/failure.ts";
import type { Job } from "../../model/job.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { LoadedFailure } from "../../ports/failure-log.ts";
import type { Contract } from "../process/contract.ts";
import { ownEvent, processEvents } from "../process/process-raw.ts";
import type { WorkContext } from "../process/process-work.ts";
import type { mendingFunction } from "./apply-recipe.ts";
import type { ComputedItem } from "./computed-step.ts";
import { editedEvent } from "./edited-event.ts";
import { loadedEvent, mended } from "./failure-event.ts";
import { maskPersonal } from "./mask.ts";

/** What replaying one failure comes to; without an outcome nothing is to be committed. */
export interface ReplayedFailure extends Pick<ComputedItem, "result" | "reason" | "before" | "after"> {
  readonly outcome: Outcome | null;
}

/** Longest text of a sample. */
const sampleCharactersMax = 2_000;

/**
 * Processes a failure again with the contract and transform of now: its event as sent, with its edit when it has one,
 * mended by the job's recipe. `raw`: the object that it came in, null when that is gone. Never throws for what the event, a recipe or a transform does. A recipe whose event still
 * fails leaves the failure as it is: the mended event was never kept, so its reasons are the job's alone.
 */
export async function replayFailure(
  found: LoadedFailure,
  raw: RawObject | null,
  job: Job,
  mend: ReturnType<typeof mendingFunction>,
  sampled: boolean,
  context: WorkContext,
): Promise<ReplayedFailure> {
  const { head } = found;
  const contract = context.contracts.get(head.stream);
  if (contract === undefined) {
    const detail = `The stream "${head.stream}" is not in the config; put it back and replay again.`;
    return failing({ code: "STREAM_REMOVED", pointer: "", detail });
  }
  const read = loadedEvent(found, raw, contract);
  if (read === null) return gone;
  const { object, event } = read;
  let repaired = event;
  try {
    repaired = editedEvent(head, event);
    if (mend !== null) {
      const data = mend(repaired.data, () => found.whole()?.failure ?? null);
      repaired = mended(event, data instanceof Promise ? await data : data);
    }
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    const [first] = error.errors;
    const reason = { code: error.code, pointer: first?.pointer ?? "", detail: first?.detail ?? error.message };
    return { ...failing(reason), result: "unmended" };
  }
  const subject = { kind: "failure", failureId: head.id, attempt: head.attempts + 1, jobId: job.id } as const;
  // Before the transform has had its hands on it.
  const texts = sampled
    ? samples(event.data, repaired === event ? undefined : repaired.data, contract)
    : { before: null, after: null };
  const { project, records, random } = context;
  const own = repaired === event ? ownEvent(event) : repaired;
  const outcome = await processEvents(object, subject, [own], { project, contract, records, random });
  const [draft] = outcome.failures;
  if (draft !== undefined && mend !== null) return { ...failing(reasonOf(draft)), ...texts };
  return { outcome, result: null, reason: draft === undefined ? null : reasonOf(draft), ...texts };
}

const gone: ReplayedFailure = { outcome: null, result: "gone", reason: null, before: null, after: null };

function failing(reason: ReplayedFailure["reason"]): ReplayedFailure {
  return { outcome: null, result: "failing", reason, before: null, after: null };
}

function reasonOf({ code, errors }: Pick<FailureDraft, "code" | "errors">): ErrorDetail {
  return { code, pointer: errors[0]?.pointer ?? "", detail: errors[0]?.detail ?? code };
}

function samples(before: unknown, after: unknown, contract: Contract): { before: string | null; after: string | null } {
  return { before: sampleText(before, contract.stream.pii), after: sampleText(after, contract.stream.pii) };
}

/** JSON text for people to look at: without personal data, and cut. Null for what is no JSON value. */
export function sampleText(data: unknown, pii: readonly string[]): string | null {
  const text = data === undefined ? undefined : JSON.stringify(maskPersonal(data, pii));
  return text === undefined ? null : text.slice(0, sampleCharactersMax);
}
