import { type Command, Option } from "commander";
import type { Connection } from "../client/connection.ts";
import { closestName } from "../config/closest-name.ts";
import type { AnomalyDefinition } from "../model/definition.ts";
import { EventPulseError } from "../model/error.ts";
import { backtestPrinter } from "./backtest-printer.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { onInterrupt } from "./interrupt.ts";
import type { BacktestRange } from "./run-backtest.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";
import type { Terminal } from "./terminal.ts";
import { timeArgument } from "./time-argument.ts";

interface BacktestOptions extends ConnectionOptions {
  readonly from: string;
  readonly to?: string;
}

/** Reading is safe to repeat, so a moment of trouble in the middle of many records is ridden out. */
const attemptsMax = 4;

export function anomaliesBacktestCommand(): Command {
  const command = baseCommand(
    "anomalies backtest",
    "what would a rule have found in stored records",
    `Runs a rule of the config over the records that a server has stored, by event time, and shows what it finds, how many
incidents and false alarms that would have been, and what is different from what was stored. Nothing is changed anywhere.

  eventpulse anomalies backtest spend --from 7d
  eventpulse anomalies backtest spend --from 7d --config new.config.ts
  eventpulse anomalies backtest spend --from 2026-01-01 --to 2026-02-01 --json

The rule is that of the config, which may be newer than what is deployed: edit it, try it, then deploy it. It judges records
as they are stored, so a field that only a newer transform makes is not there.

It begins knowing nothing and with no false positives called: let --from be early enough for what it must learn. It judges
by event time, processing as events come, so finds may differ where events came late. Silence, which a rate rule may report,
is tried as if EventPulse had been up all the time, until --to or now.

With --json: {"kind": "find", "id", "rule", "field", "key", "time", "value", "score", "expectedLow", "expectedHigh", "why",
"recordId", "incident", "severity", "stored": whether the server has it} for each find; {"kind": "gone", …the anomaly as the
API shows it} for each that is stored and not found; at last {"kind": "summary", "rule", "stream", "from", "to", "records",
"series", "finds", "incidents", "falseAlarmsPerWeek": of a series, if all were false, "new", "gone", "complete"}`,
  )
    .argument("<rule>", "its name in anomalies of the config")
    .addOption(
      new Option("--from <time>", "event time, inclusive: RFC 3339, a date, or an age like 15m, 2h, 7d")
        .argParser(timeArgument)
        .makeOptionMandatory(),
    )
    .addOption(new Option("--to <time>", "event time, exclusive (default: now)").argParser(timeArgument));
  addSettingOptions(command, ["config"]);
  return addConnectionOptions(command).action(async (name: string, options: BacktestOptions) => {
    const rule = await localRule(settingsOf(command).config, name);
    const { from, to = new Date().toISOString() } = options;
    if (from >= to) throw new EventPulseError("PARAMETER_INVALID", `--from ${from} is not before --to ${to}.`);
    const connection = await openConnection(options, attemptsMax);
    process.exitCode = await backtest(terminalFor(command), connection, rule, { from, to });
  });
}

async function backtest(
  terminal: Terminal,
  connection: Connection,
  rule: AnomalyDefinition,
  range: BacktestRange,
): Promise<ExitCode> {
  const { runBacktest } = await import("./run-backtest.ts");
  using interrupt = onInterrupt("Ending with the records that are read.");
  const printer = backtestPrinter(terminal, rule, range);
  const comparison = await runBacktest(connection, rule, range, printer, interrupt.signal).catch(explainUnknownStream);
  await printer.end(comparison);
  if (comparison.records === 0) terminal.next(`eventpulse query ${rule.stream}`, "eventpulse status");
  return comparison.complete ? exitCodes.ok : exitCodes.interrupted;
}

function explainUnknownStream(error: unknown): never {
  if (!(error instanceof EventPulseError) || error.code !== "STREAM_UNKNOWN") throw error;
  const message = `${error.message} The config is newer than what is deployed; a rule is tried on records that are stored.`;
  throw new EventPulseError(error.code, message, { cause: error });
}

async function localRule(config: string, name: string): Promise<AnomalyDefinition> {
  const { loadConfig } = await import("../config/load.ts");
  const { anomalies } = (await loadConfig(config)).project;
  const rule = anomalies.find((one) => one.name === name);
  if (rule !== undefined) return rule;
  const names = anomalies.map((one) => one.name);
  const closest = closestName(name, names);
  const meant = closest === null ? "" : ` Did you mean ${closest}?`;
  const known = names.length === 0 ? "It has none." : `Its rules: ${names.join(", ")}.`;
  const message = `The config has no rule ${JSON.stringify(name)}.${meant} ${known}`;
  throw new EventPulseError("PARAMETER_INVALID", message);
}
