/** What a caller may do about an error: `now` (a race was lost), `later` (back off), `never` (change the input or the code). */
export type Retry = "now" | "later" | "never";

/**
 * Every error code of the product, written once: HTTP status, whether a retry can help, and what the code means. Problem
 * details, failures, CLI messages and `docs/limits.md` all take it from here; `test/error-codes.test.ts` keeps it so.
 */
export const errorCodes = {
  // Reading a request
  JSON_INVALID: { status: 400, retry: "never", title: "The body is not valid JSON" },
  JSON_TOO_DEEP: { status: 422, retry: "never", title: "The JSON is nested too deeply" },
  JSON_KEY_DUPLICATE: { status: 422, retry: "never", title: "An object holds the same key twice" },
  NUMBER_NOT_EXACT: { status: 422, retry: "never", title: "A number cannot be kept exactly as it was sent" },
  UTF8_INVALID: { status: 400, retry: "never", title: "The body is not valid UTF-8" },
  CSV_INVALID: { status: 400, retry: "never", title: "The file is not valid CSV" },
  CLOUDEVENT_INVALID: { status: 400, retry: "never", title: "The CloudEvent is not valid" },
  BODY_EMPTY: { status: 400, retry: "never", title: "The request has no body" },
  BODY_TOO_LARGE: { status: 413, retry: "never", title: "The body is too large" },
  BODY_TRUNCATED: { status: 400, retry: "now", title: "The body ended before it was complete" },
  BODY_TOO_SLOW: { status: 408, retry: "now", title: "The request took too long to arrive" },
  EVENT_TOO_LARGE: { status: 413, retry: "never", title: "An event is too large" },
  EVENTS_TOO_MANY: { status: 413, retry: "never", title: "The request holds too many events" },
  ENCODING_INVALID: { status: 400, retry: "never", title: "The compressed body cannot be read" },
  ENCODING_UNSUPPORTED: { status: 415, retry: "never", title: "The content encoding is not supported" },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, retry: "never", title: "The content type is not supported" },
  REQUEST_MALFORMED: { status: 400, retry: "never", title: "The request is not valid HTTP" },
  HEADERS_TOO_LARGE: { status: 431, retry: "never", title: "The headers of the request are too large" },
  PARAMETER_INVALID: { status: 400, retry: "never", title: "A parameter is not valid" },
  PARAMETER_UNKNOWN: { status: 400, retry: "never", title: "A parameter is not known" },
  CURSOR_INVALID: { status: 400, retry: "never", title: "The cursor is not valid" },
  BODY_INVALID: { status: 422, retry: "never", title: "The body does not fit what this operation takes" },
  DRY_RUN_ENDED: { status: 422, retry: "never", title: "The contract or the transform ended the dry run" },
  // Who and where
  KEY_INVALID: { status: 401, retry: "never", title: "The API key is missing or wrong" },
  HOST_NOT_ALLOWED: { status: 403, retry: "never", title: "The Host header does not name this server" },
  ORIGIN_NOT_ALLOWED: { status: 403, retry: "never", title: "The Origin is not allowed" },
  LINK_INVALID: { status: 403, retry: "never", title: "The upload link is not valid" },
  LINK_EXPIRED: { status: 403, retry: "never", title: "The upload link has expired" },
  ROUTE_UNKNOWN: { status: 404, retry: "never", title: "Nothing is at this address" },
  STREAM_UNKNOWN: { status: 404, retry: "never", title: "The stream is not known" },
  RECORD_UNKNOWN: { status: 404, retry: "never", title: "The record is not known" },
  ANOMALY_UNKNOWN: { status: 404, retry: "never", title: "The anomaly is not known" },
  FAILURE_UNKNOWN: { status: 404, retry: "never", title: "The failure is not known" },
  ISSUE_UNKNOWN: { status: 404, retry: "never", title: "The issue is not known" },
  JOB_UNKNOWN: { status: 404, retry: "never", title: "The job is not known" },
  UPLOAD_UNKNOWN: { status: 404, retry: "never", title: "The upload is not known" },
  METHOD_NOT_ALLOWED: { status: 405, retry: "never", title: "The method is not allowed here" },
  STATE_CONFLICT: { status: 409, retry: "never", title: "The state does not allow this" },
  ETAG_STALE: { status: 412, retry: "now", title: "It has changed since you read it" },
  IF_MATCH_MISSING: { status: 428, retry: "never", title: "An edit needs the version that it is based on" },
  PATCH_INVALID: { status: 422, retry: "never", title: "The JSON Patch does not apply" },
  EDIT_UNKNOWN: { status: 404, retry: "never", title: "The failure has no edit" },
  EDIT_REFUSED: { status: 422, retry: "never", title: "The event would fail after the edit, too" },
  RECIPE_INVALID: { status: 422, retry: "never", title: "The recipe is not valid" },
  RECIPE_UNKNOWN: { status: 404, retry: "never", title: "The recipe is not known" },
  SELECTION_EMPTY: { status: 422, retry: "never", title: "Nothing fits the selection" },
  REASON_MISSING: { status: 422, retry: "never", title: "This needs a reason" },
  OBJECT_KEY_INVALID: { status: 400, retry: "never", title: "The object key is not valid" },
  OBJECT_TOO_LARGE: { status: 413, retry: "never", title: "The object is too large" },
  // Load and trouble
  TOO_BUSY: { status: 429, retry: "later", title: "Too much is waiting to be processed" },
  NOT_DURABLE: { status: 503, retry: "later", title: "Events cannot be made durable right now" },
  SHUTTING_DOWN: { status: 503, retry: "later", title: "The server is shutting down" },
  INTERNAL: { status: 500, retry: "later", title: "Something went wrong inside EventPulse" },
  // Why an event failed
  EVENT_NOT_OBJECT: { status: 422, retry: "never", title: "An event must be a JSON object" },
  CONTRACT_BROKEN: { status: 422, retry: "never", title: "The event does not fit the contract of its stream" },
  KEY_MISSING: { status: 422, retry: "never", title: "The field that identifies the event is missing" },
  TIME_INVALID: { status: 422, retry: "never", title: "The time of the event cannot be read" },
  IDENTITY_CONFLICT: { status: 409, retry: "never", title: "Another event with this identity has other content" },
  RECIPE_FAILED: { status: 422, retry: "never", title: "The recipe could not mend the event" },
  TRANSFORM_THREW: { status: 500, retry: "later", title: "The transform threw an error" },
  TRANSFORM_RESULT_INVALID: { status: 500, retry: "never", title: "The transform returned what cannot be stored" },
  OBJECT_POISON: { status: 500, retry: "never", title: "Processing this object ended the process more than once" },
  OBJECT_MISSING: { status: 500, retry: "later", title: "A raw object cannot be read" },
  RAW_CORRUPT: { status: 500, retry: "never", title: "Bytes in the raw log do not match their checksum" },
  STREAM_REMOVED: { status: 422, retry: "never", title: "The stream is no longer in the config" },
  // Config, platform
  CONFIG_INVALID: { status: 500, retry: "never", title: "The config is not valid" },
  SETTING_INVALID: { status: 500, retry: "never", title: "A setting is not valid" },
  DELIVERY_FAILED: { status: 500, retry: "later", title: "A notification could not be delivered" },
  SERVER_UNREACHABLE: { status: 503, retry: "later", title: "No EventPulse answers at this address" },
  ANSWER_INVALID: { status: 502, retry: "never", title: "The answer is not one that EventPulse gives" },
  STATE_STALE: { status: 500, retry: "now", title: "A detector state has changed meanwhile" },
} as const satisfies Record<string, { status: number; retry: Retry; title: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** One reason inside an error or a failure. `pointer` is an RFC 6901 JSON Pointer into the event, "" for the whole. */
export interface ErrorDetail {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
  /** What was found there, as JSON, cut at 100 characters; masked where it is personal. Left out where there is nothing to show. */
  readonly actual?: string;
  /** What to do about it, where that is known. */
  readonly hint?: string;
}

export interface EventPulseErrorOptions {
  readonly errors?: readonly ErrorDetail[];
  readonly cause?: unknown;
  /** Seconds after which a retry is worth it; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** The one error class of the product. The message says what happened, to what, and what to do next; never a secret or a body. */
export class EventPulseError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly ErrorDetail[];
  readonly retryAfterSeconds: number | null;

  constructor(code: ErrorCode, message: string, options: EventPulseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "EventPulseError";
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get retry(): Retry {
    return errorCodes[this.code].retry;
  }

  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** For our own mistakes: a state that the code rules out. The world's mistakes are EventPulseErrors. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}
