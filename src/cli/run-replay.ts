import { type ConnectionOptions, openConnection } from "./connection-options.ts";
import { countOf } from "./count-of.ts";
import { drawJob } from "./draw-job.ts";
import { drawPlan } from "./draw-plan.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { type ReplayOptions, replayMode } from "./replay-options.ts";
import { type Resource, readResource } from "./resource.ts";
import { sameCommand } from "./same-command.ts";
import type { Terminal } from "./terminal.ts";
import { nextFor, watchJob } from "./watch-job.ts";

/** A job takes longer than a moment of trouble. */
const attemptsMax = 4;

export interface ReplayRequest {
  /** As `replayBody` wrote it. */
  readonly body: string;
  readonly options: ReplayOptions & ConnectionOptions;
  /** "failure" or "raw object". */
  readonly kind: string;
  /** The modes that the command can suggest after a plan, in this order. */
  readonly modes: readonly ("--dry-run" | "--apply")[];
}

/** Asks for a plan or a job, prints what comes of it, and answers with how the command ends. */
export async function runReplay(terminal: Terminal, { body, options, kind, modes }: ReplayRequest): Promise<ExitCode> {
  const connection = await openConnection(options, attemptsMax);
  const answer = await connection.json("POST", "/v1/replays", {
    // A lost answer may have started the job: with a key the second try finds it instead of starting another.
    headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body,
  });
  const mode = replayMode(options);
  const again = (flag: string) => sameCommand(process.argv, ["--plan", "--dry-run"], flag);
  if (mode === "plan") {
    await terminal.result(answer, () => drawPlan(terminal, answer, kind));
    terminal.next(...modes.map(again));
    return exitCodes.ok;
  }
  const job = readResource(answer, "job");
  if (options.wait === false || job.state === "scheduled") {
    await terminal.result(job.fields, () => drawJob(terminal, job));
    terminal.next(...nextFor(job));
    return exitCodes.ok;
  }
  terminal.say(`${job.id}: ${countOf(Number(job.fields["items"]), kind)}. Ctrl-C ends the waiting, not the job.`);
  // What a dry run has shown to work is done with one flag more, also when something else fails still.
  const applicable = ({ state }: Resource) => mode === "dry-run" && state === "done";
  return watchJob(terminal, connection, job, (seen) => [
    ...nextFor(seen),
    ...(applicable(seen) ? [again("--apply")] : []),
  ]);
}
