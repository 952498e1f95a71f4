import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";

export interface ImportProblem {
  readonly file: string;
  /** From 1; 0 when it is not known. */
  readonly line: number;
  readonly text: string;
}

const place = /(file:\/\/[^\s()]+?|(?:\/|[A-Za-z]:\\)[^\n()]*?\.[cm]?[jt]sx?)(?:\?[^\s:()]*)?:(\d+)/g;

/** Why a config could not be imported, with Node's own file and line where there is one. */
export function importProblem(error: unknown, file: string): ImportProblem {
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error && error.name !== "Error" ? `${error.name}: ` : "";
  const missing = missingImport(message);
  if (missing !== null) return missing;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const found = placeIn(stack) ?? (error instanceof SyntaxError ? syntaxPlace(file) : null);
  const remedy = error instanceof SyntaxError ? "correct the syntax there" : "it happened while the config was loaded";
  return { file: found?.file ?? file, line: found?.line ?? 0, text: `${name}${message.trim()}; ${remedy}.` };
}

/** The first place of a stack outside Node and packages. */
function placeIn(stack: string): { readonly file: string; readonly line: number } | null {
  for (const [, address = "", line] of stack.matchAll(place)) {
    if (address.includes("/node_modules/")) continue;
    return { file: address.startsWith("file:") ? fileURLToPath(new URL(address)) : address, line: Number(line) };
  }
  return null;
}

/** V8 does not put the place of a syntax error in JavaScript into the stack; the parser for TypeScript does. */
function syntaxPlace(file: string): { readonly file: string; readonly line: number } | null {
  try {
    stripTypeScriptTypes(readFileSync(file, "utf8"), { sourceUrl: file });
    return null;
  } catch (error) {
    return error instanceof Error ? placeIn(error.stack ?? "") : null;
  }
}

/** "Cannot find module '/a/b.ts' imported from /a/eventpulse.config.ts": the line that imports it. */
function missingImport(message: string): ImportProblem | null {
  const [, kind, what = "", importer] =
    /^Cannot find (module|package) '([^']+)' imported from (.+)$/m.exec(message) ?? [];
  if (importer === undefined) return null;
  const file = importer.startsWith("file:") ? fileURLToPath(new URL(importer)) : importer.replace(/\?.*$/, "");
  const name = what.split(/[/\\]/).at(-1) ?? what;
  const line = lineWith(file, name);
  const remedy =
    kind === "package"
      ? `install it: npm install ${what}`
      : "correct the path of the import; it needs the file's extension, such as ./orders.ts";
  return { file, line, text: `there is no ${kind} ${what}; ${remedy}.` };
}

/** The first line that imports something with this name; 0 when none does. */
function lineWith(file: string, name: string): number {
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    return 1 + lines.findIndex((line) => /\b(?:import|from|require)\b/.test(line) && line.includes(name));
  } catch {
    return 0;
  }
}
