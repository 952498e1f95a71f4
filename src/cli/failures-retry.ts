import { type Command, Option } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { changeEach } from "./change-each.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { failurePath } from "./failure-path.ts";

interface RetryOptions extends ConnectionOptions {
  readonly reason?: string;
}

export function failuresRetryCommand(): Command {
  const command = baseCommand(
    "failures retry",
    "process them again",
    `Processes failures again, each on its own, with their edits. Nothing changes for those that fail again but the number of
attempts. For many, and to see how it would go, use failures replay.

With --json: one failure a line, as the API shows it after the change`,
  )
    .argument("<id...>", "fail_…")
    .addOption(new Option("--reason <text>", "why, for the audit log"));
  return addConnectionOptions(command).action(async (ids: string[], options: RetryOptions) => {
    const terminal = terminalFor(command);
    const connection = await openConnection(options);
    await changeEach(terminal, ids, {
      kind: "failure",
      done: "retrying",
      change: (id) => connection.json("POST", `${failurePath(id)}/retry`, { query: { reason: options.reason } }),
    });
    terminal.next(`eventpulse failures show ${ids[0]}`);
  });
}
