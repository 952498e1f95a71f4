import { fileURLToPath } from "node:url";

/** Where a function of the config was called, so that a problem can be shown with file and line. */
export interface CallSite {
  /** Stack of the call, innermost frame first. V8 makes the text only when it is read. */
  readonly stack: string;
}

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Remembers who called `below`, the function of the public API that asks. */
export function callSite(below: (...values: never[]) => unknown): CallSite {
  const site = { stack: "" };
  Error.captureStackTrace(site, below);
  return site;
}

const frame = /(?:^|\(|\s)((?:file:\/\/|\/|[A-Za-z]:\\)[^\n()]*?):(\d+):(\d+)\)?$/m;

/** The first place of a stack that is in a file; null when there is none. */
export function placeOf({ stack }: CallSite): Place | null {
  const [, file, line, column] = frame.exec(stack) ?? [];
  if (file === undefined) return null;
  const path = file.startsWith("file:") ? fileURLToPath(new URL(file)) : file;
  return { file: path, line: Number(line), column: Number(column) };
}
