import type { Command } from "commander";
import { groupCommand } from "./base-command.ts";
import { issueChanges, issuesChangeCommand } from "./issues-change.ts";
import { issuesListCommand } from "./issues-list.ts";
import { issuesShowCommand } from "./issues-show.ts";

export function issuesCommand(): Command {
  const command = groupCommand(
    "issues",
    "failures by their cause",
    "Failures with one cause are one issue: what it is, whether it grows, who works on it.",
  )
    .addCommand(issuesListCommand())
    .addCommand(issuesShowCommand());
  for (const change of issueChanges) command.addCommand(issuesChangeCommand(change));
  return command;
}
