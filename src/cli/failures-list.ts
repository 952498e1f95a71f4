import { type Command, Option } from "commander";
import { isObject } from "../client/connection.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { addFailureFilter, type FailureFilterOptions, failureQuery } from "./failure-filter.ts";
import { fieldText } from "./field-text.ts";
import { printList } from "./print-list.ts";
import { relativeTime } from "./relative-time.ts";
import { wholeNumber } from "./whole-number.ts";

interface ListOptions extends ConnectionOptions, FailureFilterOptions {
  readonly order?: "asc" | "desc";
  readonly limit: number;
}

export function failuresListCommand(): Command {
  const command = baseCommand(
    "failures list",
    "list failures, the latest first",
    `Lists failures, the latest first unless --order says otherwise.

  eventpulse failures list --stream orders --state quarantined --where 'country eq DE' --from 2h
  eventpulse failures list --issue iss_4be1c0a29f11 --contains many

With --json: one failure a line, as the API shows it: {"id", "stream", "state", "class", "code", "errors", …}`,
  );
  addFailureFilter(command)
    .addOption(new Option("--order <order>", "by last seen, default desc").choices(["asc", "desc"]))
    .addOption(new Option("--limit <n>", "failures at most").argParser(wholeNumber(1, 1_000_000)).default(50));
  return addConnectionOptions(command).action(async (options: ListOptions) => {
    const terminal = terminalFor(command);
    const { first } = await printList(terminal, await openConnection(options), {
      path: "/v1/failures",
      query: { ...failureQuery(options), order: options.order },
      limit: options.limit,
      columns: [
        { title: "ID", whole: true },
        ...["STREAM", "STATE", "CODE", "LAST SEEN", "WHY"].map((title) => ({ title })),
      ],
      row: ({ id, stream, state, code, lastSeenAt, errors }) => [
        ...[id, stream, state, code, relativeTime(lastSeenAt)].map(fieldText),
        reasons(errors).join("; "),
      ],
    });
    if (first === null) terminal.say("No failures fit.");
    else terminal.next(`eventpulse failures show ${first["id"]}`, "eventpulse issues list");
  });
}

/** "/total must be a number" for each reason. */
function reasons(errors: unknown): string[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter(isObject).map(({ pointer, detail }) => (pointer === "" ? `${detail}` : `${pointer} ${detail}`));
}
