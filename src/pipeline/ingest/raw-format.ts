import { EventPulseError } from "../../model/error.ts";
import type { Door } from "../../model/glossary.ts";
import type { RawFormat } from "../../model/raw-object.ts";

const formats: Readonly<Record<string, RawFormat>> = {
  "application/json": "json",
  "text/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "application/x-jsonlines": "ndjson",
  "application/cloudevents+json": "cloudevent",
  "application/cloudevents-batch+json": "cloudevent-batch",
};

/**
 * How a body with this content type is read. No content type is taken as JSON. `text/csv` is for files only: a request has no
 * header line to rely on. Throws CONTENT_TYPE_UNSUPPORTED and, for a charset other than UTF-8, ENCODING_UNSUPPORTED.
 */
export function rawFormat(
  contentType: string | null,
  headers: Readonly<Record<string, string>>,
  door: Door,
): RawFormat {
  const [type = "", ...parameters] = (contentType ?? "application/json")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  for (const parameter of parameters) {
    const charset = /^charset="?([^"]*)"?$/.exec(parameter)?.[1];
    if (charset !== undefined && charset !== "utf-8" && charset !== "utf8" && charset !== "us-ascii") {
      throw new EventPulseError(
        "ENCODING_UNSUPPORTED",
        `The charset "${charset.slice(0, 40)}" is not supported; send UTF-8.`,
      );
    }
  }
  if (type === "text/csv" && door === "upload") return "csv";
  const format = formats[type] ?? (/^application\/[a-z0-9.-]+\+json$/.test(type) ? "json" : undefined);
  if (format === undefined) {
    throw new EventPulseError(
      "CONTENT_TYPE_UNSUPPORTED",
      `The content type "${type.slice(0, 80)}" is not supported. Send application/json, application/x-ndjson or application/cloudevents+json; CSV files go through POST /v1/uploads.`,
    );
  }
  return format === "json" && headers["ce-specversion"] !== undefined ? "cloudevent-binary" : format;
}
