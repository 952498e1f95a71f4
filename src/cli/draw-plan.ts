import { isObject } from "../client/connection.ts";
import { EventPulseError } from "../model/error.ts";
import { countOf } from "./count-of.ts";
import { drawFields } from "./draw-fields.ts";
import { fieldText } from "./field-text.ts";
import { relativeTime } from "./relative-time.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** What a job would meet, for a person. `kind`: "failure" or "raw object". Throws ANSWER_INVALID. */
export function drawPlan(terminal: Terminal, plan: unknown, kind: string): string {
  if (!isObject(plan) || typeof plan["items"] !== "number") {
    throw new EventPulseError("ANSWER_INVALID", "The server's answer is no plan.");
  }
  const time = (name: string) =>
    plan[name] === null ? null : `${fieldText(plan[name])} (${relativeTime(plan[name])})`;
  const unlessZero = (name: string) => (plan[name] === 0 ? null : plan[name]);
  const lines = drawFields([
    ["bytes", unlessZero("bytes")],
    ["streams", counts(plan["streams"])],
    ["states", counts(plan["states"])],
    ["replayable", plan["replayable"]],
    ["with an edit", unlessZero("edited")],
    ["duplicates", unlessZero("duplicatesExpected")],
    ["unrecoverable", unlessZero("unrecoverable")],
    ["oldest", time("oldestAt")],
    ["newest", time("newestAt")],
    ["first expires", time("firstExpiresAt")],
  ]);
  return [terminal.style("bold", countOf(plan["items"], kind)), ...lines, ...issues(terminal, plan["issues"])].join(
    "\n",
  );
}

/** "orders 3, texts 1"; nothing for none. */
function counts(value: unknown): string {
  if (!isObject(value)) return "";
  return Object.entries(value)
    .map(([name, items]) => `${name} ${fieldText(items)}`)
    .join(", ");
}

function issues(terminal: Terminal, value: unknown): string[] {
  const rows = (Array.isArray(value) ? value : [])
    .filter(isObject)
    .map((issue) => [issue["id"], issue["count"], issue["code"], issue["pointer"]].map(fieldText));
  if (rows.length === 0) return [];
  const columns = [
    { title: "ISSUE", whole: true },
    { title: "FAILURES", align: "right" as const },
    { title: "CODE" },
    { title: "POINTER" },
  ];
  return ["", formatTable(columns, rows, terminal.width)];
}
