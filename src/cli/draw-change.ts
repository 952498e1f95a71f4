import { displayWidth } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

/** Characters that stay around what differs, so that a person sees where it is. */
const contextCharacters = 40;

/**
 * Two JSON texts under each other, as they are: parsing could round a number. What is too long for the terminal is cut to what
 * differs. `before` null: it cannot be read; `after` null: there is none.
 */
export function drawChange(terminal: Terminal, before: string | null, after: string | null): string[] {
  const width = terminal.width - "  before  ".length;
  if (before === null || after === null || before === after) {
    const only = after ?? before;
    return only === null
      ? []
      : [line(before === after ? "event" : after === null ? "before" : "after", cut(only, width))];
  }
  const same = commonEnds(before, after);
  const short = Math.max(displayWidth(visibleText(before)), displayWidth(visibleText(after))) <= width;
  const start = short ? 0 : Math.max(0, same.start - contextCharacters);
  const excerpt = (text: string, style: "red" | "green") => {
    const end = text.length - same.end;
    const last = short ? text.length : Math.min(text.length, end + contextCharacters);
    const parts = [text.slice(start, same.start), text.slice(same.start, end), text.slice(end, last)].map(visibleText);
    const middle = parts[1] === "" ? "" : terminal.style(style, parts[1] ?? "");
    return `${start > 0 ? "…" : ""}${parts[0]}${middle}${parts[2]}${last < text.length ? "…" : ""}`;
  };
  return [line("before", excerpt(before, "red")), line("after", excerpt(after, "green"))];
}

export function line(name: string, text: string): string {
  return `  ${name.padEnd("before".length)}  ${text}`;
}

function cut(text: string, width: number): string {
  const visible = visibleText(text);
  return visible.length <= width ? visible : `${visible.slice(0, width - 1)}…`;
}

/** How many characters both begin and end with, never counting one twice. */
function commonEnds(left: string, right: string): { readonly start: number; readonly end: number } {
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  return { start, end };
}
