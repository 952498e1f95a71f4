import { type Column, formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export interface PagedTable {
  add(row: readonly string[]): Promise<void> | undefined;
  /** Writes what is left. A table without rows is not written. */
  end(): Promise<void>;
}

/** A table cannot be written before its widest cell is known; more rows than these go into the next one, so that they need not fit into memory. */
const pageRowsMax = 1_000;

/** Writes rows as a table, or as several when there are many. */
export function pagedTable(terminal: Terminal, columns: readonly Column[]): PagedTable {
  const rows: (readonly string[])[] = [];
  const end = async () => {
    if (rows.length > 0) await terminal.write(`${formatTable(columns, rows.splice(0), terminal.width)}\n`);
  };
  return {
    add(row) {
      rows.push(row);
      return rows.length >= pageRowsMax ? end() : undefined;
    },
    end,
  };
}
