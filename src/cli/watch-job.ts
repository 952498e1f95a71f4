import { type Connection, sleep } from "../client/connection.ts";
import { badResults, drawJob, itemsDone, itemsFailing, jobResults } from "./draw-job.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { onInterrupt } from "./interrupt.ts";
import { progressBar } from "./progress-bar.ts";
import { type Resource, readResource } from "./resource.ts";
import { count } from "./send-tally.ts";
import type { Terminal } from "./terminal.ts";

/** A short job is over before the first pause is; a long one is asked for once a second. */
const pauseMillisFirst = 50;
const pauseMillisMax = 1_000;

export function jobPath(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

/**
 * Waits until a job runs no more (done, paused, cancelled), prints it and answers with how the command ends. Ctrl-C ends the
 * waiting, never the job. `next`: the commands to suggest then. `connection` should ride out a moment of trouble: the job does, too.
 */
export async function watchJob(
  terminal: Terminal,
  connection: Connection,
  started: Resource,
  next: (job: Resource) => readonly string[] = nextFor,
): Promise<ExitCode> {
  const { id } = started;
  using interrupt = onInterrupt(`${id} goes on without being watched.`);
  const bar = progressBar();
  let job = started;
  try {
    for (let pause = pauseMillisFirst; isUnderWay(job); pause = Math.min(pause * 1.5, pauseMillisMax)) {
      const done = itemsDone(job);
      const items = Number(job.fields["items"]);
      bar.update(done, items, `${count(done)} of ${count(items)} items, ${count(itemsFailing(job))} failing`);
      await sleep(pause, interrupt.signal);
      job = readResource(await connection.json("GET", jobPath(id), { signal: interrupt.signal }), "job");
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  } finally {
    bar.clear();
  }
  await terminal.result(job.fields, () => drawJob(terminal, job));
  terminal.next(...next(job));
  return interrupt.signal.aborted ? exitCodes.interrupted : jobExitCode(job);
}

export function isUnderWay({ state }: Resource): boolean {
  return state === "running" || state === "scheduled";
}

/** 3 when items fail still, 1 when it was stopped before its end, else 0. */
export function jobExitCode(job: Resource): ExitCode {
  if (itemsFailing(job) > 0) return exitCodes.invalid;
  return job.state === "done" || isUnderWay(job) ? exitCodes.ok : exitCodes.failure;
}

/** The commands that make sense for a job as it is. */
export function nextFor(job: Resource): string[] {
  const { id, state } = job;
  if (isUnderWay(job)) return [`eventpulse jobs watch ${id}`, `eventpulse jobs cancel ${id}`];
  const resume = state === "paused" || state === "cancelled" ? [`eventpulse jobs resume ${id}`] : [];
  const bad = badResults.find((result) => (jobResults(job).get(result) ?? 0) > 0);
  const failing = bad === undefined ? [] : [`eventpulse jobs items ${id} --result ${bad}`];
  return [...resume, ...failing, ...(resume.length + failing.length === 0 ? [`eventpulse jobs items ${id}`] : [])];
}
