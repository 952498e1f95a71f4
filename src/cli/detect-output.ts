import type { JudgedRow } from "./detect-run.ts";
import { expectedText, scoreText, valueText } from "./expected-text.ts";
import { pagedTable } from "./paged-table.ts";
import type { Terminal } from "./terminal.ts";

/** Where judged rows go. */
export interface DetectOutput {
  add(row: JudgedRow): Promise<void> | undefined;
  end(): Promise<void>;
}

/** Rows that came together are written together: a write for each would take longer than the judging. */
const writeLettersMax = 64 * 1024;

/** Every row as one line of JSON, written before the command waits for more input. */
export function jsonRows(terminal: Terminal): DetectOutput {
  let text = "";
  let idle: NodeJS.Immediate | undefined;
  const flush = () => {
    clearImmediate(idle);
    idle = undefined;
    const lines = text;
    text = "";
    return terminal.write(lines);
  };
  return {
    add(row) {
      text += `${JSON.stringify(row)}\n`;
      if (text.length >= writeLettersMax) return flush();
      idle ??= setImmediate(flush);
      return undefined;
    },
    end: flush,
  };
}

const columns = [
  { title: "TIME", whole: true },
  { title: "VALUE", align: "right" },
  { title: "EXPECTED" },
  { title: "SCORE", align: "right" },
  { title: "WHY" },
] as const;

/** The finds alone, as a table. */
export function findsTable(terminal: Terminal): DetectOutput {
  const table = pagedTable(terminal, columns);
  return {
    add({ timestamp, value, anomalous, expectedLow, expectedHigh, score, why }) {
      if (!anomalous) return undefined;
      const expected = expectedText(expectedLow, expectedHigh);
      return table.add([timestamp, valueText(value), expected, scoreText(score), why ?? ""]);
    },
    end: table.end,
  };
}
