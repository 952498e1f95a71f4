import type { Place } from "./call-site.ts";

/**
 * The line of a property in the options of a call: `["faults", "late"]` in `simulator(orders, { faults: { late: 2 } })`. Reads the
 * source text from the call on; falls back to the last part that it finds, at worst the line of the call itself (options
 * that come from a variable, spreads, computed names).
 */
export function findProperty(source: string, call: Pick<Place, "line" | "column">, path: readonly string[]): number {
  const start = offsetOf(source, call);
  let line = call.line;
  const open = source.indexOf("(", start);
  let at = open < 0 ? -1 : openingBrace(source, open + 1);
  for (const name of path) {
    if (at < 0) return line;
    const found = propertyIn(source, at, name);
    if (found === null) return line;
    line = lineOf(source, found.name);
    at = source[found.value] === "{" ? found.value : -1;
  }
  return line;
}

/** Offset of a place; lines end with LF or CR LF. */
function offsetOf(source: string, { line, column }: Pick<Place, "line" | "column">): number {
  let start = 0;
  for (let left = line - 1; left > 0; left -= 1) start = source.indexOf("\n", start) + 1;
  return start + column - 1;
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}

/** The first object literal among the arguments that start at `at`; -1 when there is none. */
function openingBrace(source: string, at: number): number {
  for (let index = at; index < source.length; index = skip(source, index)) {
    if (source[index] === "{") return index;
    if (source[index] === ")") return -1;
  }
  return -1;
}

/** The property `name` of the object literal at `open`: where its name and its value start. */
function propertyIn(
  source: string,
  open: number,
  name: string,
): { readonly name: number; readonly value: number } | null {
  let expectsName = true;
  for (let index = open + 1; index < source.length && source[index] !== "}"; ) {
    if (isBlank(source, index)) {
      index = skip(source, index);
      continue;
    }
    if (expectsName) {
      const [, identifier, , quoted] = /^(?:([\w$]+)|(["'])(.*?)\2)/.exec(source.slice(index, index + 200)) ?? [];
      if ((identifier ?? quoted) === name) return { name: index, value: valueAfter(source, index) };
    }
    expectsName = source[index] === ",";
    index = skip(source, index);
  }
  return null;
}

/** Where the value of the property at `index` starts; the end of its name when it is a shorthand. */
function valueAfter(source: string, index: number): number {
  const quoted = source[index] === '"' || source[index] === "'";
  let at = quoted ? skip(source, index) : index + (/^[\w$]+/.exec(source.slice(index, index + 200))?.[0].length ?? 1);
  while (at < source.length && isBlank(source, at)) at = skip(source, at);
  if (source[at] !== ":") return at;
  at += 1;
  while (at < source.length && isBlank(source, at)) at = skip(source, at);
  return at;
}

function isBlank(source: string, index: number): boolean {
  return /\s/.test(source[index] ?? "") || source.startsWith("//", index) || source.startsWith("/*", index);
}

const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** The offset after the comment, text, word, pattern or bracketed part that starts at `index`, else after one character. */
function skip(source: string, index: number): number {
  const character = source[index] ?? "";
  if (source.startsWith("//", index)) return endOf(source, "\n", index);
  if (source.startsWith("/*", index)) return endOf(source, "*/", index + 2);
  if (character === '"' || character === "'" || character === "`") return skipText(source, index, character);
  if (character === "/" && startsPattern(source, index)) return skipPattern(source, index);
  const close = closing[character];
  if (close !== undefined) return skipBrackets(source, index + 1, close);
  const word = /^[\w$]+/.exec(source.slice(index, index + 200));
  return index + (word?.[0].length ?? 1);
}

function skipBrackets(source: string, start: number, close: string): number {
  let index = start;
  while (index < source.length && source[index] !== close) index = skip(source, index);
  return index + 1;
}

function skipText(source: string, start: number, quote: string): number {
  for (let index = start + 1; index < source.length; index += 1) {
    if (source[index] === "\\") index += 1;
    else if (source[index] === quote) return index + 1;
    else if (quote === "`" && source.startsWith("${", index)) index = skipBrackets(source, index + 2, "}") - 1;
  }
  return source.length;
}

/** A slash where a value may start begins a regular expression; elsewhere it divides. */
function startsPattern(source: string, index: number): boolean {
  const before =
    source
      .slice(Math.max(0, index - 50), index)
      .trimEnd()
      .at(-1) ?? "(";
  return "(,=:[!&|?{};+>".includes(before);
}

function skipPattern(source: string, start: number): number {
  let inClass = false;
  for (let index = start + 1; index < source.length && source[index] !== "\n"; index += 1) {
    if (source[index] === "\\") index += 1;
    else if (source[index] === "[") inClass = true;
    else if (source[index] === "]") inClass = false;
    else if (source[index] === "/" && !inClass) return index + 1;
  }
  return start + 1;
}

function endOf(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  return found < 0 ? source.length : found + mark.length;
}
