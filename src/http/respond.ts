import { hash } from "node:crypto";
import type { Page } from "../model/page.ts";
import type { Scope } from "./scope.ts";

type Headers = Readonly<Record<string, string>>;

/** Nothing runs, nothing loads from elsewhere, nobody frames it. Inline styles only: Swagger UI sets some. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * An answer with the headers that every answer has. All headers are given at once and as a plain object: adding one to a
 * finished Response makes node-server build a Headers object, a tenth of the cost of a small request.
 */
export function respond(
  scope: Pick<Scope, "requestId">,
  status: number,
  contentType: string,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
  headers?: Headers,
): Response {
  return new Response(body, {
    status,
    headers: {
      "content-type": contentType,
      "x-request-id": scope.requestId,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      ...headers,
    },
  });
}

/** JSON that is text already, so that stored JSON is never parsed on its way out. */
export function respondJsonText(
  scope: Pick<Scope, "requestId">,
  status: number,
  json: string,
  headers?: Headers,
): Response {
  return respond(scope, status, "application/json", json, headers);
}

export function respondJson(
  scope: Pick<Scope, "requestId">,
  status: number,
  value: unknown,
  headers?: Headers,
): Response {
  return respond(scope, status, "application/json", JSON.stringify(value), headers);
}

/** A page for people, fenced in by a content security policy. */
export function respondHtml(scope: Pick<Scope, "requestId">, html: string, status = 200): Response {
  return respond(scope, status, "text/html; charset=utf-8", html, { "content-security-policy": pagePolicy });
}

/**
 * One resource with a strong ETag (RFC 9110, section 8.8.3): its version, or a hash of its text where it has none. Answers 304
 * without a body when the client has it already.
 */
export function respondResource(
  scope: Pick<Scope, "requestId">,
  request: Request,
  json: string,
  version: number | null,
  headers?: Headers,
): Response {
  const etag = version === null ? `"${hash("sha256", json, "base64url").slice(0, 22)}"` : `"${version}"`;
  const caching = { etag, "cache-control": "private, no-cache", ...headers };
  const wanted = request.headers.get("if-none-match");
  if (wanted !== null && tagsOf(wanted).some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag)) {
    return respond(scope, 304, "application/json", null, caching);
  }
  return respondJsonText(scope, 200, json, caching);
}

/** The entity tags of an If-Match or If-None-Match header, or `*`. */
export function tagsOf(header: string): readonly string[] {
  return header.trim() === "*" ? ["*"] : (header.match(/(?:W\/)?"[^"]*"/g) ?? []);
}

/** A list as every list looks: `{data, page: {next, limit}}`, and a `Link` to the next page. `rows` are JSON texts. */
export function respondPage(
  scope: Pick<Scope, "requestId">,
  request: Request,
  rows: readonly string[],
  page: PagePlace,
): Response {
  const json = `{"data":[${rows.join(",")}],"page":${JSON.stringify({ next: page.next, limit: page.limit })}}`;
  return respondJsonText(scope, 200, json, nextLink(request, page.next));
}

export interface PagePlace {
  readonly next: Page<unknown>["next"];
  readonly limit: number;
}

/** `Link: <…>; rel="next"` (RFC 8288): the same request with the next cursor. Empty on the last page. */
export function nextLink(request: Request, next: string | null): { readonly link?: string } {
  if (next === null) return {};
  const url = new URL(request.url);
  url.searchParams.set("cursor", next);
  return { link: `<${url.pathname}${url.search}>; rel="next"` };
}
