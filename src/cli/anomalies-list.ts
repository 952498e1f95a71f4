import { type Command, Option } from "commander";
import { anomalyStates } from "../model/anomaly.ts";
import { severities } from "../model/incident.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { scoreText, valueText } from "./expected-text.ts";
import { fieldText } from "./field-text.ts";
import { printList } from "./print-list.ts";
import { relativeTime } from "./relative-time.ts";
import { timeArgument } from "./time-argument.ts";
import { wholeNumber } from "./whole-number.ts";

interface ListOptions extends ConnectionOptions {
  readonly stream?: string;
  readonly rule?: string;
  readonly state?: string;
  readonly incident?: string;
  readonly severity?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

export function anomaliesListCommand(): Command {
  const command = baseCommand(
    "anomalies list",
    "list anomalies, the latest first",
    `Lists what the rules found, by event time, the latest first.

  eventpulse anomalies list --rule spend --state open --from 24h

With --json: one anomaly a line, as the API shows it: {"id", "stream", "rule", "key", "time", "value", "score",
"expectedLow", "expectedHigh", "why", "recordId", "incident", "severity", "state", …}`,
  )
    .addOption(new Option("--stream <stream>", "only of this stream"))
    .addOption(new Option("--rule <rule>", "only found by this rule"))
    .addOption(new Option("--state <state>", "only in this state").choices(anomalyStates))
    .addOption(new Option("--incident <id>", "only of this incident"))
    .addOption(new Option("--severity <severity>", "only while their incident was so severe").choices(severities))
    .addOption(
      new Option("--from <time>", "event time, inclusive: RFC 3339, a date, or an age like 15m, 2h, 7d").argParser(
        timeArgument,
      ),
    )
    .addOption(new Option("--to <time>", "event time, exclusive").argParser(timeArgument))
    .addOption(new Option("--limit <n>", "anomalies at most").argParser(wholeNumber(1, 1_000_000)).default(50));
  return addConnectionOptions(command).action(async (options: ListOptions) => {
    const { stream, rule, state, incident, severity, from, to, limit } = options;
    const terminal = terminalFor(command);
    const { first } = await printList(terminal, await openConnection(options), {
      path: "/v1/anomalies",
      query: { stream, rule, state, incident, severity, from, to },
      limit,
      columns: [
        { title: "ID", whole: true },
        ...["RULE", "KEY", "STATE", "SEVERITY", "TIME"].map((title) => ({ title })),
        { title: "VALUE", align: "right" },
        { title: "SCORE", align: "right" },
        { title: "WHY" },
      ],
      // What was expected is said in why.
      row: ({ id, rule: by, key, state: now, severity: severe, time, value, score, why }) => [
        ...[id, by, key, now, severe, relativeTime(time)].map(fieldText),
        valueText(value),
        scoreText(score),
        fieldText(why),
      ],
    });
    if (first === null) {
      terminal.say("No anomalies fit.");
      terminal.next("eventpulse anomalies backtest RULE --from 7d");
      return;
    }
    const { id } = first;
    terminal.next(`eventpulse anomalies show ${id}`, `eventpulse anomalies acknowledge ${id} --note "why"`);
  });
}
