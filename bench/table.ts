import { cpus, release } from "node:os";

/** One line of the table: a figure, what it is compared with in the same run, and what it shall reach. */
export interface Row {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** Of the bare baseline in the same run; null where there is none. */
  readonly baseline: { readonly name: string; readonly value: number } | null;
  readonly target: string;
}

/** Shortest form that keeps three digits. */
function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}

export function printTable(rows: readonly Row[], runs: number): void {
  const model = cpus()[0]?.model ?? "unknown processor";
  console.log(`${cpus().length} x ${model}, Linux ${release()}, Node ${process.version}; median of ${runs}\n`);
  console.log("| figure | measured | target | bare baseline, same run | ratio |");
  console.log("|---|---:|---:|---:|---:|");
  for (const { figure, value, unit, baseline, target } of rows) {
    const bare = baseline === null ? "" : `${number(baseline.value)} (${baseline.name})`;
    const ratio = baseline === null ? "" : number(value / baseline.value);
    console.log(`| ${figure} | ${number(value)} ${unit} | ${target} | ${bare} | ${ratio} |`);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
