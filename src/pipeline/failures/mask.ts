import { scanJson } from "../ingest/scan-json.ts";
import { fieldPath } from "../process/field-path.ts";

/** What stands where a personal value was. */
export const mask = "•••";

/**
 * A copy of a JSON value with every scalar at or below the personal fields (dotted paths as in a stream's `pii`) replaced by "•••".
 * Lists are passed through: `people.email` is the email of every one of `people`. A scalar where the path expects more (a text
 * instead of the object with the email in it) is masked, too: what failed is often shaped wrongly. `null` stays: it says nothing.
 */
export function maskPersonal(data: unknown, pii: readonly string[]): unknown {
  return pii.map(fieldPath).reduce<unknown>((masked, field) => maskAt(masked, field), data);
}

function maskAt(value: unknown, field: readonly string[]): unknown {
  if (value === null || value === undefined) return value;
  if (typeof value !== "object") return mask;
  if (Array.isArray(value)) return value.map((element) => maskAt(element, field));
  const [name, ...rest] = field;
  const masked = (key: string, inner: unknown) => (name === undefined || key === name ? maskAt(inner, rest) : inner);
  // Not by assignment: `__proto__` is data.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(key, inner)]));
}

/**
 * The bytes of one event as they may be shown to people: as sent when nothing of the stream is personal, else as JSON with the
 * personal fields masked (of a CloudEvent in its envelope, those of its `data`). Null when personal data cannot be told from the
 * rest (CSV rows, invalid JSON, JSON nested too deeply): then nothing may be shown. Numbers that a double cannot keep are rounded in it.
 */
export function maskedPayload(payload: Uint8Array, contentType: string, pii: readonly string[]): Uint8Array | null {
  if (pii.length === 0) return payload;
  const type = contentType.toLowerCase();
  if (type.startsWith("text/csv") || scanJson(payload, 0, payload.length).tooDeep) return null;
  const envelope = type.startsWith("application/cloudevents");
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    // What is encoded cannot be told apart: all of it counts as personal.
    const paths = envelope ? [...pii.map((path) => `data.${path}`), "data_base64"] : pii;
    return Buffer.from(JSON.stringify(maskPersonal(value, paths)));
  } catch {
    return null;
  }
}
