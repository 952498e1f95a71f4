import type { TestResult } from "./result-lines.ts";

/** The files that run the scenarios, by the name of their platform. */
const platforms = [
  ["embedded", "test/end-to-end/embedded.test.ts"],
  ["aws", "test/end-to-end/aws.aws.ts"],
] as const;

/** How a test begins that says that its platform cannot do what its suite is about; the reason follows. */
export const lackMark = "not on this platform: ";
const nameLength = 100;

/** Every scenario with a column for each platform, and below it what a platform lacks and why. */
export function parityTable(results: readonly TestResult[]): string {
  const rows = new Map<string, Map<string, string>>();
  const lacks: string[] = [];
  for (const [platform, file] of platforms) {
    for (const { path, passed } of results.filter((result) => result.file === file)) {
      const [, suite = "", ...names] = path;
      const name = names.join(": ");
      // What is no scenario stands beside the suite of them.
      if (name === "") continue;
      if (name.startsWith(lackMark)) {
        lacks.push(`${suite} is not on ${platform}: ${name.slice(lackMark.length)}.`);
        continue;
      }
      const row = `${suite}: ${name}`;
      rows.set(row, (rows.get(row) ?? new Map<string, string>()).set(platform, passed ? "passed" : "FAILED"));
    }
  }
  const header = ["".padEnd(nameLength), ...platforms.map(([platform]) => platform.padEnd(9))].join(" ");
  const lines = [...rows].map(([name, cells]) => {
    const shown = name.length > nameLength ? `${name.slice(0, nameLength - 1)}…` : name.padEnd(nameLength);
    return [shown, ...platforms.map(([platform]) => (cells.get(platform) ?? "-").padEnd(9))].join(" ");
  });
  return [header, ...lines, ...lacks].map((line) => line.trimEnd()).join("\n");
}
