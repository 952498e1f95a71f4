import type { Project } from "../../model/definition.ts";
import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import { computeStep, type JobContext } from "../../pipeline/failures/compute-step.ts";
import type { ComputedStep } from "../../pipeline/failures/computed-step.ts";
import { settleStep } from "../../pipeline/failures/settle-step.ts";
import type { JobLog, JobStepResult } from "../../ports/job-log.ts";
import type { Work, WorkMessage } from "../../ports/work-queue.ts";
import { commitUntilDone } from "./commit-until-done.ts";
import type { Database } from "./database.ts";
import type { DetectorCache } from "./detector-cache.ts";
import type { SqliteFailureLog } from "./failure-log.ts";
import type { ItemSuspects } from "./item-suspects.ts";
import type { Outcomes } from "./outcomes.ts";
import { replaceRecords } from "./record-replace.ts";
import type { SqliteWorkQueue } from "./work-queue.ts";

export interface JobLoopOptions extends Omit<JobContext, "suspected" | "remember"> {
  readonly records: DetectorCache;
  readonly jobs: Pick<JobLog, "get" | "todo">;
  /** One transaction: what the step computed (nothing of a dry run), its results, and the message that asked for it. */
  readonly commitStep: (step: ComputedStep, done: WorkMessage) => readonly OutcomeResult[];
  /** One transaction: a step without items, and the message. */
  readonly abandonStep: (result: JobStepResult, done: WorkMessage) => void;
  readonly acknowledge: (done: WorkMessage) => void;
  readonly onCommitted: (outcomes: readonly Outcome[], results: readonly OutcomeResult[]) => void;
  readonly onHealth: (problem: string | null) => void;
  /** Which items of a step ended the process, found out by noting each one that is about to be tried. */
  readonly suspects: ItemSuspects;
  /** Told before each item, and when the step is computed: whoever watches for hangs looks at single items. */
  readonly onItem: (busy: boolean) => void;
}

export type JobMessage = WorkMessage & { readonly work: Work & { readonly kind: "job" } };

export function isJobMessage(message: WorkMessage): message is JobMessage {
  return message.work.kind === "job";
}

/** Runs the steps of jobs on the embedded platform: one message, one step, one transaction. */
export class JobLoop {
  readonly #options: JobLoopOptions;

  constructor(options: JobLoopOptions) {
    this.#options = options;
  }

  /** `dead`: the step was tried too often without an end; its job is paused, with the reason. */
  async run(message: JobMessage, dead: boolean): Promise<void> {
    const tooOften = "A step was tried too often without an end; look at the server's log, then resume or cancel.";
    try {
      if (dead) this.#abandon(message, tooOften);
      else await this.#step(message);
    } catch (error) {
      // What cannot be computed (a recipe that is not in the config any more) would not go away by trying again.
      this.#abandon(message, error instanceof Error ? error.message : String(error));
    }
  }

  async #step(message: JobMessage): Promise<void> {
    const { records, onHealth, onCommitted } = this.#options;
    const { computed, result } = await commitUntilDone(
      () => this.#compute(message),
      (step) => this.#commit(step, message),
      { health: onHealth, stale: () => records.clear() },
    );
    if (message.receives > 1) this.#options.suspects.clear();
    const dryRun = computed?.job.mode === "dry-run";
    // A dry run has learned what is not to be known.
    if (dryRun || result.some(({ applied }) => !applied)) records.clear();
    onCommitted(dryRun ? [] : (computed?.outcomes ?? []), dryRun ? [] : result);
  }

  #abandon(message: JobMessage, pauseReason: string): void {
    const { tenant, jobId, step } = message.work;
    this.#options.abandonStep(
      { tenant, jobId, step, items: [], reasons: [], samples: [], pauseReason, delayMillis: 0 },
      message,
    );
  }

  async #compute({ work, receives }: JobMessage): Promise<ComputedStep | null> {
    const { suspects, onItem } = this.#options;
    // Not the first try: the one before may have ended the process.
    const culprits = receives > 1 ? suspects.culprits() : null;
    const suspected = (item: string) => {
      onItem(true);
      if (culprits === null || culprits.has(item)) return culprits !== null;
      suspects.note(item);
      return false;
    };
    try {
      return await computeStep(work, {
        ...this.#options,
        suspected,
        remember: (outcome) => this.#options.records.remember(outcome),
      });
    } finally {
      onItem(false);
    }
  }

  #commit(step: ComputedStep | null, message: JobMessage): readonly OutcomeResult[] {
    if (step !== null) return this.#options.commitStep(step, message);
    this.#options.acknowledge(message);
    return [];
  }
}

export interface JobStores {
  readonly database: Database;
  readonly outcomes: Outcomes;
  readonly failures: Pick<SqliteFailureLog, "discardAllSync">;
  readonly jobs: { readonly finishStepSync: (result: JobStepResult) => void };
  readonly queue: Pick<SqliteWorkQueue, "acknowledgeSync">;
  readonly project: Project;
}

/** One transaction: what a step computed (of a dry run: only what would come of it), its results, and its message. */
export function commitStep(stores: JobStores, step: ComputedStep, done: WorkMessage): readonly OutcomeResult[] {
  const { database, outcomes, failures, jobs, queue } = stores;
  const { job } = step;
  const dryRun = job.mode === "dry-run";
  return database.transaction(() => {
    const results = dryRun ? outcomes.judgeSync(step.outcomes) : outcomes.commitSync(step.outcomes);
    const note = `${job.createdBy}: ${job.reason ?? job.id}`;
    const discards = failures.discardAllSync(job.tenant, step.discards, note);
    const replaced = replaceRecords(database, step.reprocessed, dryRun);
    jobs.finishStepSync(settleStep(step, { outcomes: results, discards, replaced }, stores.project));
    queue.acknowledgeSync(done);
    return results;
  });
}
