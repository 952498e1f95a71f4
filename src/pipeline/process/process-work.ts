import type { Project } from "../../model/definition.ts";
import { assert, EventPulseError } from "../../model/error.ts";
import type { Failure } from "../../model/failure.ts";
import type { Outcome, OutcomeSubject } from "../../model/outcome.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import type { Work } from "../../ports/work-queue.ts";
import { editedEvent } from "../failures/edited-event.ts";
import { failureEvent } from "../failures/failure-event.ts";
import type { Contract } from "./contract.ts";
import { failRaw } from "./fail-raw.ts";
import { lostObject, payloadObject } from "./payload-object.ts";
import { type ProcessContext, processEvents, processRaw } from "./process-raw.ts";

export interface WorkContext {
  readonly project: Project;
  readonly contracts: ReadonlyMap<string, Contract>;
  /** Raw objects by key, whichever store holds them; null when it is gone. */
  readonly readRaw: (key: string) => Promise<RawObject | null>;
  readonly records: Pick<RecordTable, "loadStates">;
  readonly failures: Pick<FailureLog, "get" | "payload">;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Between 0 and 1; spreads retries. */
  readonly random: () => number;
}

/** Why an object cannot be processed at all. */
export type ObjectTrouble = "RAW_CORRUPT" | "OBJECT_POISON" | "STREAM_REMOVED" | "OBJECT_MISSING" | "INTERNAL";

/**
 * The outcome of a raw object (of its event at `index` unless that is null). What cannot be processed is set aside. Throws only
 * what `loadStates` throws: then the store is at fault and not the object, and another try may help.
 */
export async function processObject(
  object: RawObject,
  subject: OutcomeSubject,
  index: number | null,
  context: WorkContext,
): Promise<Outcome> {
  return guarded(object, subject, index, context, (process) => processRaw(object, subject, index, process));
}

/** Sets aside what cannot be processed, because of what it is or because of a mistake of ours. Throws what `loadStates` throws. */
async function guarded(
  object: RawObject,
  subject: OutcomeSubject,
  index: number | null,
  { project, contracts, records, random }: WorkContext,
  compute: (context: ProcessContext) => Promise<Outcome>,
): Promise<Outcome> {
  const { stream } = object.meta;
  const contract = contracts.get(stream);
  if (contract === undefined) {
    const detail = `The stream "${stream}" is not in the config; put it back and retry.`;
    return failObject(object, subject, index, "STREAM_REMOVED", detail, project);
  }
  const states = watchedStates(records);
  try {
    return await compute({ project, contract, records: states, random });
  } catch (error) {
    if (states.hasFailed()) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return failObject(object, subject, index, "INTERNAL", `Processing failed: ${reason.slice(0, 300)}`, project);
  }
}

/** The same, remembering whether reading states has failed: a store that takes no more right now is no reason to set events aside. */
function watchedStates(records: Pick<RecordTable, "loadStates">) {
  let failed = false;
  return {
    hasFailed: () => failed,
    async loadStates(...request: Parameters<RecordTable["loadStates"]>) {
      try {
        return await records.loadStates(...request);
      } catch (error) {
        failed = true;
        throw error;
      }
    },
  };
}

/** The outcome that sets a whole object (or its event at `index`) aside. */
export function failObject(
  object: RawObject,
  subject: OutcomeSubject,
  index: number | null,
  code: ObjectTrouble,
  detail: string,
  project: Project,
): Outcome {
  const isolated = code === "OBJECT_POISON" || code === "RAW_CORRUPT";
  const reason = {
    stage: code === "RAW_CORRUPT" ? "decode" : "transform",
    class: code === "STREAM_REMOVED" ? "invalid" : isolated ? "poison" : "bug",
    code,
    errors: [{ pointer: "", code, detail }],
  } as const;
  return failRaw(object, subject, index, reason, project);
}

/**
 * The outcome of a message of the work queue: none when there is nothing to do any more. `dead`: it was received too often,
 * and is set aside without another try. Throws OBJECT_MISSING when its raw object cannot be read and another try may help.
 */
export async function processWork(work: Work, dead: boolean, context: WorkContext): Promise<readonly Outcome[]> {
  assert(work.kind !== "job", "a step of a job is computed by `computeStep`");
  if (work.kind === "failure") {
    const failure = await context.failures.get(work.tenant, work.failureId);
    if (failure === null || failure.state !== "retrying") return [];
    const subject = { kind: "failure", failureId: work.failureId, attempt: work.attempt, jobId: null } as const;
    return [await failureOutcome(failure, subject, dead, context)];
  }
  const index = work.kind === "event" ? work.index : null;
  const subject: OutcomeSubject =
    work.kind === "event" ? { kind: "event", index: work.index, attempt: work.attempt } : { kind: "object" };
  const object = await context.readRaw(work.rawKey);
  if (object !== null) return [await outcomeOf(object, subject, index, dead, context)];
  if (!dead) throw new EventPulseError("OBJECT_MISSING", `The raw object ${work.rawKey} cannot be read.`);
  const lost = lostObject({ ...work, events: work.kind === "upload" ? work.events : 1 }, context.clock());
  const detail = "Its bytes cannot be read any more; ask the sender.";
  return [failObject(lost, subject, index, "OBJECT_MISSING", detail, context.project)];
}

/** From the raw object while there is one: it knows what the payload alone does not (a CSV header, the assigned id). */
async function failureOutcome(failure: Failure, subject: OutcomeSubject, dead: boolean, context: WorkContext) {
  const object = await context.readRaw(failure.rawKey);
  if (object !== null && (dead || failure.edit === null)) {
    return outcomeOf(object, subject, failure.rawIndex, dead, context);
  }
  const payload = await context.failures.payload(failure.tenant, failure.id);
  const alone = payloadObject(failure, payload ?? new Uint8Array(0));
  if (dead) return outcomeOf(alone, subject, 0, dead, context);
  return guarded(object ?? alone, subject, object === null ? 0 : failure.rawIndex, context, async (process) => {
    const { event, object: source } = failureEvent({ failure, payload: alone.body }, object, process.contract);
    return processEvents(source, subject, [editedEvent(failure, event)], process);
  });
}

async function outcomeOf(
  object: RawObject,
  subject: OutcomeSubject,
  index: number | null,
  dead: boolean,
  context: WorkContext,
): Promise<Outcome> {
  if (!dead) return processObject(object, subject, index, context);
  const detail = "Processing it was tried too often without an end.";
  return failObject(object, subject, index, "OBJECT_POISON", detail, context.project);
}
