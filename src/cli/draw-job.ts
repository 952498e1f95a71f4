import { isObject } from "../client/connection.ts";
import { drawChange, line } from "./draw-change.ts";
import { fieldText } from "./field-text.ts";
import type { Resource } from "./resource.ts";
import { count } from "./send-tally.ts";
import { formatTable } from "./table.ts";
import type { Style, Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

/** Results of items that are worse than before or no better: what a person must look at. */
export const badResults = ["failing", "unmended", "unrecoverable"];

/** Items by result. */
export function jobResults({ fields }: Resource): ReadonlyMap<string, number> {
  const results = isObject(fields["results"]) ? fields["results"] : {};
  return new Map(Object.entries(results).filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

export function itemsDone(job: Resource): number {
  return [...jobResults(job).values()].reduce((sum, one) => sum + one, 0);
}

export function itemsFailing(job: Resource): number {
  return [...jobResults(job)].reduce((sum, [result, items]) => sum + (badResults.includes(result) ? items : 0), 0);
}

/** One job with all it found: how far it is, why items fail, and the first few with what changed. */
export function drawJob(terminal: Terminal, job: Resource): string {
  const { id, state, fields } = job;
  const style: Style = state === "cancelled" ? "red" : state !== "done" || itemsFailing(job) > 0 ? "yellow" : "green";
  const why = typeof fields["stateReason"] === "string" ? `: ${visibleText(fields["stateReason"])}` : "";
  const what = [fields["action"], fields["mode"] === "dry-run" ? "dry run" : ""]
    .map(fieldText)
    .filter((text) => text !== "");
  const head = `${terminal.style("bold", id)} ${terminal.style(style, visibleText(state))}${why}`;
  const done = `${count(itemsDone(job))} of ${count(Number(fields["items"]))} items`;
  const results = [...jobResults(job)]
    .filter(([, items]) => items > 0)
    .map(([name, items]) => `${count(items)} ${name}`);
  return [
    `${head} (${visibleText(what.join(", "))})`,
    `  ${visibleText([done, ...results].join(" · "))}`,
    ...(state === "scheduled" ? [`  starts at ${visibleText(fieldText(fields["startsAt"]))}`] : []),
    ...drawReasons(terminal, fields["reasons"]),
    ...drawSamples(terminal, fields["samples"]),
  ].join("\n");
}

function drawReasons(terminal: Terminal, reasons: unknown): string[] {
  const rows = (Array.isArray(reasons) ? reasons : [])
    .filter(isObject)
    .map((reason) =>
      [reason["count"], reason["code"], reason["pointer"], reason["detail"], reason["exampleId"]].map(fieldText),
    );
  if (rows.length === 0) return [];
  const columns = [
    { title: "ITEMS", align: "right" as const },
    ...["CODE", "POINTER", "WHY"].map((title) => ({ title })),
    { title: "EXAMPLE", whole: true },
  ];
  return ["", formatTable(columns, rows, terminal.width)];
}

function drawSamples(terminal: Terminal, samples: unknown): string[] {
  return (Array.isArray(samples) ? samples : [])
    .filter(isObject)
    .flatMap(({ target, result, before, after, output }) => [
      "",
      `${terminal.style("bold", visibleText(fieldText(target)))} ${visibleText(fieldText(result))}`,
      ...drawChange(terminal, textOrNull(before), textOrNull(after)),
      ...(typeof output === "string" ? [line("record", visibleText(output))] : []),
    ]);
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
