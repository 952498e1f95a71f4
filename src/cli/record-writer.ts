import { isObject } from "../client/connection.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export type RecordFormat = "json" | "ndjson" | "csv" | "table";
export const recordFormats = ["json", "ndjson", "csv", "table"] as const satisfies readonly RecordFormat[];

export interface RecordWriter {
  /** Takes records as JSON texts. */
  add(records: readonly string[]): Promise<void>;
  end(): Promise<void>;
}

/** Writes records to stdout. Table and CSV need all columns before the first row, so they hold the records until `end`. */
export function recordWriter(format: RecordFormat, terminal: Terminal): RecordWriter {
  switch (format) {
    case "ndjson":
      return {
        add: async (records) => {
          if (records.length > 0) await terminal.write(`${records.join("\n")}\n`);
        },
        end: async () => undefined,
      };
    case "json":
      return jsonWriter(terminal);
    case "csv":
      return heldWriter((records) => writeCsv(terminal, records));
    case "table":
      return heldWriter((records) => writeTable(terminal, records));
  }
}

function jsonWriter(terminal: Terminal): RecordWriter {
  let before = "[\n";
  return {
    async add(records) {
      if (records.length === 0) return;
      await terminal.write(`${before}  ${records.join(",\n  ")}`);
      before = ",\n";
    },
    end: () => terminal.write(before === "[\n" ? "[]\n" : "\n]\n"),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function heldWriter(write: (records: readonly Fields[]) => Promise<void>): RecordWriter {
  const held: Fields[] = [];
  return {
    async add(records) {
      held.push(...records.map((text) => JSON.parse(text) as unknown).filter(isObject));
    },
    end: async () => {
      if (held.length > 0) await write(held);
    },
  };
}

/** The same columns and quotes as the API's own CSV, but over all pages. */
async function writeCsv(terminal: Terminal, records: readonly Fields[]): Promise<void> {
  const { recordsCsv } = await import("../http/records-csv.ts");
  const stored = records.map(({ id, stream, time, receivedAt, eventId, attributes, data, rawKey, rawIndex }) => ({
    id: String(id),
    stream: String(stream),
    time: Date.parse(String(time)),
    receivedAt: Date.parse(String(receivedAt)),
    eventId: typeof eventId === "string" ? eventId : null,
    attributesJson: isObject(attributes) ? JSON.stringify(attributes) : null,
    dataJson: JSON.stringify(data),
    rawKey: String(rawKey),
    rawIndex: Number(rawIndex),
  }));
  await terminal.write(recordsCsv(stored));
}

async function writeTable(terminal: Terminal, records: readonly Fields[]): Promise<void> {
  // A Map, because a field may be called `__proto__`.
  const rows = records.map(({ time, data }) => {
    const fields = isObject(data) ? Object.entries(data) : [["data", data] as const];
    return { time: String(time), fields: new Map<string, unknown>(fields) };
  });
  const names = [...new Set(rows.flatMap(({ fields }) => [...fields.keys()]))];
  const columns = names.map((title) => ({ title: title.toUpperCase(), align: alignOf(rows, title) }));
  const cells = rows.map(({ time, fields }) => [time, ...names.map((name) => cell(fields.get(name)))]);
  await terminal.write(`${formatTable([{ title: "TIME", whole: true }, ...columns], cells, terminal.width)}\n`);
}

function alignOf(rows: readonly { readonly fields: ReadonlyMap<string, unknown> }[], name: string): "left" | "right" {
  return rows.some(({ fields }) => typeof fields.get(name) === "number") ? "right" : "left";
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
