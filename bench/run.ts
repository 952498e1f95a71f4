/**
 * `npm run bench`: the figures of the README on this machine, beside a bare node:http server and a bare SQLite insert loop in
 * the same run. `-- --quick` runs each section once and skips 10 million records; `-- NAME` or `-- --section NAME` runs one.
 *
 * `-- anomaly` measures the detectors instead, on labelled series: `--series FOLDER` names another folder of CSV files and
 * their `windows.json`, `--seed N` makes other made series, `--charts FOLDER` draws each series,
 * `--tune` searches the constants of the streaming detector on half of the series and reports on the other half.
 */
import { parseArgs } from "node:util";
import { acknowledgement } from "./sections/acknowledgement.ts";
import { anomaly } from "./sections/anomaly.ts";
import { coldStart } from "./sections/cold-start.ts";
import { failures } from "./sections/failures.ts";
import { halfOfPeak } from "./sections/half-of-peak.ts";
import { queries } from "./sections/queries.ts";
import { sustained } from "./sections/sustained.ts";
import { printTable, type Row } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    section: { type: "string" },
    series: { type: "string" },
    seed: { type: "string", default: "1" },
    charts: { type: "string" },
    tune: { type: "boolean", default: false },
  },
});
const wanted = values.section ?? positionals[0];
const runs = values.quick ? 1 : 3;
const sections: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  acknowledgement: () => acknowledgement(runs),
  sustained: () => sustained(runs),
  "half-of-peak": () => halfOfPeak(runs),
  failures: () => failures(runs),
  queries: () => queries(values.quick ? [1_000_000] : [1_000_000, 10_000_000]),
  "cold-start": coldStart,
};

if (!/^\d{1,15}$/.test(values.seed)) {
  console.error(`--seed must be a whole number, is "${values.seed}".`);
  process.exitCode = 2;
} else if (wanted === "anomaly") {
  const { series, charts, tune } = values;
  anomaly({ seriesFolder: series, seed: Number(values.seed), chartsFolder: charts, runs, tune });
} else if (wanted !== undefined && sections[wanted] === undefined) {
  console.error(`No section is called ${wanted}; there are ${Object.keys(sections).join(", ")} and anomaly.`);
  process.exitCode = 2;
} else {
  const rows: Row[] = [];
  for (const [name, section] of Object.entries(sections)) {
    if (wanted !== undefined && wanted !== name) continue;
    console.error(`bench: ${name}`);
    rows.push(...(await section()));
  }
  printTable(rows, runs);
}
