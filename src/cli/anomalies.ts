import type { Command } from "commander";
import { anomaliesBacktestCommand } from "./anomalies-backtest.ts";
import { anomaliesChangeCommand, anomalyChanges } from "./anomalies-change.ts";
import { anomaliesListCommand } from "./anomalies-list.ts";
import { anomaliesShowCommand } from "./anomalies-show.ts";
import { groupCommand } from "./base-command.ts";

export function anomaliesCommand(): Command {
  const command = groupCommand(
    "anomalies",
    "what the rules found, and what to say of it",
    "Lists what the anomaly rules found, shows why, takes what somebody thinks of it, and tries a rule on stored records.",
  )
    .addCommand(anomaliesListCommand())
    .addCommand(anomaliesShowCommand());
  for (const change of anomalyChanges) command.addCommand(anomaliesChangeCommand(change));
  return command.addCommand(anomaliesBacktestCommand());
}
