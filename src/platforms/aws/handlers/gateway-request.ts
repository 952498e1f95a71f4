import { isUtf8 } from "node:buffer";
import { gzipSync } from "node:zlib";
import { problem } from "../../../http/problem.ts";
import type { RequestEnvironment } from "../../../http/services.ts";
import { EventPulseError, errorCodes } from "../../../model/error.ts";

/** Of the event of a REST API (Lambda proxy integration), what a request is made of. */
export interface GatewayEvent {
  readonly httpMethod: string;
  /** Without the stage. */
  readonly path: string;
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[] | undefined>> | null;
  readonly multiValueQueryStringParameters: Readonly<Record<string, readonly string[] | undefined>> | null;
}

export interface GatewayResult {
  readonly statusCode: number;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/**
 * Lambda takes and gives 6 MB of JSON (6,291,556 bytes). API Gateway hands bodies over in Base64, a third longer, beside the
 * headers; what is larger never reaches a function.
 */
export const requestBytesMax = 4_500_000;
const resultBytesMax = 6_000_000;
/** Answers from this size on are compressed for clients that take it. */
const compressedBytesMin = 256 * 1024;

/** The request that API Gateway was sent. */
export function gatewayRequest(event: GatewayEvent, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {})) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    for (const value of values ?? []) query.append(name, value);
  }
  const host = headers.get("host") ?? "localhost";
  const search = query.size === 0 ? "" : `?${query}`;
  return new Request(`https://${host}${safePath(event.path)}${search}`, { method: event.httpMethod, headers, signal });
}

/** A path may come decoded: what would end it in a URL stays part of it. */
function safePath(path: string): string {
  return path.replaceAll(/[?#]/g, encodeURIComponent).replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25");
}

/** The body of the request, which is all there already. */
export function gatewayEnvironment({ body, isBase64Encoded }: GatewayEvent): RequestEnvironment {
  return {
    async readBody(bytesMax) {
      const bytes = Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8");
      const most = Math.min(bytesMax, requestBytesMax);
      if (bytes.length <= most) return bytes;
      throw new EventPulseError(
        "BODY_TOO_LARGE",
        `The body is larger than ${most} bytes. Send it in several requests, or as a file: POST /v1/uploads.`,
      );
    },
  };
}

/** The answer as API Gateway wants it. Text stays text; bytes, and what is compressed, go in Base64. */
export async function gatewayResult(response: Response, request: Request): Promise<GatewayResult> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  const compressed = mayCompress(body, headers, request) ? gzipSync(body) : null;
  if (compressed !== null) {
    headers.set("content-encoding", "gzip");
    headers.delete("content-length");
    headers.append("vary", "accept-encoding");
  }
  const result = resultOf(response.status, headers, compressed ?? body, compressed === null && isUtf8(body));
  const fits = body.length < resultBytesMax / 2 || Buffer.byteLength(JSON.stringify(result)) <= resultBytesMax;
  return fits ? result : tooLarge(headers.get("x-request-id") ?? "");
}

function resultOf(statusCode: number, headers: Headers, body: Buffer, text: boolean): GatewayResult {
  const multiValueHeaders: Record<string, string[]> = {};
  for (const [name, value] of headers) {
    multiValueHeaders[name] ??= [];
    multiValueHeaders[name].push(value);
  }
  return { statusCode, multiValueHeaders, body: body.toString(text ? "utf8" : "base64"), isBase64Encoded: !text };
}

function mayCompress(body: Buffer, headers: Headers, request: Request): boolean {
  if (body.length < compressedBytesMin || headers.has("content-encoding") || headers.has("etag")) return false;
  return /(?:^|,)\s*gzip\s*(?:,|;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|$)/i.test(request.headers.get("accept-encoding") ?? "");
}

function tooLarge(requestId: string): GatewayResult {
  const code = "OBJECT_TOO_LARGE";
  const detail =
    "The answer is larger than the 6 MB that Lambda may give: ask for fewer rows with limit=, or take gzip.";
  const headers = new Headers({ "content-type": "application/problem+json", "x-request-id": requestId });
  const body = Buffer.from(JSON.stringify(problem(code, detail, requestId, [])));
  return resultOf(errorCodes[code].status, headers, body, true);
}
