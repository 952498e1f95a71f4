import { type Command, Option } from "commander";
import { issueStates } from "../model/issue.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { fieldText } from "./field-text.ts";
import { printList } from "./print-list.ts";
import { relativeTime } from "./relative-time.ts";
import { wholeNumber } from "./whole-number.ts";

interface ListOptions extends ConnectionOptions {
  readonly stream?: string;
  readonly state?: string;
  readonly code?: string;
  readonly limit: number;
}

export function issuesListCommand(): Command {
  const command = baseCommand(
    "issues list",
    "list issues, the latest first",
    `Lists issues: how many of their failures wait, how many there ever were, and why they fail.

  eventpulse issues list --stream orders --state open

With --json: one issue a line, as the API shows it: {"id", "stream", "state", "code", "pointer", "waiting", "total", …}`,
  )
    .addOption(new Option("--stream <stream>", "only of this stream"))
    .addOption(new Option("--state <state>", "only in this state").choices(issueStates))
    .addOption(new Option("--code <code>", "only with this code, like CONTRACT_BROKEN"))
    .addOption(new Option("--limit <n>", "issues at most").argParser(wholeNumber(1, 1_000_000)).default(50));
  return addConnectionOptions(command).action(async ({ stream, state, code, limit, ...options }: ListOptions) => {
    const terminal = terminalFor(command);
    const { first } = await printList(terminal, await openConnection(options), {
      path: "/v1/issues",
      query: { stream, state, code },
      limit,
      columns: [
        { title: "ID", whole: true },
        { title: "STREAM" },
        { title: "STATE" },
        { title: "WAITING", align: "right" },
        { title: "TOTAL", align: "right" },
        ...["LAST SEEN", "CODE", "WHY"].map((title) => ({ title })),
      ],
      row: ({ id, stream: of, state: now, waiting, total, lastSeenAt, code: why, pointer, detail }) =>
        [
          id,
          of,
          now,
          waiting,
          total,
          relativeTime(lastSeenAt),
          why,
          [pointer, detail].map(fieldText).join(" ").trim(),
        ].map(fieldText),
    });
    if (first === null) terminal.say("No issues fit.");
    else
      terminal.next(
        `eventpulse issues show ${first["id"]}`,
        `eventpulse failures replay --issue ${first["id"]} --dry-run`,
      );
  });
}
