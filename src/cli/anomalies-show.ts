import type { Command } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { drawFields } from "./draw-fields.ts";
import { expectedText, scoreText, valueText } from "./expected-text.ts";
import { fieldText } from "./field-text.ts";
import { type Resource, readResource } from "./resource.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function anomaliesShowCommand(): Command {
  const command = baseCommand(
    "anomalies show",
    "show one, and why it was found",
    `Shows all that is known of one anomaly: the value, what was expected, and why it was found.

  eventpulse anomalies show anom_019b7e2d4c1f

With --json: the anomaly as the API shows it`,
  ).argument("<id>", "anom_…");
  return addConnectionOptions(command).action(async (id: string, options: ConnectionOptions) => {
    const terminal = terminalFor(command);
    const anomaly = readResource(await (await openConnection(options)).json("GET", anomalyPath(id)), "anomaly");
    await terminal.result(anomaly.fields, () => draw(terminal, anomaly));
    terminal.next(...nextFor(anomaly));
  });
}

/** Where the API has one anomaly. */
export function anomalyPath(id: string): string {
  return `/v1/anomalies/${encodeURIComponent(id)}`;
}

function draw(terminal: Terminal, { id, state, fields }: Resource): string {
  const { why, value, expectedLow, expectedHigh, score, ...rest } = fields;
  const others = Object.entries(rest).filter(([name]) => name !== "id" && name !== "state");
  const measured = [
    ["value", valueText(value)],
    ["expected", expectedText(expectedLow, expectedHigh)],
    ["score", scoreText(score)],
  ] as const;
  return [
    `${terminal.style("bold", id)} ${terminal.style(state === "open" ? "red" : "green", visibleText(state))}`,
    `  ${terminal.style("yellow", visibleText(fieldText(why)))}`,
    ...drawFields([...measured, ...others]),
  ].join("\n");
}

function nextFor({ id, state, fields }: Resource): string[] {
  const judge = [
    `eventpulse anomalies acknowledge ${id} --note "why"`,
    `eventpulse anomalies false-positive ${id} --note "why"`,
  ];
  return [
    ...(state === "open" ? judge : [`eventpulse anomalies reopen ${id}`]),
    `eventpulse query ${fields["stream"]} --from ${fields["time"]} --order asc --limit 5`,
  ];
}
