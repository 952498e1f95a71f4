/**
 * `npm run bench`: the figures of the README on this machine, beside a bare node:http server and a bare SQLite insert loop in
 * the same run. `-- --quick` runs each section once and skips 10 million records; `-- --section NAME` runs one.
 */
import { parseArgs } from "node:util";
import { acknowledgement } from "./sections/acknowledgement.ts";
import { coldStart } from "./sections/cold-start.ts";
import { failures } from "./sections/failures.ts";
import { halfOfPeak } from "./sections/half-of-peak.ts";
import { queries } from "./sections/queries.ts";
import { sustained } from "./sections/sustained.ts";
import { printTable, type Row } from "./table.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, section: { type: "string" } } });
const runs = values.quick ? 1 : 3;
const sections: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  acknowledgement: () => acknowledgement(runs),
  sustained: () => sustained(runs),
  "half-of-peak": () => halfOfPeak(runs),
  failures: () => failures(runs),
  queries: () => queries(values.quick ? [1_000_000] : [1_000_000, 10_000_000]),
  "cold-start": coldStart,
};

const rows: Row[] = [];
for (const [name, section] of Object.entries(sections)) {
  if (values.section !== undefined && values.section !== name) continue;
  console.error(`bench: ${name}`);
  rows.push(...(await section()));
}
printTable(rows, runs);
