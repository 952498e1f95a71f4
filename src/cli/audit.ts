import { type Command, Option } from "commander";
import { auditActions } from "../model/audit.ts";
import { auditVerifyCommand } from "./audit-verify.ts";
import { baseCommand, groupCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { fieldText } from "./field-text.ts";
import { printList } from "./print-list.ts";
import { timeArgument } from "./time-argument.ts";
import { wholeNumber } from "./whole-number.ts";

export function auditCommand(): Command {
  return groupCommand(
    "audit",
    "who saw or changed what, and whether the log is whole",
    "Lists who saw original bytes and who changed what became of failures, and checks that no entry was changed or removed.",
  )
    .addCommand(listCommand())
    .addCommand(auditVerifyCommand());
}

interface ListOptions extends ConnectionOptions {
  readonly action?: string;
  readonly target?: string;
  readonly actor?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

function listCommand(): Command {
  const command = baseCommand(
    "audit list",
    "list who did what, the earliest first",
    `Lists the entries of the audit log in their order.

  eventpulse audit list --target fail_019c13d0a7b24e6f8a51c0de
  eventpulse audit list --action payload.view --from 7d

With --json: one entry a line, as the API shows it: {"sequence", "at", "actor", "action", "target", "reason", …}`,
  )
    .addOption(new Option("--action <action>", "only this").choices(auditActions))
    .addOption(new Option("--target <id>", "only what was done to this: fail_…, iss_…, job_…, or a stream"))
    .addOption(new Option("--actor <name>", "only by this one"))
    .addOption(
      new Option("--from <time>", "inclusive: RFC 3339, a date, or an age like 15m, 2h, 7d").argParser(timeArgument),
    )
    .addOption(new Option("--to <time>", "exclusive").argParser(timeArgument))
    .addOption(new Option("--limit <n>", "entries at most").argParser(wholeNumber(1, 100_000_000)).default(100));
  return addConnectionOptions(command).action(async (options: ListOptions) => {
    const terminal = terminalFor(command);
    const { action, target, actor, from, to, limit } = options;
    const { first } = await printList(terminal, await openConnection(options), {
      path: "/v1/audit",
      query: { action, target, actor, from, to },
      limit,
      columns: [
        { title: "N", align: "right" },
        { title: "AT", whole: true },
        { title: "ACTOR" },
        { title: "ACTION" },
        { title: "TARGET", whole: true },
        { title: "REASON" },
      ],
      row: (entry) => ["sequence", "at", "actor", "action", "target", "reason"].map((name) => fieldText(entry[name])),
    });
    if (first === null) terminal.say("No entries fit.");
    terminal.next("eventpulse audit verify");
  });
}
