import { type Command, Option } from "commander";
import { itemResults, jobActions, jobStates } from "../model/job.ts";
import { baseCommand, groupCommand, terminalFor } from "./base-command.ts";
import { changeEach } from "./change-each.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { drawJob, itemsDone, jobResults } from "./draw-job.ts";
import { fieldText } from "./field-text.ts";
import { printList } from "./print-list.ts";
import { relativeTime } from "./relative-time.ts";
import { readResource } from "./resource.ts";
import { jobPath, nextFor, watchJob } from "./watch-job.ts";
import { wholeNumber } from "./whole-number.ts";

/** The job goes on through a moment of trouble, and so does who watches it. */
const attemptsMax = 4;

export function jobsCommand(): Command {
  return groupCommand(
    "jobs",
    "replays and discards that run or ran",
    "Lists jobs, shows how far each is and what became of its items, and pauses, resumes or cancels them.",
  )
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(itemsCommand())
    .addCommand(watchCommand())
    .addCommand(changeCommand("pause", "paused", "stop it for now", "Pauses jobs after the items under way."))
    .addCommand(
      changeCommand("resume", "resumed", "let it go on", "Lets paused or cancelled jobs go on where they were."),
    )
    .addCommand(
      changeCommand(
        "cancel",
        "cancelled",
        "stop it",
        "Cancels jobs. Items that are done stay done; a discard in its grace period does nothing.",
      ),
    );
}

interface ListOptions extends ConnectionOptions {
  readonly state?: string;
  readonly action?: string;
  readonly limit: number;
}

function listCommand(): Command {
  const command = baseCommand(
    "jobs list",
    "list jobs, the latest first",
    `Lists jobs, the latest first.

  eventpulse jobs list --state paused

With --json: one job a line, as the API shows it: {"id", "action", "mode", "state", "items", "results", …}`,
  )
    .addOption(new Option("--state <state>", "only in this state").choices(jobStates))
    .addOption(new Option("--action <action>", "only with this action").choices(jobActions))
    .addOption(new Option("--limit <n>", "jobs at most").argParser(wholeNumber(1, 1_000_000)).default(50));
  return addConnectionOptions(command).action(async ({ state, action, limit, ...options }: ListOptions) => {
    const terminal = terminalFor(command);
    const columns = ["ACTION", "MODE", "STATE", "DONE", "RESULTS", "CREATED", "BY", "REASON"].map((title) => ({
      title,
    }));
    const { first } = await printList(terminal, await openConnection(options), {
      path: "/v1/jobs",
      query: { state, action },
      limit,
      columns: [{ title: "ID", whole: true }, ...columns],
      row(fields) {
        const job = readResource(fields, "job");
        const done = `${fieldText(itemsDone(job))}/${fieldText(fields["items"])}`;
        const results = [...jobResults(job)].map(([name, items]) => `${fieldText(items)} ${name}`).join(", ");
        const { action: does, mode, createdAt, createdBy, reason } = fields;
        return [job.id, does, mode, job.state, done, results, relativeTime(createdAt), createdBy, reason].map(
          fieldText,
        );
      },
    });
    if (first === null) terminal.say("No jobs fit.");
    else terminal.next(`eventpulse jobs show ${first["id"]}`);
  });
}

function showCommand(): Command {
  const command = baseCommand(
    "jobs show",
    "show how far one is, and why items fail",
    `Shows one job: how far it is, what became of its items, why some fail, and the first few with what changed.

  eventpulse jobs show job_019c13d0a7b2

With --json: the job as the API shows it`,
  ).argument("<id>", "job_…");
  return addConnectionOptions(command).action(async (id: string, options: ConnectionOptions) => {
    const terminal = terminalFor(command);
    const job = readResource(await (await openConnection(options)).json("GET", jobPath(id)), "job");
    await terminal.result(job.fields, () => drawJob(terminal, job));
    terminal.next(...nextFor(job));
  });
}

interface ItemsOptions extends ConnectionOptions {
  readonly result?: string;
  readonly limit: number;
}

function itemsCommand(): Command {
  const command = baseCommand(
    "jobs items",
    "list what became of its items",
    `Lists the items of a job in their order, with what became of each.

  eventpulse jobs items job_019c13d0a7b2 --result failing

With --json: one item a line, as the API shows it: {"position", "target", "result", "detail", "recordId"}`,
  )
    .argument("<id>", "job_…")
    .addOption(
      new Option("--result <result>", "only with this result; todo: without one yet").choices([...itemResults, "todo"]),
    )
    .addOption(new Option("--limit <n>", "items at most").argParser(wholeNumber(1, 1_000_000)).default(100));
  return addConnectionOptions(command).action(async (id: string, { result, limit, ...options }: ItemsOptions) => {
    const terminal = terminalFor(command);
    const { first } = await printList(terminal, await openConnection(options), {
      path: `${jobPath(id)}/items`,
      query: { result },
      limit,
      columns: [
        { title: "N", align: "right" },
        { title: "TARGET", whole: true },
        { title: "RESULT" },
        { title: "DETAIL" },
        { title: "RECORD" },
      ],
      row: (item) =>
        [item["position"], item["target"], item["result"] ?? "to do", item["detail"], item["recordId"]].map(fieldText),
    });
    if (first === null) terminal.say("No items fit.");
    const target = String(first?.["target"] ?? "");
    terminal.next(target.startsWith("fail_") ? `eventpulse failures show ${target}` : `eventpulse jobs show ${id}`);
  });
}

function watchCommand(): Command {
  const command = baseCommand(
    "jobs watch",
    "wait until it runs no more",
    `Waits until a job is done, paused or cancelled, and shows what came of it. Ctrl-C ends the waiting, not the job.

  eventpulse jobs watch job_019c13d0a7b2

Ends with 0 when it is done and nothing fails still, with 3 when something does, with 1 when it was stopped before its end.

With --json: the job as it was when the waiting ended`,
  ).argument("<id>", "job_…");
  return addConnectionOptions(command).action(async (id: string, options: ConnectionOptions) => {
    const connection = await openConnection(options, attemptsMax);
    const job = readResource(await connection.json("GET", jobPath(id)), "job");
    process.exitCode = await watchJob(terminalFor(command), connection, job);
  });
}

interface ChangeOptions extends ConnectionOptions {
  readonly reason?: string;
}

function changeCommand(
  name: "pause" | "resume" | "cancel",
  done: string,
  summary: string,
  description: string,
): Command {
  const command = baseCommand(
    `jobs ${name}`,
    summary,
    `${description}

  eventpulse jobs ${name} job_019c13d0a7b2

With --json: one job a line, as the API shows it after the change`,
  )
    .argument("<id...>", "job_…")
    .addOption(new Option("--reason <text>", "why, for the audit log"));
  return addConnectionOptions(command).action(async (ids: string[], { reason, ...options }: ChangeOptions) => {
    const terminal = terminalFor(command);
    const connection = await openConnection(options);
    const request = { headers: { "content-type": "application/json" }, body: JSON.stringify({ reason }) };
    const [first] = await changeEach(terminal, ids, {
      kind: "job",
      done,
      change: (id) => connection.json("POST", `${jobPath(id)}/${name}`, request),
    });
    if (first !== undefined) terminal.next(...nextFor(first));
  });
}
