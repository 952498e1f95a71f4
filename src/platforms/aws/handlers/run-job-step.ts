import { EventPulseError } from "../../../model/error.ts";
import type { Outcome, OutcomeResult } from "../../../model/outcome.ts";
import { computeStep, type JobContext } from "../../../pipeline/failures/compute-step.ts";
import type { ComputedStep } from "../../../pipeline/failures/computed-step.ts";
import { type CommittedStep, settleStep } from "../../../pipeline/failures/settle-step.ts";
import type { FailureLog } from "../../../ports/failure-log.ts";
import type { JobLog } from "../../../ports/job-log.ts";
import type { RecordTable } from "../../../ports/record-table.ts";
import type { Work, WorkMessage } from "../../../ports/work-queue.ts";
import type { JobTrials } from "../job-trials.ts";
import { recentObjects } from "./recent-objects.ts";
import { repeatedStep } from "./repeated-step.ts";
import { StepStates } from "./step-states.ts";

export interface JobStepOptions extends Omit<JobContext, "suspected" | "remember" | "stepItemsMax"> {
  readonly records: Pick<RecordTable, "loadStates" | "commit" | "judge" | "replace">;
  readonly failures: Pick<FailureLog, "get" | "payload" | "load" | "discardAll">;
  readonly jobs: Pick<JobLog, "get" | "todo" | "finishStep">;
  readonly trials: JobTrials;
}

export type JobMessage = Pick<WorkMessage, "receives"> & { readonly work: Work & { readonly kind: "job" } };

/** What a step committed, for whoever counts; empty for a dry run. */
export interface CommittedOutcomes {
  readonly outcomes: readonly Outcome[];
  readonly results: readonly OutcomeResult[];
}

/** Items of a step: their results touch two items of the table, and a commit of all takes a second or two. */
const stepItemsMax = 100;
/**
 * Items of a step by how often it was computed because detector states had changed meanwhile: the shorter the time between
 * reading them and the commit, the better its chances against the events that arrive.
 */
const staleItemsMax = [stepItemsMax, 25, 5, 1, 1, 1] as const;
/** Items of a step by its receives: one that never ended may have an item that ends the process, so the search narrows. */
const receivedItemsMax = [stepItemsMax, 10, 1] as const;
/** Tried alone, an item that ended the process so often is set aside; once may be chance. */
const endsMax = 2;

const nothing: CommittedOutcomes = { outcomes: [], results: [] };

/**
 * Runs the step that a message asks for: computes it, commits each of its outcomes, and then records what became of its items
 * together with the message for the next step. There is no transaction over all of it: a step that ends between the two is
 * run again, finds its failures ended by this job, and says the same of them (`repeatedStep`).
 *
 * `dead`: the message was received too often; its job is paused, with the reason. Throws what may go away, for the queue to
 * deliver the message again.
 */
export async function runJobStep(
  message: JobMessage,
  dead: boolean,
  options: JobStepOptions,
): Promise<CommittedOutcomes> {
  const tooOften = "A step was tried too often without an end; look at the function's log, then resume or cancel.";
  if (dead) return pauseJob(message, options, tooOften);
  try {
    return await tryStep(message, options);
  } catch (error) {
    // What cannot be computed (a recipe that is not in the config any more) would not go away by trying again.
    const lasting = error instanceof EventPulseError && error.retry === "never";
    if (!lasting) throw error;
    return pauseJob(message, options, error.message);
  }
}

async function pauseJob(
  { work }: JobMessage,
  { jobs }: JobStepOptions,
  pauseReason: string,
): Promise<CommittedOutcomes> {
  const { tenant, jobId, step } = work;
  await jobs.finishStep({ tenant, jobId, step, items: [], reasons: [], samples: [], pauseReason, delayMillis: 0 });
  return nothing;
}

/** Computes and commits, again with fewer items as long as detector states change meanwhile. */
async function tryStep(message: JobMessage, options: JobStepOptions): Promise<CommittedOutcomes> {
  for (const [tries, itemsMax] of staleItemsMax.entries()) {
    try {
      const step = await compute(message, Math.min(itemsMax, itemsFor(message)), options);
      if (step === null) return nothing;
      const committed = await commitStep(step, options);
      return step.job.mode === "dry-run" ? nothing : { outcomes: step.outcomes, results: committed.outcomes };
    } catch (error) {
      const stale = error instanceof EventPulseError && error.code === "STATE_STALE";
      if (!stale || tries === staleItemsMax.length - 1) throw error;
    }
  }
  return nothing;
}

function itemsFor({ receives }: JobMessage): number {
  return receivedItemsMax[receives - 1] ?? 1;
}

async function compute(message: JobMessage, itemsMax: number, options: JobStepOptions): Promise<ComputedStep | null> {
  const { work } = message;
  const { trials, records } = options;
  const states = new StepStates(records);
  const alone = itemsFor(message) === 1;
  const ends = alone ? await trials.begin(work.jobId, work.step) : 0;
  try {
    return await computeStep(work, {
      ...options,
      records: states,
      readRaw: recentObjects(options.readRaw),
      stepItemsMax: itemsMax,
      suspected: () => ends >= endsMax,
      remember: (outcome) => states.remember(outcome),
    });
  } finally {
    if (alone) await trials.end(work.jobId);
  }
}

/** What a step computed (of a dry run: only what would come of it), then its results and the message for the next one. */
async function commitStep(
  step: ComputedStep,
  { records, failures, jobs, project }: JobStepOptions,
): Promise<CommittedStep> {
  const { job } = step;
  const dryRun = job.mode === "dry-run";
  const note = `${job.createdBy}: ${job.reason ?? job.id}`;
  const committed: CommittedStep = {
    outcomes: dryRun ? await records.judge(step.outcomes) : await records.commit(step.outcomes),
    discards: step.discards.length === 0 ? [] : await failures.discardAll(job.tenant, step.discards, note),
    replaced: step.reprocessed.length === 0 ? [] : await records.replace(step.reprocessed, dryRun),
  };
  const known = dryRun ? { step, committed } : await repeatedStep(step, committed, note, failures);
  await jobs.finishStep(settleStep(known.step, known.committed, project));
  return committed;
}
