import type { AnomalyDefinition } from "../model/definition.ts";
import { countOf } from "./count-of.ts";
import { drawFields } from "./draw-fields.ts";
import { expectedText, scoreText, valueText } from "./expected-text.ts";
import { fieldText } from "./field-text.ts";
import { pagedTable } from "./paged-table.ts";
import type { BacktestComparison, BacktestOutput, BacktestRange } from "./run-backtest.ts";
import type { Terminal } from "./terminal.ts";

/** Prints a backtest as it goes. */
export interface BacktestPrinter extends BacktestOutput {
  end(comparison: BacktestComparison): Promise<void>;
}

/** JSON lines, or tables for people. */
export function backtestPrinter(terminal: Terminal, rule: AnomalyDefinition, range: BacktestRange): BacktestPrinter {
  return terminal.pretty ? tables(terminal, rule, range) : jsonLines(terminal, rule, range);
}

function jsonLines(terminal: Terminal, { name, stream }: AnomalyDefinition, range: BacktestRange): BacktestPrinter {
  const line = (value: object) => terminal.write(`${JSON.stringify(value)}\n`);
  return {
    find({ id, rule, field, key, time, value, verdict, recordId, incident, severity }, stored) {
      const { score, expectedLow, expectedHigh, why } = verdict;
      return line({
        ...{ kind: "find", id, rule, field, key, time: new Date(time).toISOString(), value, score },
        ...{ expectedLow, expectedHigh, why, recordId, incident, severity, stored },
      });
    },
    gone: ({ fields }) => line({ kind: "gone", ...fields }),
    end: (comparison) => line({ kind: "summary", rule: name, stream, ...range, ...comparison }),
  };
}

const columns = [
  { title: "TIME", whole: true },
  { title: "KEY" },
  { title: "VALUE", align: "right" },
  { title: "EXPECTED" },
  { title: "SCORE", align: "right" },
  { title: "STORED" },
  { title: "WHY" },
] as const;

function tables(terminal: Terminal, rule: AnomalyDefinition, range: BacktestRange): BacktestPrinter {
  const table = pagedTable(terminal, columns);
  const add = async (...cells: readonly string[]) => table.add(cells);
  return {
    find({ time, key, value, verdict: { expectedLow, expectedHigh, score, why } }, stored) {
      const expected = expectedText(expectedLow, expectedHigh);
      const is = stored ? "yes" : "no";
      return add(new Date(time).toISOString(), key, valueText(value), expected, scoreText(score), is, why);
    },
    gone({ fields: { time, key, value, expectedLow, expectedHigh, score, why } }) {
      const expected = expectedText(expectedLow, expectedHigh);
      return add(
        ...[fieldText(time), fieldText(key), valueText(value), expected],
        ...[scoreText(score), "yes, not found", fieldText(why)],
      );
    },
    async end(comparison) {
      await table.end();
      await terminal.write(`${drawComparison(terminal, rule, range, comparison)}\n`);
    },
  };
}

function drawComparison(
  terminal: Terminal,
  { name, stream }: AnomalyDefinition,
  { from, to }: BacktestRange,
  { records, series, finds, incidents, falseAlarmsPerWeek, new: fresh, gone, complete }: BacktestComparison,
): string {
  const over = `${countOf(records, "record")} of ${stream} in ${series} series, ${from} to ${to}`;
  const unjudged = records > 0 && series === 0 ? "none: no record has what this rule judges" : null;
  return [
    `${terminal.style("bold", name)} over ${over}${complete ? "" : terminal.style("yellow", " (interrupted)")}`,
    ...drawFields([
      ["judged", unjudged],
      ["finds", `${finds}: ${finds - fresh} as stored, ${fresh} new; ${gone} stored and not found`],
      ["incidents", incidents],
      [
        "false alarms",
        falseAlarmsPerWeek === null ? null : `${valueText(falseAlarmsPerWeek)} a series and week, if all were false`,
      ],
    ]),
  ].join("\n");
}
