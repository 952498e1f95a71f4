import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { errorPage } from "../scripts/error-page.ts";
import { EventPulseError, errorCodes } from "../src/model/error.ts";
import { limits, retentionMillisDefault } from "../src/model/limits.ts";
import { projectFiles, projectRoot } from "./tidy/project-files.ts";
import { readFacts, type SourceFacts } from "./tidy/source-facts.ts";

const codes = Object.keys(errorCodes);
const page = (name: string) => readFileSync(`${projectRoot}/docs/${name}`, "utf8");

/** Codes that no file other than the table uses, as a string literal of its code. */
function unusedCodes(files: readonly SourceFacts[]): string[] {
  const used = new Set(files.flatMap(({ strings }) => [...strings]));
  return codes.filter((code) => !used.has(code));
}

/** Codes in the rows of tables, in order. */
function documentedCodes(markdown: string): string[] {
  return [...markdown.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((row) => row[1] ?? "");
}

/** Name and number of each row of a table of limits; `10,485,760` is 10485760. */
function documentedLimits(markdown: string): [string, number][] {
  const rows = markdown.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm);
  return [...rows].map((row): [string, number] => [row[1] ?? "", Number((row[2] ?? "").replaceAll(",", ""))]);
}

describe("error codes", () => {
  test("every code is used by the product", () => {
    const paths = [...projectFiles()].filter(
      ([path]) => path.startsWith("src/") && path.endsWith(".ts") && path !== "src/model/error.ts",
    );
    assert.deepEqual(
      unusedCodes(readFacts(new Map(paths))),
      [],
      "use these codes or remove them from src/model/error.ts",
    );
  });

  test("a code that only a comment or a type names counts as unused", () => {
    const text = `// "JSON_INVALID"\nexport const a: "TOO_BUSY" | string = "JSON_TOO_DEEP";`;
    const unused = unusedCodes(readFacts(new Map([["src/a.ts", text]])));
    assert.deepEqual(
      ["JSON_INVALID", "TOO_BUSY", "JSON_TOO_DEEP"].map((code) => unused.includes(code)),
      [true, true, false],
    );
  });

  test("every code stands once in docs/errors.md, which is up to date", () => {
    assert.deepEqual(documentedCodes(page("errors.md")).sort(), [...codes].sort());
    assert.equal(page("errors.md"), errorPage(), "run `npm run docs:errors`");
  });

  test("every code has a status of HTTP, and a title that no other code has", () => {
    const titles = new Set(Object.values(errorCodes).map(({ title }) => title));
    assert.equal(titles.size, codes.length, "two codes share a title");
    for (const [code, { status }] of Object.entries(errorCodes)) assert.ok(status >= 400 && status < 600, code);
  });

  test("an error carries the status and the retry of its code", () => {
    const error = new EventPulseError("TOO_BUSY", "Too much waits.", { retryAfterSeconds: 2 });
    assert.deepEqual([error.status, error.retry, error.retryAfterSeconds], [429, "later", 2]);
  });
});

describe("limits", () => {
  test("docs/limits.md shows every limit once, with the number that is in force", () => {
    const expected = Object.entries({ ...limits, retentionMillisDefault });
    assert.deepEqual(documentedLimits(page("limits.md")).sort(), expected.sort());
  });
});
