import { type ErrorDetail, EventPulseError } from "../../model/error.ts";

/** CloudEvents 1.0 context attributes by name, all as text: `id`, `source`, `type`, `time`, `subject` and extensions. */
export type EventAttributes = Readonly<Record<string, string>>;

const required = ["id", "source", "type"] as const;

/** CloudEvents 1.0 HTTP binding, section 3.1 (binary mode): `ce-` headers, percent-encoded UTF-8. Throws CLOUDEVENT_INVALID. */
export function cloudEventFromHeaders(headers: Readonly<Record<string, string>>): EventAttributes {
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("ce-")) attributes[name.slice(3)] = percentDecode(value);
  }
  const errors = attributeErrors(attributes, "");
  if (errors.length > 0) throw invalid(errors);
  const contentType = headers["content-type"];
  return contentType === undefined ? attributes : { ...attributes, datacontenttype: contentType };
}

/** JSON event format (structured and batched mode). An envelope that is not one gives `errors`. */
export function cloudEventFromEnvelope(envelope: unknown): {
  readonly data: unknown;
  readonly attributes: EventAttributes | null;
  readonly errors: readonly ErrorDetail[] | null;
} {
  if (typeof envelope !== "object" || envelope === null || Array.isArray(envelope)) {
    return broken([{ pointer: "", code: "CLOUDEVENT_INVALID", detail: "A CloudEvent is a JSON object." }]);
  }
  const attributes: Record<string, string> = {};
  const errors: ErrorDetail[] = [];
  let data: unknown = null;
  for (const [name, value] of Object.entries(envelope)) {
    if (name === "data") data = value;
    else if (name === "data_base64") data = fromBase64(value, errors);
    else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      attributes[name] = String(value);
    else if (value !== null)
      errors.push({
        pointer: `/${name}`,
        code: "CLOUDEVENT_INVALID",
        detail: "An attribute is a string, a number or a boolean.",
      });
  }
  errors.push(...attributeErrors(attributes, "/"));
  return errors.length > 0 ? broken(errors) : { data, attributes, errors: null };
}

function broken(errors: readonly ErrorDetail[]) {
  return { data: null, attributes: null, errors };
}

export function invalid(errors: readonly ErrorDetail[]): EventPulseError {
  return new EventPulseError("CLOUDEVENT_INVALID", `The CloudEvent is not valid: ${errors[0]?.detail}`, { errors });
}

function attributeErrors(attributes: Readonly<Record<string, string>>, prefix: string): ErrorDetail[] {
  const errors: ErrorDetail[] = [];
  const add = (name: string, detail: string) =>
    errors.push({ pointer: prefix === "" ? `/ce-${name}` : `/${name}`, code: "CLOUDEVENT_INVALID", detail });
  if (attributes["specversion"] !== "1.0") add("specversion", 'The attribute "specversion" must be "1.0".');
  for (const name of required) {
    if (!attributes[name]) add(name, `The attribute "${name}" is required and must not be empty.`);
  }
  for (const name of Object.keys(attributes)) {
    // Section 3.1 of the specification: lower-case letters and digits. A JSON event format member may hold nothing else.
    if (!/^[a-z0-9]{1,64}$/.test(name))
      add(name, `"${name.slice(0, 64)}" is no attribute name: lower-case letters and digits only.`);
  }
  const time = attributes["time"];
  if (time !== undefined && Number.isNaN(Date.parse(time)))
    add("time", 'The attribute "time" must be an RFC 3339 time.');
  return errors;
}

function fromBase64(value: unknown, errors: ErrorDetail[]): unknown {
  try {
    if (typeof value !== "string") throw new TypeError("no text");
    return JSON.parse(Buffer.from(value, "base64").toString("utf8"));
  } catch {
    errors.push({ pointer: "/data_base64", code: "CLOUDEVENT_INVALID", detail: "It must hold JSON in Base64." });
    return null;
  }
}

function percentDecode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // a bare "%" is not an escape
  }
}
