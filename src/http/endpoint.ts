import type { Context } from "hono";
import type { z } from "zod";
import type { ErrorCode } from "../model/error.ts";
import type { Condition } from "../model/page.ts";
import { bearerPrincipal } from "./bearer-principal.ts";
import { parseQuery, parseValues, type Shape, type Values } from "./parameters.ts";
import type { KnownScope, Scope } from "./scope.ts";
import type { Principal } from "./services.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export const tags = [
  "events",
  "records",
  "anomalies",
  "failures",
  "jobs",
  "uploads",
  "operations",
  "documentation",
] as const;
export type Tag = (typeof tags)[number];

/** A body in one media type. `schema` null: bytes or text without a JSON shape. */
export interface MediaDocument {
  readonly schema: z.ZodType | null;
  readonly example: unknown;
}
export interface ResponseDocument {
  readonly description: string;
  readonly content: Readonly<Record<string, MediaDocument>>;
  /** Headers beyond those of every answer, with their description. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation as the OpenAPI document shows it, and as its request is checked. */
export interface EndpointDocument {
  readonly method: Method;
  /** With `{name}` for each of `params`. */
  readonly path: `/${string}`;
  /** Never changes: clients are generated from it. */
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: Tag;
  /** `key`: an API key, where the platform asks for one. `link`: the signature in the URL. `open`: everyone. */
  readonly access: "key" | "link" | "open";
  readonly params: Shape;
  readonly query: Shape;
  /** Takes `where[field][operator]=value`. */
  readonly conditions: boolean;
  /** Request headers it looks at, with their description. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, MediaDocument>> | null;
  /** Whether it does without a body, too. */
  readonly bodyOptional: boolean;
  readonly responses: Readonly<Record<number, ResponseDocument>>;
  /** Codes it may answer with beyond those of every operation. */
  readonly problems: readonly ErrorCode[];
}

export type AppContext = Context<{ Bindings: Scope }>;

export interface Endpoint {
  readonly document: EndpointDocument;
  readonly handle: (context: AppContext) => Response | Promise<Response>;
}

/** A request whose path and query fit. */
export interface Call<Params extends Shape, Query extends Shape> extends KnownScope {
  readonly request: Request;
  readonly params: Values<Params>;
  readonly query: Values<Query>;
  readonly conditions: readonly Condition[];
}

type Optional = "params" | "query" | "conditions" | "headers" | "body" | "bodyOptional" | "problems" | "access";
export type TypedDocument<Params extends Shape, Query extends Shape> = Omit<EndpointDocument, Optional> &
  Partial<Omit<EndpointDocument, "params" | "query">> & { readonly params?: Params; readonly query?: Query };

/** Who asks where nobody is asked for a key. */
const nobody: Principal = { name: "anonymous", tenant: "" };

/** An operation whose path and query are checked against its document before `handler` sees them. */
export function endpoint<const Params extends Shape, const Query extends Shape>(
  typed: TypedDocument<Params, Query>,
  handler: (call: Call<Params, Query>) => Response | Promise<Response>,
): Endpoint {
  const document = documentOf(typed);
  const { access, conditions: takesConditions } = document;
  const params = (typed.params ?? {}) as Params;
  const query = (typed.query ?? {}) as Query;
  return {
    document,
    handle(context) {
      const request = context.req.raw;
      const { services, environment, requestId } = context.env;
      const principal = access === "key" ? bearerPrincipal(services, request) : nobody;
      // A signed link carries its own parameters, and its signature already covers them.
      const url = access === "link" ? "" : request.url;
      const parsed = parseQuery(url, query, takesConditions);
      return handler({
        services,
        environment,
        requestId,
        principal,
        request,
        params: parseValues(context.req.param(), params, "path"),
        query: parsed.values,
        conditions: parsed.conditions,
      });
    },
  };
}

/** An operation that checks its own request: for the one route where each microsecond counts. */
export function plainEndpoint<const Params extends Shape, const Query extends Shape>(
  typed: TypedDocument<Params, Query>,
  handle: Endpoint["handle"],
): Endpoint {
  return { document: documentOf(typed), handle };
}

function documentOf<Params extends Shape, Query extends Shape>(typed: TypedDocument<Params, Query>): EndpointDocument {
  return {
    access: "key",
    params: {},
    query: {},
    conditions: false,
    headers: {},
    body: null,
    bodyOptional: false,
    problems: [],
    ...typed,
  } as EndpointDocument;
}
