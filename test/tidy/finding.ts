import type { SourceFacts } from "./source-facts.ts";

/** One broken rule. The message says what is wrong and what to do instead. */
export interface Finding {
  readonly rule: string;
  readonly path: string;
  /** From 1; 0 when the finding is about the whole file. */
  readonly line: number;
  readonly message: string;
}

// Built from parts, so that this file does not hold an exception itself.
const exception = new RegExp(`// ${"tidy"} allows ([\\w-]+): (.+)`);

/**
 * Takes out what a comment on the same line or the one above allows: two slashes, "tidy allows RULE: why". An exception
 * that allows nothing any more is a finding, so that exceptions leave with their cause.
 */
export function withoutAllowed(findings: readonly Finding[], files: readonly SourceFacts[]): Finding[] {
  const left = new Set(findings);
  for (const file of files) {
    for (const [index, text] of file.text.split("\n").entries()) {
      const rule = exception.exec(text)?.[1];
      if (rule === undefined) continue;
      const line = index + 1;
      const allowed = findings.filter(
        (finding) =>
          finding.path === file.path && finding.rule === rule && (finding.line === line || finding.line === line + 1),
      );
      for (const finding of allowed) left.delete(finding);
      if (allowed.length === 0) {
        const message = `this comment allows ${rule}, but nothing here breaks that rule: remove the comment`;
        left.add({ rule: "stale-exception", path: file.path, line, message });
      }
    }
  }
  return [...left];
}

export function formatFinding(finding: Finding): string {
  return `${finding.path}${finding.line > 0 ? `:${finding.line}` : ""} [${finding.rule}] ${finding.message}`;
}
