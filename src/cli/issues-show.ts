import type { Command } from "commander";
import { isObject } from "../client/connection.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { drawFields } from "./draw-fields.ts";
import { fieldText } from "./field-text.ts";
import { type Resource, readResource } from "./resource.ts";
import { hourlyCounts, sparkline } from "./sparkline.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

/** What the API gives. */
const trendHours = 24;

export function issuesShowCommand(): Command {
  const command = baseCommand(
    "issues show",
    "show one cause, and whether it grows",
    `Shows all that is known of one issue, with its new failures of the last ${trendHours} hours, one block an hour.

  eventpulse issues show iss_4be1c0a29f11

With --json: the issue as the API shows it, with "trend": [{"time", "count"}]`,
  ).argument("<id>", "iss_…");
  return addConnectionOptions(command).action(async (id: string, options: ConnectionOptions) => {
    const terminal = terminalFor(command);
    const path = `/v1/issues/${encodeURIComponent(id)}`;
    const issue = readResource(await (await openConnection(options)).json("GET", path), "issue");
    await terminal.result(issue.fields, () => draw(terminal, issue));
    const { exampleId, waiting } = issue.fields;
    const replay = waiting === 0 ? [] : [`eventpulse failures replay --issue ${id} --dry-run`];
    const example = typeof exampleId === "string" ? [`eventpulse failures show ${exampleId}`] : [];
    terminal.next(...example, `eventpulse failures list --issue ${id}`, ...replay);
  });
}

function draw(terminal: Terminal, { id, state, fields }: Resource): string {
  const apart = ["id", "state", "trend", "pointer", "detail"];
  const why = [fields["pointer"], fields["detail"]].map(fieldText).filter((text) => text !== "");
  return [
    `${terminal.style("bold", id)} ${terminal.style(state === "resolved" ? "green" : "red", visibleText(state))}`,
    `  ${terminal.style("yellow", visibleText(why.join(" ")))}`,
    ...drawFields(Object.entries(fields).filter(([name]) => !apart.includes(name))),
    ...drawTrend(fields["trend"]),
  ].join("\n");
}

function drawTrend(trend: unknown): string[] {
  if (!Array.isArray(trend)) return [];
  const hours = trend.filter(isObject).map(({ time, count }) => ({ time: String(time), count: Number(count) }));
  const counts = hourlyCounts(hours, trendHours);
  const most = fieldText(Math.max(...counts));
  return [`  last ${trendHours} h  |${sparkline(counts)}| up to ${most} an hour`];
}
