import { parse } from "csv-parse/sync";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { type ReadEvent, tooMany } from "./read-event.ts";

/** Type of each column by name, as the contract's JSON Schema has it; a column that is not there stays text. */
export type CsvColumns = Readonly<Record<string, "string" | "number" | "integer" | "boolean">>;

/** Reads the column types off the top level of a JSON Schema. */
export function csvColumns(jsonSchema: Readonly<Record<string, unknown>> | null): CsvColumns {
  const properties = (jsonSchema?.["properties"] ?? {}) as Record<string, { readonly type?: unknown }>;
  const columns: Record<string, "string" | "number" | "integer" | "boolean"> = Object.create(null);
  for (const [name, { type }] of Object.entries(properties)) {
    if (type === "string" || type === "number" || type === "integer" || type === "boolean") columns[name] = type;
  }
  return columns;
}

/**
 * Rows of a CSV file (RFC 4180, header line required) as events. CSV has no types: a cell becomes a number or a boolean when
 * the contract wants one and the text is exactly one, else it stays text and the contract judges it. An empty cell of a
 * column that is not text is a missing field. A row with too many or too few cells fails alone. Throws CSV_INVALID.
 */
export function readCsv(body: Uint8Array, eventsMax: number, columns: CsvColumns): readonly ReadEvent[] {
  let rows: { record: string[]; raw: string }[];
  try {
    rows = parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength), {
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; raw: string }[];
  } catch (error) {
    const line = (error as { lines?: number }).lines;
    const where = line === undefined ? "" : ` near line ${line}`;
    throw new EventPulseError("CSV_INVALID", `The CSV cannot be read${where}: check its quotes.`);
  }
  const header = rows.shift()?.record;
  if (!header) throw new EventPulseError("CSV_INVALID", "The CSV is empty; its first line must name the columns.");
  if (new Set(header).size !== header.length)
    throw new EventPulseError("CSV_INVALID", "Two columns have the same name.");
  tooMany(rows.length, eventsMax);
  return rows.map(({ record, raw }, index) => {
    const original = Buffer.from(raw.replace(/^[\r\n]+|[\r\n]+$/g, ""));
    const detail = rowProblem(record, header, original);
    if (detail)
      return {
        index,
        original,
        data: null,
        attributes: null,
        errors: [{ pointer: "", code: detail.code, detail: detail.text }],
      };
    return { index, original, data: rowData(record, header, columns), attributes: null, errors: null };
  });
}

function rowProblem(record: readonly string[], header: readonly string[], original: Uint8Array) {
  if (record.length !== header.length) {
    return { code: "CSV_INVALID", text: `The row has ${record.length} cells, the header ${header.length}.` };
  }
  if (original.length > limits.eventBytesMax) {
    return {
      code: "EVENT_TOO_LARGE",
      text: `The row has ${original.length} bytes; the limit is ${limits.eventBytesMax}.`,
    };
  }
  return null;
}

function rowData(record: readonly string[], header: readonly string[], columns: CsvColumns): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  for (let column = 0; column < header.length; column++) {
    const name = header[column] as string;
    const value = cellValue(record[column] as string, columns[name] ?? "string");
    // defineProperty: a column called __proto__ is data.
    if (value !== undefined)
      Object.defineProperty(data, name, { value, enumerable: true, writable: true, configurable: true });
  }
  return data;
}

function cellValue(text: string, type: "string" | "number" | "integer" | "boolean"): unknown {
  if (type === "string") return text;
  if (text === "") return undefined;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  // Only JSON's own notation, and only when no digit is lost: "0x10", "1_000" and 2^53 + 1 stay text for the contract to refuse.
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return text;
  const value = Number(text);
  return Number.isFinite(value) && (Number.isSafeInteger(value) || /[.eE]/.test(text)) ? value : text;
}
