import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";

/** One series with the windows in which something was wrong. */
export interface LabelledSeries {
  /** `category/file.csv`. */
  readonly name: string;
  /** Milliseconds since 1970, one a row. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** First and last row of each window. */
  readonly windows: readonly (readonly [first: number, last: number])[];
}

/** All series of a folder that its `windows.json` names, in the order of their names. */
export function labelledSeries(folder: string): readonly LabelledSeries[] {
  const labels = JSON.parse(readFileSync(join(folder, "windows.json"), "utf8")) as Record<string, [string, string][]>;
  return Object.keys(labels)
    .sort()
    .map((name) => readSeries(folder, name, labels[name] ?? []));
}

function readSeries(folder: string, name: string, labels: readonly [string, string][]): LabelledSeries {
  const rows = readCsv(join(folder, name));
  const times = Float64Array.from(rows, ({ timestamp }) => timeOf(timestamp ?? ""));
  const values = Float64Array.from(rows, ({ value }) => Number(value));
  return { name, times, values, windows: labels.flatMap((label) => windowRows(times, label)) };
}

/** A published detector's scores of the same series: files `DETECTOR_file.csv` with a column `anomaly_score`. */
export function publishedScores(folder: string, series: LabelledSeries): Float64Array {
  const [category = "", file = ""] = series.name.split("/");
  const name = readdirSync(join(folder, category)).find((entry) => entry.endsWith(`_${file}`)) ?? file;
  return Float64Array.from(readCsv(join(folder, category, name)), ({ anomaly_score }) => Number(anomaly_score));
}

function readCsv(path: string): readonly Record<string, string>[] {
  return parse<Record<string, string>>(readFileSync(path), { columns: true, skip_empty_lines: true });
}

function windowRows(times: Float64Array, [from, to]: readonly [string, string]): [number, number][] {
  const first = times.findIndex((time) => time >= timeOf(from));
  const last = times.findLastIndex((time) => time <= timeOf(to));
  return first === -1 || last < first ? [] : [[first, last]];
}

/** `2014-04-01 00:00:00`, without a zone: taken as UTC. */
function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`);
}
