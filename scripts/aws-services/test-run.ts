import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../working-copy.ts";
import type { ChildGroups } from "./child-groups.ts";
import type { TestResult } from "./result-lines.ts";

export interface TestRun {
  /** Patterns of test files, from the project's root; each must fit one at least. They run in this order. */
  readonly files: readonly string[];
  /** What names of suites or tests must fit, as a regular expression; null: all run. */
  readonly tests: string | null;
  /** Files at once. */
  readonly concurrency: number;
  readonly testSecondsMax: number;
  readonly minutesMax: number;
  readonly env: Readonly<Record<string, string>>;
  /** Takes what the tests print. */
  readonly print: (text: string) => void;
}

export interface TestOutcome extends TestTally {
  readonly results: readonly TestResult[];
}

export interface TestTally {
  readonly passed: number;
  readonly failed: number;
  /** Why the run as a whole has failed although no test says so, or null. */
  readonly problem: string | null;
}

/** Runs test files with this Node, shows what they print, and counts. A run without a test, or with one that was skipped, has failed. */
export async function runTests(groups: ChildGroups, run: TestRun): Promise<TestOutcome> {
  const empty = run.files.filter((pattern) => globSync(pattern, { cwd: projectRoot }).length === 0);
  if (empty.length > 0) return { passed: 0, failed: 0, problem: `there is no ${empty.join(", ")}`, results: [] };
  const files = run.files.flatMap((pattern) => globSync(pattern, { cwd: projectRoot }).sort());
  const folder = mkdtempSync(join(tmpdir(), "eventpulse-results-"));
  const lines = join(folder, "results.jsonl");
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning", "--test"];
  const limits = [`--test-concurrency=${run.concurrency}`, `--test-timeout=${run.testSecondsMax * 1000}`];
  const chosen = run.tests === null ? [] : [`--test-name-pattern=${run.tests}`];
  const child = groups.start(process.execPath, [...flags, ...limits, ...reporters(lines), ...chosen, ...files], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...run.env },
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void groups.end(child);
  }, run.minutesMax * 60_000);
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    run.print(text);
    printed += text;
  });
  child.stderr?.setEncoding("utf8").on("data", run.print);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  await groups.end(child);
  const count = (name: string) => Number(new RegExp(`^\\S* ?${name} (\\d+)$`, "m").exec(printed)?.[1] ?? 0);
  const [passed, failed, skipped] = [count("pass"), count("fail") + count("cancelled"), count("skipped")];
  const problem = problemOf({ code, late, passed, failed, skipped, minutes: run.minutesMax });
  const text = existsSync(lines) ? readFileSync(lines, "utf8") : "";
  rmSync(folder, { recursive: true });
  const results = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TestResult);
  return { passed, failed, problem, results };
}

function reporters(lines: string): string[] {
  const own = new URL("result-lines.ts", import.meta.url).href;
  return [
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${own}`,
    `--test-reporter-destination=${lines}`,
  ];
}

function problemOf(end: {
  readonly code: number | null;
  readonly late: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly minutes: number;
}): string | null {
  if (end.late) return `not done after ${end.minutes} minutes`;
  if (end.skipped > 0) return `${end.skipped} tests were skipped`;
  if (end.passed === 0 && end.failed === 0) return `no test ran (exit code ${end.code})`;
  return end.code !== 0 && end.failed === 0 ? `exit code ${end.code}` : null;
}
