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

/**
 * A reporter for `node --test`: one line of JSON for each test, a TestResult. Its file is that of the outermost suite: what is inside
 * may be declared elsewhere, for several files. Files are reported one after the other, also when they run at the same time.
 */
export default async function* resultLines(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // A suite is reported after what is in it: results wait, by nesting, for the names of their suites.
  const levels: TestResult[][] = [];
  for await (const event of source) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, nesting, file = "", details } = event.data;
    const inside = levels[nesting + 1] ?? [];
    levels[nesting + 1] = [];
    const own = { file: relative(projectRoot, file), passed: event.type === "test:pass" };
    const ended: TestResult[] =
      details.type === "suite"
        ? inside.map(({ path, passed }) => ({ file: own.file, path: [name, ...path], passed }))
        : [{ ...own, path: [name] }];
    if (nesting > 0) levels[nesting] = [...(levels[nesting] ?? []), ...ended];
    else for (const result of ended) yield `${JSON.stringify(result)}\n`;
  }
}
