import { type Command, Option } from "commander";
import { EventPulseError } from "../model/error.ts";
import type { IssueState } from "../model/issue.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { changeEach } from "./change-each.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";

export interface IssueChange {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Null: the state stays. */
  readonly state: IssueState | null;
  readonly done: string;
}

/** One command each, because a state is what somebody means to do, not a value to look up. */
export const issueChanges: readonly IssueChange[] = [
  {
    name: "acknowledge",
    summary: "say that somebody works on it",
    description: "Marks issues as worked on.",
    state: "acknowledged",
    done: "acknowledged",
  },
  {
    name: "ignore",
    summary: "hear no more of it",
    description: "Ends the notices about issues. Their failures stay, and new ones are still counted.",
    state: "ignored",
    done: "ignored",
  },
  {
    name: "resolve",
    summary: "say that its cause is gone",
    description: "Marks issues as resolved. A new failure with the same cause makes it a regression.",
    state: "resolved",
    done: "resolved",
  },
  {
    name: "reopen",
    summary: "take back what was said of it",
    description: "Marks issues as open again.",
    state: "open",
    done: "opened",
  },
  {
    name: "edit",
    summary: "set its owner or its note",
    description: "Sets the owner or the note of issues and leaves their state.",
    state: null,
    done: "changed",
  },
];

interface ChangeOptions extends ConnectionOptions {
  readonly owner?: string;
  readonly note?: string;
}

export function issuesChangeCommand({ name, summary, description, state, done }: IssueChange): Command {
  const command = baseCommand(
    `issues ${name}`,
    summary,
    `${description}

  eventpulse issues ${name} iss_4be1c0a29f11 --owner ann --note "the till sends texts"

With --json: one issue a line, as the API shows it after the change`,
  )
    .argument("<id...>", "iss_…")
    .addOption(new Option("--owner <name>", 'who works on it; "" for nobody'))
    .addOption(new Option("--note <text>", 'what is known of it; "" for nothing'));
  return addConnectionOptions(command).action(async (ids: string[], { owner, note, ...options }: ChangeOptions) => {
    if (state === null && owner === undefined && note === undefined) {
      throw new EventPulseError("PARAMETER_INVALID", "Say what to change: --owner or --note.");
    }
    const terminal = terminalFor(command);
    const connection = await openConnection(options);
    const textOrNull = (text: string | undefined) => (text === "" ? null : text);
    const body = JSON.stringify({ state: state ?? undefined, owner: textOrNull(owner), note: textOrNull(note) });
    await changeEach(terminal, ids, {
      kind: "issue",
      done,
      change: (id) =>
        connection.json("PATCH", `/v1/issues/${encodeURIComponent(id)}`, {
          headers: { "content-type": "application/json" },
          body,
        }),
    });
    terminal.next(`eventpulse issues show ${ids[0]}`, "eventpulse issues list");
  });
}
