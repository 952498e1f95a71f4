/** A command block of a document and the output that the document promises for it. */
export interface Step {
  /** Line of the block's fence, from 1. */
  readonly line: number;
  readonly commands: string;
  /** Null: the document shows no output, so only the exit status counts. */
  readonly expected: { readonly kind: "text" | "json"; readonly text: string } | null;
}

/** A file that the document tells its reader to save: a fence with `file=NAME`. */
export interface SavedFile {
  readonly name: string;
  readonly text: string;
}

export interface Document {
  /** In the order of the document. */
  readonly parts: readonly (Step | SavedFile)[];
  /** Blocks that break the conventions, in words. */
  readonly problems: readonly string[];
}

/** What a check leaves out: it installs, clones or tests, which `.ci/run` does around it. */
const notRun = /^(?:#|$|git clone |cd |npm (?:ci|install|test|pack)\b|npm run (?:test|bench|check)\S*|\.ci\/run)/;
/** And what needs an account of AWS: its tools, and what asks a stage there, by `--stage` or at `$EVENTPULSE_URL`. */
const needsAccount = /(?:^|[\s(])(?:aws|terraform) |\$EVENTPULSE_URL\b|--stage /;

/**
 * Reads a Markdown document by these conventions:
 * - ```` ```sh ```` blocks are commands; the next block, when it is ```` ```text ```` or ```` ```json ````, is their output.
 * - ```` ```sh norun ```` blocks are not run, and may only install, clone, test, or use an account of AWS.
 * - A block of any language with `file=NAME` is saved under that name first. `sample` marks a text or json block that is no output.
 */
export function parseDocument(markdown: string): Document {
  const parts: (Step | SavedFile)[] = [];
  const problems: string[] = [];
  let awaiting: Step | null = null;
  for (const { line, language, flags, text } of fences(markdown)) {
    const name = flags.find((flag) => flag.startsWith("file="))?.slice("file=".length);
    if (name !== undefined) parts.push({ name, text });
    if (["bash", "shell", "console", "zsh"].includes(language)) {
      problems.push(`line ${line}: \`\`\`${language} is not checked: write \`\`\`sh`);
    }
    if (language === "sh" && flags.includes("norun")) {
      const lines = text.replaceAll("\\\n", " ").split("\n");
      const other = lines.find((command) => !notRun.test(command.trim()) && !needsAccount.test(command));
      if (other !== undefined) problems.push(`line ${line}: \`${other}\` can be run: remove norun`);
    } else if (language === "sh") {
      if (awaiting) parts.push(awaiting);
      awaiting = { line, commands: text, expected: null };
      continue;
    }
    if (!awaiting) continue;
    const output = (language === "text" || language === "json") && !flags.includes("sample");
    parts.push(output ? { ...awaiting, expected: { kind: language, text } } : awaiting);
    awaiting = null;
  }
  if (awaiting) parts.push(awaiting);
  return { parts, problems };
}

interface Fence {
  readonly line: number;
  readonly language: string;
  readonly flags: readonly string[];
  readonly text: string;
}

function fences(markdown: string): Fence[] {
  const found: Fence[] = [];
  let open: { line: number; info: string; lines: string[] } | null = null;
  for (const [index, text] of markdown.split("\n").entries()) {
    const info = /^```(.*)$/.exec(text)?.[1];
    if (open && info !== undefined) {
      const [language = "", ...flags] = open.info.trim().split(/\s+/);
      found.push({ line: open.line, language, flags, text: open.lines.join("\n") });
      open = null;
    } else if (open) {
      open.lines.push(text);
    } else if (info !== undefined) {
      open = { line: index + 1, info, lines: [] };
    }
  }
  return found;
}

/**
 * Whether output is what a document shows. `…` stands for anything within a line, a line of `…` alone for any lines. Of JSON
 * only the tokens count, not the white space, so a document may lay it out for readers; there `…` stands for anything.
 */
export function outputMatches(expected: NonNullable<Step["expected"]>, actual: string): boolean {
  if (expected.kind === "json") {
    return new RegExp(`^${escaped(withoutSpace(expected.text), "[\\s\\S]*?")}$`, "u").test(withoutSpace(actual));
  }
  return textPattern(expected.text, "$").test(`${tidyLines(actual)}\n`);
}

/** As `outputMatches`, for a command that goes on writing: true once what it wrote starts with what is shown. */
export function outputStarts(expected: NonNullable<Step["expected"]>, actual: string): boolean {
  return textPattern(expected.text, "").test(`${tidyLines(actual)}\n`);
}

function textPattern(expected: string, end: string): RegExp {
  const lines = tidyLines(expected).split("\n");
  const source = lines.map((line) => (line.trim() === "…" ? "(?:.*\n)*?" : `${escaped(line, ".*?")}\n`)).join("");
  return new RegExp(`^${source}${end}`, "u");
}

function escaped(text: string, wildcard: string): string {
  const parts = text.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return parts.join(wildcard);
}

function tidyLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/^\n+|\n+$/g, "");
}

/** Removes white space outside JSON strings. */
function withoutSpace(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, text: string | undefined) => text ?? "");
}
