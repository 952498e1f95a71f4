import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorCodes } from "../src/model/error.ts";

const errorFile = fileURLToPath(new URL("../src/model/error.ts", import.meta.url));
const pageFile = fileURLToPath(new URL("../docs/errors.md", import.meta.url));

const retryWords = {
  never: "no: change the input or the code",
  now: "yes, at once",
  later: "yes, after a while (`Retry-After` when there is one)",
} as const;

/** `docs/errors.md`, made from the table in `src/model/error.ts`: its comments are the headings, its rows the rows. */
export function errorPage(): string {
  const lines = [
    "# Error codes",
    "",
    "Every code that EventPulse uses, in problem details, failures and messages of the command line. A code never changes its",
    "meaning. This page is made from `src/model/error.ts` by `npm run docs:errors`.",
  ];
  for (const line of readFileSync(errorFile, "utf8").split("\n")) {
    const heading = /^ {2}\/\/ (.+)$/.exec(line)?.[1];
    const code = /^ {2}([A-Z0-9_]+): \{/.exec(line)?.[1];
    if (heading !== undefined) {
      lines.push("", `## ${heading}`, "", "| code | status | meaning | worth a retry |", "|---|---|---|---|");
    }
    if (code !== undefined && code in errorCodes) {
      const { status, title, retry } = errorCodes[code as keyof typeof errorCodes];
      lines.push(`| \`${code}\` | ${status} | ${title} | ${retryWords[retry]} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

if (import.meta.main) {
  writeFileSync(pageFile, errorPage());
  console.log("Wrote docs/errors.md");
}
