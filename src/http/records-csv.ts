import { stringify } from "csv-stringify/sync";
import type { StoredRecord } from "../model/record.ts";

const fixedColumns = ["id", "time", "receivedAt", "eventId"] as const;

/**
 * Records as CSV (RFC 4180, CRLF): a header line, then one line each. CloudEvents attributes become `attributes.NAME`, the
 * top level of the data `data.NAME`, in the order in which they first occur; what is nested is JSON text. Texts are
 * unchanged, also those that a spreadsheet would take for a formula: whoever imports them must import them as text. A
 * missing field and null are an empty cell, an empty text is `""`.
 */
export function recordsCsv(records: readonly StoredRecord[]): string {
  const rows = records.map((record) => ({
    record,
    attributes: JSON.parse(record.attributesJson ?? "{}") as unknown,
    data: JSON.parse(record.dataJson) as unknown,
  }));
  const attributeNames = namesOf(rows.map(({ attributes }) => attributes));
  const dataNames = namesOf(rows.map(({ data }) => data));
  const hasPlainData = rows.some(({ data }) => !isObject(data));
  const header = [
    ...fixedColumns,
    ...attributeNames.map((name) => `attributes.${name}`),
    ...dataNames.map((name) => `data.${name}`),
    ...(hasPlainData ? ["data"] : []),
  ];
  const lines = rows.map(({ record, attributes, data }) => [
    record.id,
    new Date(record.time).toISOString(),
    new Date(record.receivedAt).toISOString(),
    record.eventId,
    ...attributeNames.map((name) => cellOf(attributes, name)),
    ...dataNames.map((name) => cellOf(data, name)),
    ...(hasPlainData ? [isObject(data) ? null : cell(data)] : []),
  ]);
  return stringify([header, ...lines], {
    record_delimiter: "windows",
    quoted_match: /[\r\n]|^$/,
    cast: { boolean: String },
  });
}

function namesOf(values: readonly unknown[]): readonly string[] {
  const names = new Set<string>();
  for (const value of values) if (isObject(value)) for (const name of Object.keys(value)) names.add(name);
  return [...names];
}

function cellOf(value: unknown, name: string): string | number | boolean | null {
  // hasOwn: "__proto__" or "constructor" of a row that lacks them is missing.
  return isObject(value) && Object.hasOwn(value, name) ? cell(value[name]) : null;
}

function cell(value: unknown): string | number | boolean | null {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null)
    return value;
  return JSON.stringify(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
