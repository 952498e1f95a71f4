import type { FailureHead } from "../../model/failure.ts";
import type { ItemResult, Job, JobItem } from "../../model/job.ts";
import { limits } from "../../model/limits.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { RawObject } from "../../model/raw-object.ts";
import type { Reprocessed } from "../../model/replacement.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import type { JobLog } from "../../ports/job-log.ts";
import type { Work } from "../../ports/work-queue.ts";
import type { WorkContext } from "../process/process-work.ts";
import { mendingFunction } from "./apply-recipe.ts";
import { type ComputedItem, type ComputedStep, itemsDone, samplesMax } from "./computed-step.ts";
import { replayFailure } from "./replay-failure.ts";
import { reprocessObject } from "./reprocess-object.ts";

export interface JobContext extends WorkContext {
  readonly jobs: Pick<JobLog, "get" | "todo">;
  readonly failures: Pick<FailureLog, "get" | "payload" | "load">;
  /** Called before each item. True: this item ended the process before, so it is set aside instead of tried again. */
  readonly suspected: (item: string) => boolean;
  /** Told of each outcome: the next one builds on the detector states that it leaves. */
  readonly remember: (outcome: Outcome) => void;
  /** Where one commit cannot take as many. Default `limits.jobStepItemsMax`. */
  readonly stepItemsMax?: number;
}

/** Read at once, so that a step never holds a thousand large payloads. */
const loadItems = 100;
/** Bytes and events after which a step ends, however many items it may have. */
const stepBytes = 4 * 1024 * 1024;
const stepEvents = 10_000;

/**
 * Computes the step that a message asks for: the real pipeline, without a write. Null when there is nothing to do: the job
 * is gone, paused or cancelled, or the message is stale.
 */
export async function computeStep(work: Work & { kind: "job" }, context: JobContext): Promise<ComputedStep | null> {
  const job = await context.jobs.get(work.tenant, work.jobId);
  if (job === null || job.step !== work.step) return null;
  if (job.state !== "running" && job.state !== "scheduled") return null;
  const items = await context.jobs.todo(work.tenant, work.jobId, stepSize(job, context.stepItemsMax));
  const step = new StepBuilder(job);
  for (let start = 0; start < items.length && !step.full; start += loadItems) {
    const part = items.slice(start, start + loadItems);
    if (job.action === "reprocess") await reprocess(step, part, context);
    else await takeFailures(step, part, context);
  }
  return step;
}

/** Items of the next step: up to the end of the canary, and about one second's worth of a rate. */
function stepSize(job: Job, itemsMax: number = limits.jobStepItemsMax): number {
  const canaryLeft = job.canary === null ? 0 : job.canary - itemsDone(job);
  const size = Math.min(itemsMax, canaryLeft > 0 ? canaryLeft : Number.POSITIVE_INFINITY);
  return Math.max(1, Math.min(size, Math.ceil(job.ratePerSecond ?? size)));
}

class StepBuilder implements ComputedStep {
  readonly job: Job;
  readonly items: ComputedItem[] = [];
  readonly outcomes: Outcome[] = [];
  readonly discards: string[] = [];
  readonly reprocessed: Reprocessed[] = [];
  #bytes = 0;
  #events = 0;
  #sampled = 0;

  constructor(job: Job) {
    this.job = job;
  }

  get full(): boolean {
    return this.#bytes >= stepBytes || this.#events >= stepEvents;
  }

  /** Whether the next item's texts will be shown. */
  get sampled(): boolean {
    return this.job.samples.length + this.#sampled < samplesMax;
  }

  grow(bytes: number, events: number): void {
    this.#bytes += bytes;
    this.#events += events;
  }

  add(item: JobItem, known: Partial<Omit<ComputedItem, "item" | "place">>, place: ComputedItem["place"] = null): void {
    const { result = null, reason = null, before = null, after = null } = known;
    this.items.push({ item, result, reason, before, after, place });
    if (before !== null) this.#sampled++;
  }
}

async function takeFailures(step: StepBuilder, items: readonly JobItem[], context: JobContext): Promise<void> {
  const { job } = step;
  const loaded = await context.failures.load(
    job.tenant,
    items.map(({ target }) => target),
  );
  const mend = mendingFunction(job.mending, context.project);
  // Failures of one object stand together.
  let raw = null as RawObject | null;
  for (const [place, item] of items.entries()) {
    if (step.full) return;
    const found = loaded[place] ?? null;
    const result = decided(job, found?.head ?? null);
    if (found === null || result !== null) step.add(item, { result: result ?? "gone" });
    else if (job.action === "discard") discard(step, item);
    else if (context.suspected(`${job.id} ${item.position}`)) step.add(item, poisonous);
    else {
      const { rawKey } = found.head;
      raw = raw?.key === rawKey ? raw : await context.readRaw(rawKey);
      step.grow(found.head.payloadBytes, 1);
      const replayed = await replayFailure(found, raw, job, mend, step.sampled, context);
      const { outcome } = replayed;
      if (outcome !== null) context.remember(outcome);
      step.add(item, replayed, outcome === null ? null : step.outcomes.push(outcome) - 1);
    }
  }
}

const poisonous = {
  result: "failing",
  reason: { code: "OBJECT_POISON", pointer: "", detail: "Processing it ended the process; look for endless loops." },
} as const;

/** What is plain from the failure itself; null when it must be tried. */
function decided(job: Job, failure: FailureHead | null): ItemResult | null {
  if (failure === null) return "gone";
  // Done by a step of this job whose end was not recorded.
  if (failure.state === "recovered" && failure.jobId === job.id) return "recovered";
  if (failure.state !== "quarantined" && failure.state !== "dead") return "skipped";
  if (job.action === "discard") return null;
  return failure.recoverable && failure.attempts < limits.replaysMax ? null : "unrecoverable";
}

function discard(step: StepBuilder, item: JobItem): void {
  if (step.job.mode === "dry-run") step.add(item, { result: "discarded" });
  else step.add(item, {}, step.discards.push(item.target) - 1);
}

async function reprocess(step: StepBuilder, items: readonly JobItem[], context: JobContext): Promise<void> {
  for (const item of items) {
    if (step.full) return;
    const found = await context.readRaw(item.target);
    // A raw key does not name its tenant.
    const object = found?.meta.tenant === step.job.tenant ? found : null;
    const contract = object === null ? undefined : context.contracts.get(object.meta.stream);
    if (object === null) step.add(item, { result: "gone" });
    else if (contract === undefined || context.suspected(`${step.job.id} ${item.position}`)) {
      const detail = `The stream "${object.meta.stream}" is not in the config; put it back and start again.`;
      const removed = { result: "failing", reason: { code: "STREAM_REMOVED", pointer: "", detail } } as const;
      step.add(item, contract === undefined ? removed : poisonous);
    } else {
      step.grow(object.body.byteLength, object.meta.events);
      step.add(item, {}, step.reprocessed.push(await reprocessObject(object, contract)) - 1);
    }
  }
}
