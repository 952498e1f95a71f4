import { pipeline, Readable } from "node:stream";
import { parse } from "csv-parse";
import { suggestion } from "../config/closest-name.ts";
import { EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { countOf } from "./count-of.ts";
import { parseSeriesTime } from "./series-time.ts";

export interface SeriesRow {
  /** As the file has it. */
  readonly timestamp: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Null: the cell says that there is no value. */
  readonly value: number | null;
}

/** The names of the columns that are read; what other columns hold does not matter. */
export interface SeriesColumns {
  readonly time: string;
  readonly value: string;
}

/**
 * The rows of a series as CSV (RFC 4180, header line required), one at a time, so that a file may be larger than memory. An
 * empty cell, `NaN`, `NA` and `null` are missing values. Throws PARAMETER_INVALID for a column that is not there, and CSV_INVALID
 * with the line for what is no time, no number or no CSV.
 */
export async function* seriesRows(
  chunks: AsyncIterable<Uint8Array>,
  columns: SeriesColumns,
): AsyncGenerator<SeriesRow, void> {
  let header: Header | null = null;
  let rows = 0;
  try {
    for await (const { record, info } of parsed(chunks)) {
      if (header === null) {
        header = readHeader(record, columns);
        continue;
      }
      rows++;
      yield readRow(record, info.lines, header);
    }
  } catch (error) {
    throw explained(error);
  }
  if (header === null)
    throw invalid("The series is empty; its first line must name the columns, like timestamp,value.");
  if (rows === 0)
    throw invalid("The series has no rows; after the line that names the columns comes a line for each value.");
}

interface ParsedRow {
  readonly record: readonly string[];
  /** `lines`: on which the row ends. */
  readonly info: { readonly lines: number };
}

function parsed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ParsedRow> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    // A quote that nobody closed would take the rest of the file into memory.
    max_record_size: limits.eventBytesMax,
  });
  // The callback has nothing to add: an error of either side is thrown where the rows are read.
  return pipeline(Readable.from(textOnly(chunks)), parser, () => undefined);
}

async function* textOnly(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    // Images, archives, spreadsheets and UTF-16 hold it early; no CSV in UTF-8 does.
    if (chunk.includes(0)) throw invalid("The series is binary or UTF-16; save it as CSV in UTF-8.");
    yield chunk;
  }
}

interface Header {
  readonly names: readonly string[];
  readonly columns: SeriesColumns;
  readonly time: number;
  readonly value: number;
}

function readHeader(names: readonly string[], columns: SeriesColumns): Header {
  const place = (name: string, option: string) => {
    const index = names.indexOf(name);
    if (index === -1) {
      const message = `The series has no column ${JSON.stringify(name)}; ${suggestion(name, names)} Name it with ${option}; the first line must name the columns, with commas between them.`;
      throw new EventPulseError("PARAMETER_INVALID", message);
    }
    if (names.includes(name, index + 1)) throw invalid(`Two columns are called ${JSON.stringify(name)}; rename one.`);
    return index;
  };
  return { names, columns, time: place(columns.time, "--time"), value: place(columns.value, "--value") };
}

function readRow(record: readonly string[], line: number, { names, columns, time, value }: Header): SeriesRow {
  if (record.length !== names.length) {
    throw invalid(
      `Line ${line} has ${countOf(record.length, "cell")}, the header ${names.length}; quote a value that holds a comma.`,
    );
  }
  const timestamp = record[time] ?? "";
  const millis = parseSeriesTime(timestamp);
  if (millis === null) {
    throw invalid(
      `Line ${line}: ${shown(timestamp)} in column ${columns.time} is no time; write 2026-11-16T06:00:00Z, 2026-11-16 06:00:00 (UTC), or Unix seconds or milliseconds.`,
    );
  }
  const number = readValue(record[value] ?? "");
  if (Number.isNaN(number)) {
    throw invalid(
      `Line ${line}: ${shown(record[value] ?? "")} in column ${columns.value} is no finite number; write it like 1234.5, and leave the cell empty where there is no value.`,
    );
  }
  return { timestamp, time: millis, value: number };
}

const missing: ReadonlySet<string> = new Set(["", "nan", "na", "null"]);

/** NaN for what is neither a number nor a missing value. */
function readValue(cell: string): number | null {
  const text = cell.trim();
  const value = Number(text);
  // What Number() reads besides decimals ("0x10", "Infinity") was hardly meant.
  if (text !== "" && Number.isFinite(value) && /^[-+.\d]/.test(text) && !/^[-+]?0[box]/i.test(text)) return value;
  return missing.has(text.toLowerCase()) ? null : Number.NaN;
}

const shownLettersMax = 60;

function shown(cell: string): string {
  return JSON.stringify(cell.length > shownLettersMax ? `${cell.slice(0, shownLettersMax)}…` : cell);
}

/** What the CSV parser throws has a line; what is thrown above is explained already. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EventPulseError) return error;
  const { lines } = error as { readonly lines?: number };
  if (lines === undefined) return error;
  return invalid(`The CSV cannot be read near line ${lines}: check its quotes, and that it is CSV.`);
}

function invalid(message: string): EventPulseError {
  return new EventPulseError("CSV_INVALID", message);
}
