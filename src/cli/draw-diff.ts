import { countOf } from "./count-of.ts";
import type { StreamDiff } from "./stream-diff.ts";
import type { Style, Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

const levelStyles = { major: "red", minor: "green", patch: "dim" } as const satisfies Record<string, Style>;

/** One stream of `eventpulse diff`, for people. */
export function drawDiff(terminal: Terminal, diff: StreamDiff): string {
  const { stream, state, level, changes, events } = diff;
  const head = terminal.style("bold", visibleText(stream));
  if (state === "new") return `${head}  new: the server does not have it yet`;
  if (state === "removed") return `${head}  removed: it is not in the config any more, and its events would be refused`;
  const word = level === null ? "no change" : terminal.style(levelStyles[level], level);
  const lines = [`${head}  ${word}${versions(diff)}${verdict(terminal, diff)}`];
  for (const change of changes) {
    const place = change.pointer === "" ? "the event" : change.pointer;
    lines.push(
      `  ${terminal.style(levelStyles[change.level], change.level)}  ${visibleText(`${place} ${change.detail}`)}`,
    );
  }
  if (events === null) return lines.join("\n");
  const before =
    events.refusedBefore === 0 ? "" : `; ${countOf(events.refusedBefore, "event")} refused before, and still`;
  const refused =
    events.refused === 0
      ? "none would be refused"
      : terminal.style("red", `${countOf(events.refused, "event")} would be refused`);
  lines.push(`  of ${countOf(events.tried, "event")} sent, ${refused}${before}`);
  for (const { code, pointer, detail, count } of events.reasons) {
    lines.push(`    ${count}  ${visibleText(`${code} ${pointer} ${detail}`)}`);
  }
  return lines.join("\n");
}

function versions({ deployed, local }: StreamDiff): string {
  const [from, to] = [deployed?.announced ?? null, local?.announced ?? null];
  return from === to ? "" : visibleText(`, version ${from ?? "none"} → ${to ?? "none"}`);
}

function verdict(terminal: Terminal, diff: StreamDiff): string {
  if (!diff.break) return "";
  return diff.announced ? ": a break, announced" : `: ${terminal.style("red", "a break that is not announced")}`;
}
