import { type ErrorCode, type ErrorDetail, EventPulseError, errorCodes } from "../model/error.ts";

export interface ConnectOptions {
  /** Where EventPulse answers, with or without a trailing slash. */
  readonly url: string;
  /** API key, sent as a bearer token; null where none is asked for. */
  readonly key: string | null;
  readonly fetch?: typeof fetch;
  /** Tries at one request, the first included. Default 8: half a minute of trouble is ridden out. */
  readonly attemptsMax?: number;
}

/** Absent, null and undefined are left out; an array gives its parameter more than once. */
export type QueryParameters = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

export interface RequestOptions {
  readonly query?: QueryParameters;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal?: AbortSignal | undefined;
  /** A status that is an answer here and no problem. */
  readonly acceptStatus?: number;
  /** False for answers that never end. */
  readonly timeout?: boolean;
}

/** Requests to one EventPulse, repeated where that is safe and may help. No node: imports, so that browsers can use it. */
export interface Connection {
  readonly url: string;
  /**
   * The answer, when it is a 2xx. Tries again after 408, 429 and 503, and after a lost connection or another 5xx when the
   * request is a GET or carries an Idempotency-Key; waits as `Retry-After` says, else ever longer with jitter. Throws
   * EventPulseError with the code of the problem, SERVER_UNREACHABLE, ANSWER_INVALID, or the reason of `signal`.
   */
  request(method: string, path: string, options?: RequestOptions): Promise<Response>;
  /** `request`, and the answer as JSON. */
  json(method: string, path: string, options?: RequestOptions): Promise<unknown>;
  /** Puts a body at a signed link, which may lead elsewhere and says itself what is allowed: the key is not sent along. */
  put(link: string, headers: Readonly<Record<string, string>>, body: Uint8Array<ArrayBuffer>): Promise<unknown>;
}

const attemptsMaxDefault = 8;
/** A request that has no answer by then is lost: the server's own limit for a slow client is 30 s. */
const requestTimeoutMillis = 60_000;
const delayMillisFirst = 200;
const delayMillisMax = 10_000;
/** A server may ask for a longer wait than we would choose, within reason. */
const retryAfterSecondsMax = 120;

export function connect(options: ConnectOptions): Connection {
  const url = options.url.replace(/\/+$/, "");
  const json = async (target: string, key: string | null, method: string, request: RequestOptions) => {
    const value = parseJson(
      await repeated({ ...options, key }, target, method, request, (response) => response.text()),
    );
    if (value !== undefined) return value;
    throw new EventPulseError("ANSWER_INVALID", `${placeOf(target)} answered with something that is not JSON.`);
  };
  const targetOf = (path: string, { query = {} }: RequestOptions) => `${url}${path}${queryText(query)}`;
  return {
    url,
    request: (method, path, request = {}) =>
      repeated(options, targetOf(path, request), method, request, async (response) => response),
    json: (method, path, request = {}) => json(targetOf(path, request), options.key, method, request),
    put: (link, headers, body) => json(new URL(link, url).href, null, "PUT", { headers, body }),
  };
}

async function repeated<Answer>(
  options: ConnectOptions,
  target: string,
  method: string,
  request: RequestOptions,
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  // HTTP's own word for "safe twice" (RFC 9110, section 9.2.2), without DELETE: the second would answer with a conflict.
  const repeatable = method === "GET" || method === "PUT" || request.headers?.["idempotency-key"] !== undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptRequest(options, target, method, request, read);
    } catch (error) {
      const last = attempt >= (options.attemptsMax ?? attemptsMaxDefault);
      if (!(error instanceof EventPulseError) || last || !mayRepeat(error, repeatable)) throw error;
      await sleep(delayMillis(attempt, error.retryAfterSeconds), request.signal);
    }
  }
}

/** A URL without its query, which may be signed. */
function placeOf(target: string): string {
  const url = URL.parse(target);
  return url === null ? target : `${url.origin}${url.pathname}`;
}

/** 408, 429 and 503 say that nothing was done; after anything else only a request that is safe twice is sent twice. */
function mayRepeat(error: EventPulseError, repeatable: boolean): boolean {
  if (error.retry === "never") return false;
  const refused = error.status === 408 || error.status === 429 || error.status === 503;
  return (refused && error.code !== "SERVER_UNREACHABLE") || repeatable;
}

/** Waits, unless `signal` aborts: then it throws its reason. */
export function sleep(millis: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, millis);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** What the server asks for, else exponential; always with jitter, so that clients refused together do not return together. */
export function delayMillis(attempt: number, retryAfterSeconds: number | null, random = Math.random): number {
  if (retryAfterSeconds !== null) return Math.min(retryAfterSeconds, retryAfterSecondsMax) * 1000 * (1 + random() / 4);
  return Math.min(delayMillisFirst * 2 ** (attempt - 1), delayMillisMax) * (0.5 + random() / 2);
}

async function attemptRequest<Answer>(
  { key, fetch: send = fetch }: ConnectOptions,
  target: string,
  method: string,
  { headers, body, signal, acceptStatus, timeout = true }: RequestOptions,
  read: (response: Response) => Promise<Answer>,
): Promise<Answer> {
  const limits = [signal, timeout ? AbortSignal.timeout(requestTimeoutMillis) : undefined];
  try {
    const response = await send(target, {
      method,
      headers: { accept: "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any(limits.filter((one) => one !== undefined)),
      redirect: "error",
    });
    if (!response.ok && response.status !== acceptStatus) throw await problemOf(response, target);
    return await read(response);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof EventPulseError) throw cause;
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new EventPulseError(
      "SERVER_UNREACHABLE",
      `No answer from ${URL.parse(target)?.origin ?? target}: ${reason}`,
      {
        cause,
      },
    );
  }
}

/** RFC 9457 problem details as an error with the same code; anything else (a proxy's page) as ANSWER_INVALID. */
async function problemOf(response: Response, target: string): Promise<EventPulseError> {
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(retryAfter) && retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {};
  const problem = parseJson(await response.text().catch(() => ""));
  if (!isObject(problem) || !isErrorCode(problem["code"])) {
    // A proxy in front answers in its own words: 429 did nothing, 5xx may have done anything, the rest will not get better.
    const code =
      response.status === 429 ? "TOO_BUSY" : response.status >= 500 ? "SERVER_UNREACHABLE" : "ANSWER_INVALID";
    return new EventPulseError(
      code,
      `${placeOf(target)} answered ${response.status} without saying why.`,
      retryAfterSeconds,
    );
  }
  const detail = typeof problem["detail"] === "string" ? problem["detail"] : errorCodes[problem["code"]].title;
  const request =
    typeof problem["requestId"] === "string" && response.status >= 500 ? ` (request ${problem["requestId"]})` : "";
  return new EventPulseError(problem["code"], `${detail}${request}`, {
    errors: errorDetails(problem["errors"]),
    ...retryAfterSeconds,
  });
}

/** The `errors` of an answer, as far as they have the promised shape. */
export function errorDetails(errors: unknown): ErrorDetail[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter(isObject).map(({ pointer, code, detail, actual, hint }) => ({
    pointer: String(pointer ?? ""),
    code: String(code ?? ""),
    detail: String(detail ?? ""),
    ...(typeof actual === "string" ? { actual } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
  }));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errorCodes, code);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function queryText(query: QueryParameters): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  return parameters.size === 0 ? "" : `?${parameters}`;
}
