import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { projectRoot } from "../working-copy.ts";

/** A test that has ended; suites are in `path` alone. */
export interface TestResult {
  /** From the project's root. */
  readonly file: string;
  /** Names from the outermost suite to the test. */
  readonly path: readonly string[];
  readonly passed: boolean;
}

/** A reporter for `node --test`: one line of JSON for each test, a TestResult. */
export default async function* resultLines(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // A suite ends after what is in it: results wait, by nesting, for the names of their suites.
  const waiting = new Map<string, TestResult[][]>();
  for await (const event of source) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, nesting, file = "", details } = event.data;
    const levels = waiting.get(file) ?? [];
    waiting.set(file, levels);
    const inside = levels[nesting + 1] ?? [];
    levels[nesting + 1] = [];
    const isSuite = details.type === "suite";
    const ended: TestResult[] = isSuite
      ? inside.map((result) => ({ ...result, path: [name, ...result.path] }))
      : [{ file: relative(projectRoot, file), path: [name], passed: event.type === "test:pass" }];
    if (nesting > 0) levels[nesting] = [...(levels[nesting] ?? []), ...ended];
    else for (const result of ended) yield `${JSON.stringify(result)}\n`;
  }
}
