import type { ItemResult, JobState } from "../../model/job.ts";
import type { JobStepResult } from "../../ports/job-log.ts";
import { sliceOf, withResults } from "./frozen-items.ts";
import { itemKeys } from "./item-keys.ts";
import { addReasons, findJob, jobItem, type StoredJob, samplesItem, samplesOf } from "./job-items.ts";
import type { Outbox } from "./outbox.ts";
import type { Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** Items that a job keeps as samples. */
const samplesMax = 10;

/** The job in another state; as it is when it is in that state already. */
export function enterState(
  job: StoredJob,
  to: JobState,
  stateReason: string | null,
  finishedAt: number | null = null,
): StoredJob {
  return job.state === to ? job : { ...job, state: to, stateReason, finishedAt, version: job.version + 1 };
}

/** Within a unit: asks for the job's next step. */
export function enqueueStep(unit: UnitOfWork, outbox: Outbox, { tenant, id, step }: StoredJob, dueAt: number): void {
  outbox.add(unit, { kind: "job", tenant, stream: "", jobId: id, step }, dueAt);
}

/** `JobLog.finishStep`: the items' results, what the job counts, and the message for its next step, in one transaction. */
export async function finishStep(table: Table, outbox: Outbox, result: JobStepResult): Promise<void> {
  await transaction(table, async (unit) => {
    const job = await findJob(unit, result.tenant, result.jobId);
    if (job === null || job.step !== result.step || job.state === "done") return;
    const now = table.clock();
    const after = nextState(await recordStep(unit, job, result), result, now);
    unit.put(jobItem(after, now));
    if (after.state === "running") enqueueStep(unit, outbox, after, now + result.delayMillis);
  });
  await outbox.dispatch();
}

/** What a step adds to its job, whatever becomes of the job's state. */
async function recordStep(unit: UnitOfWork, job: StoredJob, result: JobStepResult): Promise<StoredJob> {
  const { added, firstSlice } = await recordItems(unit, job, result);
  const results: Partial<Record<ItemResult, number>> = { ...job.results };
  for (const one of added) results[one] = (results[one] ?? 0) + 1;
  if (result.samples.length > 0) {
    const samples = samplesOf(await unit.load(itemKeys.jobSamples(job.id)));
    if (samples.length < samplesMax) {
      unit.put(samplesItem(job, [...samples, ...result.samples].slice(0, samplesMax)));
    }
  }
  return { ...job, results, reasons: addReasons(job, result.reasons), step: job.step + 1, firstSlice };
}

async function recordItems(unit: UnitOfWork, { list, firstSlice }: StoredJob, { items }: JobStepResult) {
  const bySlice = [...Map.groupBy(items, ({ position }) => sliceOf(position))].sort(([left], [right]) => left - right);
  const slices = await unit.loadAll(bySlice.map(([slice]) => itemKeys.jobItems(list, slice)));
  const added: ItemResult[] = [];
  let first = firstSlice;
  for (const [index, [slice, results]] of bySlice.entries()) {
    const item = slices[index];
    if (item == null) continue;
    const written = withResults(item, list, slice, results);
    unit.put(written.item);
    added.push(...written.added);
    if (written.left === 0 && slice === first) first++;
  }
  return { added, firstSlice: first };
}

/** Where a job goes behind a step: on, unless nothing is left, the step pauses it, or somebody did meanwhile. */
function nextState(job: StoredJob, { pauseReason }: JobStepResult, now: number): StoredJob {
  const done = Object.values(job.results).reduce((sum, count) => sum + count, 0);
  if (done >= job.items) return enterState(job, "done", null, now);
  if (job.state !== "running" && job.state !== "scheduled") return job;
  return pauseReason === null ? enterState(job, "running", job.stateReason) : enterState(job, "paused", pauseReason);
}
