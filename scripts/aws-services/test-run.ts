import { globSync } from "node:fs";
import { projectRoot } from "../working-copy.ts";
import type { ChildGroups } from "./child-groups.ts";

export interface TestRun {
  /** Test files, from the project's root. */
  readonly files: string;
  /** Files at once. */
  readonly concurrency: number;
  readonly testSecondsMax: number;
  readonly minutesMax: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface TestTally {
  readonly passed: number;
  readonly failed: number;
  /** Why the run as a whole has failed although no test says so, or null. */
  readonly problem: string | null;
}

/** Runs test files with this Node, shows what they print, and counts. A run without a test, or with one that was skipped, has failed. */
export async function runTests(groups: ChildGroups, run: TestRun): Promise<TestTally> {
  const files = globSync(run.files, { cwd: projectRoot }).sort();
  if (files.length === 0) return { passed: 0, failed: 0, problem: `there is no ${run.files}` };
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning", "--test"];
  const limits = [`--test-concurrency=${run.concurrency}`, `--test-timeout=${run.testSecondsMax * 1000}`];
  const child = groups.start(process.execPath, [...flags, ...limits, "--test-reporter=spec", ...files], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...run.env },
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void groups.end(child);
  }, run.minutesMax * 60_000);
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    printed += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  await groups.end(child);
  const count = (name: string) => Number(new RegExp(`^\\S* ?${name} (\\d+)$`, "m").exec(printed)?.[1] ?? 0);
  const [passed, failed, skipped] = [count("pass"), count("fail") + count("cancelled"), count("skipped")];
  const problem = problemOf({ code, late, passed, failed, skipped, minutes: run.minutesMax });
  return { passed, failed, problem };
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
