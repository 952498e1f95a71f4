import { isUtf8 } from "node:buffer";
import type { z } from "zod";
import { type ErrorCode, type ErrorDetail, EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { inspectJson } from "../pipeline/ingest/inspect-json.ts";
import { scanJson } from "../pipeline/ingest/scan-json.ts";
import { jsonPointer } from "../pipeline/process/json-pointer.ts";
import type { RequestEnvironment } from "./services.ts";

export interface JsonBodyOptions {
  /** Media types that are taken; the first is what the message asks for. Default: application/json. */
  readonly types?: readonly [string, ...string[]];
  /** Default: `limits.commandBytesMax`. */
  readonly bytesMax?: number;
  /** What no body stands for; without it, none is BODY_EMPTY. */
  readonly fallback?: unknown;
}

/** Codes that `readJsonBody` throws. */
export const jsonBodyProblems = [
  "CONTENT_TYPE_UNSUPPORTED",
  "ENCODING_UNSUPPORTED",
  "BODY_TOO_LARGE",
  "BODY_EMPTY",
  "UTF8_INVALID",
  "JSON_INVALID",
  "JSON_TOO_DEEP",
  "JSON_KEY_DUPLICATE",
  "NUMBER_NOT_EXACT",
  "BODY_INVALID",
] as const satisfies readonly ErrorCode[];

/** Reads a JSON body and fits it to `schema`. Throws `jsonBodyProblems`; BODY_INVALID has a JSON Pointer to each mistake. */
export async function readJsonBody<Schema extends z.ZodType>(
  request: Request,
  environment: RequestEnvironment,
  schema: Schema,
  options: JsonBodyOptions = {},
): Promise<z.output<Schema>> {
  const { types = ["application/json"], bytesMax = limits.commandBytesMax, fallback } = options;
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== undefined && !types.includes(type)) {
    throw new EventPulseError("CONTENT_TYPE_UNSUPPORTED", `Send ${types[0]}.`);
  }
  const encoding = request.headers.get("content-encoding")?.toLowerCase();
  if (encoding !== undefined && encoding !== "identity") {
    throw new EventPulseError("ENCODING_UNSUPPORTED", "Send this body without Content-Encoding.");
  }
  const body = await environment.readBody(bytesMax);
  const empty = body.length === 0 && fallback !== undefined;
  const result = schema.safeParse(empty ? fallback : parse(body));
  if (result.success) return result.data;
  throw invalidBody(result.error.issues.flatMap(detailsOf));
}

/** BODY_INVALID for what a schema cannot say. Pointers lead into the body. */
export function invalidBody(errors: readonly Pick<ErrorDetail, "pointer" | "detail">[]): EventPulseError {
  const details = errors.slice(0, limits.errorsPerEventMax).map((error) => ({ ...error, code: "BODY_INVALID" }));
  return new EventPulseError("BODY_INVALID", `The body does not fit: ${details[0]?.detail ?? "see errors"}.`, {
    errors: details,
  });
}

/** An unknown member is pointed to itself, and not the object that it is in. */
function detailsOf(issue: z.core.$ZodIssue): readonly Pick<ErrorDetail, "pointer" | "detail">[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  if (issue.code !== "unrecognized_keys") return [{ pointer: jsonPointer(path), detail: issue.message }];
  return issue.keys.map((key) => {
    const shown = key.slice(0, 80);
    return { pointer: jsonPointer([...path, shown]), detail: `${JSON.stringify(shown)} is not known here` };
  });
}

/** A value that is what was sent: nothing rounded, no member lost to another of the same name. */
function parse(body: Uint8Array): unknown {
  if (body.length === 0) throw new EventPulseError("BODY_EMPTY", "Send JSON.");
  if (!isUtf8(body)) throw new EventPulseError("UTF8_INVALID", "The body is not valid UTF-8.");
  if (scanJson(body, 0, body.length).tooDeep) {
    throw new EventPulseError("JSON_TOO_DEEP", `The body is nested more than ${limits.jsonDepthMax} levels deep.`);
  }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the input.
    throw new EventPulseError("JSON_INVALID", "The body is not valid JSON.");
  }
  const [lost, ...others] = inspectJson(text);
  if (lost === undefined) return value;
  const errors = [lost, ...others].slice(0, limits.errorsPerEventMax);
  throw new EventPulseError(lost.code as ErrorCode, `At "${lost.pointer.slice(0, 200)}": ${lost.detail}.`, { errors });
}
