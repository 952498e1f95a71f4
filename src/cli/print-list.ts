import { type Connection, isObject, type QueryParameters } from "../client/connection.ts";
import { listPages } from "../client/list-pages.ts";
import { EventPulseError } from "../model/error.ts";
import { type Column, formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export interface ListView {
  readonly path: string;
  readonly query: QueryParameters;
  /** Rows at most, over as many pages as it takes. */
  readonly limit: number;
  readonly columns: readonly Column[];
  /** The cells of one row, in the order of the columns. */
  readonly row: (fields: Fields) => readonly string[];
}

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Prints a list of the API as it comes, so that a long one is neither waited for nor held: one JSON line a row, or a table a
 * page. Answers with the first row (null: there is none) and how many there were.
 */
export async function printList(
  terminal: Terminal,
  connection: Connection,
  { path, query, limit, columns, row }: ListView,
): Promise<{ readonly first: Fields | null; readonly rows: number }> {
  let first: Fields | null = null;
  let rows = 0;
  for await (const page of listPages(connection, path, query, { limit })) {
    const list = page.map(readFields);
    if (list.length === 0) continue;
    first ??= list[0] ?? null;
    rows += list.length;
    const text = terminal.pretty
      ? formatTable(columns, list.map(row), terminal.width)
      : list.map((fields) => JSON.stringify(fields)).join("\n");
    await terminal.write(`${text}\n`);
  }
  if (rows === limit) terminal.say(`The first ${limit}; there may be more, see --limit.`);
  return { first, rows };
}

function readFields(value: unknown): Fields {
  if (isObject(value)) return value;
  throw new EventPulseError("ANSWER_INVALID", "The server's answer is no list of what was asked for.");
}
