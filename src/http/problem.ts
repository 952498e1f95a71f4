import * as z from "zod";
import { type ErrorCode, type ErrorDetail, EventPulseError, errorCodes } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { described, named } from "./described.ts";
import { respond } from "./respond.ts";
import type { Scope } from "./scope.ts";

/** One reason, in problems and in failures. */
export const errorDetailSchema = named(
  "ErrorDetail",
  "One reason why something was refused or failed.",
  z.object({
    pointer: described(
      'JSON Pointer (RFC 6901) into the event or body, "" for the whole; `/query/…`, `/path/…` or `/headers/…` for what is not in the body.',
      z.string(),
    ),
    code: z.string(),
    detail: z.string(),
    actual: described("What was found there, as JSON, cut short; masked where it is personal.", z.string()).optional(),
    hint: described("What to do about it.", z.string()).optional(),
  }),
);

/** RFC 9457 problem details, with what a program needs to act on: the code, each reason, and the id to ask about. */
export const problemSchema = named(
  "Problem",
  "What went wrong (RFC 9457). `type` leads to an explanation on this server.",
  z.object({
    type: described("Where the code is explained, relative to this server.", z.string()),
    title: described("The code in words; the same for every problem with this code.", z.string()),
    status: described("The HTTP status.", z.int()),
    detail: described("What happened to this request, and what to do next.", z.string()),
    instance: described("Path of the request.", z.string()).optional(),
    code: described("The code that programs act on.", z.string()),
    requestId: described("The request's id, as in `X-Request-Id`.", z.string()),
    errors: z.array(errorDetailSchema),
  }),
);

export type Problem = z.infer<typeof problemSchema>;

/** Where a code is explained: a path of this server, so that it works without any other. */
export function problemType(code: ErrorCode): string {
  return `/problems/${code}`;
}

export function problem(
  code: ErrorCode,
  detail: string,
  requestId: string,
  errors: readonly ErrorDetail[],
  instance?: string,
): Problem {
  const { status, title } = errorCodes[code];
  return {
    type: problemType(code),
    title,
    status,
    detail,
    ...(instance === undefined ? {} : { instance }),
    code,
    requestId,
    errors: [...errors],
  };
}

/** Seconds to wait where the error does not say: long enough to let a queue drain a little, short enough not to be felt. */
const retryAfterSecondsDefault = 1;

/**
 * The answer to whatever was thrown. An error that is not ours tells the client nothing but its request id; the log gets the
 * rest.
 */
export function respondProblem(
  scope: Pick<Scope, "requestId" | "services">,
  error: unknown,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const known = error instanceof EventPulseError ? error : null;
  if (known === null || known.status === 500) scope.services.log(error, scope.requestId);
  const code = known?.code ?? "INTERNAL";
  const detail =
    known?.message ?? `Report the request id ${scope.requestId} to whoever runs this server; its log says more.`;
  const body = problem(code, detail + (known === null ? "" : more(known)), scope.requestId, known?.errors ?? [], path);
  return respond(scope, body.status, "application/problem+json", JSON.stringify(body), {
    ...headersOf(code, known?.retryAfterSeconds ?? null),
    ...headers,
  });
}

/** 413 answers name the limits and the way for larger sets, wherever they were thrown. */
function more({ status, code }: EventPulseError): string {
  if (status !== 413 || code === "OBJECT_TOO_LARGE") return "";
  return (
    ` One request takes up to ${limits.bodyBytesMax} bytes and ${limits.eventsPerRequestMax} events of up to ` +
    `${limits.eventBytesMax} bytes; a file through POST /v1/uploads up to ${limits.eventsPerUploadMax} events.`
  );
}

function headersOf(code: ErrorCode, retryAfterSeconds: number | null): Record<string, string> {
  const { status } = errorCodes[code];
  if (status === 429 || status === 503) {
    return { "retry-after": String(Math.max(1, Math.ceil(retryAfterSeconds ?? retryAfterSecondsDefault))) };
  }
  if (status === 401) return { "www-authenticate": 'Bearer realm="EventPulse"' };
  if (status === 413) return { link: '</v1/uploads>; rel="related"' };
  return {};
}
