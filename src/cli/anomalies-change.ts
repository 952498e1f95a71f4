import { type Command, Option } from "commander";
import type { AnomalyState } from "../model/anomaly.ts";
import { anomalyPath } from "./anomalies-show.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { changeEach } from "./change-each.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";

export interface AnomalyChange {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly state: AnomalyState;
  readonly done: string;
}

/** One command each, as for issues: a state is what somebody means to say. */
export const anomalyChanges: readonly AnomalyChange[] = [
  {
    name: "acknowledge",
    summary: "say that somebody knows of it",
    description: "Marks anomalies as known. They were right: the rule goes on as it is.",
    state: "acknowledged",
    done: "acknowledged",
  },
  {
    name: "false-positive",
    summary: "say that there was nothing wrong",
    description: "Marks anomalies as false positives, which makes their rule more lenient for the same key.",
    state: "false-positive",
    done: "called a false positive:",
  },
  {
    name: "reopen",
    summary: "take back what was said of it",
    description: "Marks anomalies as open again.",
    state: "open",
    done: "opened",
  },
];

interface ChangeOptions extends ConnectionOptions {
  readonly note?: string;
}

export function anomaliesChangeCommand({ name, summary, description, state, done }: AnomalyChange): Command {
  const command = baseCommand(
    `anomalies ${name}`,
    summary,
    `${description}

  eventpulse anomalies ${name} anom_019b7e2d4c1f --note "Black Friday"

With --json: one anomaly a line, as the API shows it after the change`,
  )
    .argument("<id...>", "anom_…")
    .addOption(new Option("--note <text>", 'what is known of it; "" for nothing'));
  return addConnectionOptions(command).action(async (ids: string[], { note, ...options }: ChangeOptions) => {
    const terminal = terminalFor(command);
    const connection = await openConnection(options);
    const body = JSON.stringify({ state, note: note === "" ? null : note });
    const request = { headers: { "content-type": "application/json" }, body };
    await changeEach(terminal, ids, {
      kind: "anomaly",
      done,
      change: (id) => connection.json("PATCH", anomalyPath(id), request),
    });
    terminal.next(`eventpulse anomalies show ${ids[0]}`, "eventpulse anomalies list --state open");
  });
}
