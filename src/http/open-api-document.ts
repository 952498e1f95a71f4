import * as z from "zod";
import { type ErrorCode, errorCodes } from "../model/error.ts";
import { conditionOperators } from "../model/page.ts";
import { schemaNotes } from "./described.ts";
import { type Endpoint, type EndpointDocument, type MediaDocument, type ResponseDocument, tags } from "./endpoint.ts";
import type { Shape } from "./parameters.ts";
import { problem, problemSchema } from "./problem.ts";

type Json = Record<string, unknown>;

/** Codes that every operation may answer with, and those that come with a key or with parameters. */
const problemsOfAll: readonly ErrorCode[] = ["HOST_NOT_ALLOWED", "ORIGIN_NOT_ALLOWED", "INTERNAL"];
const problemsOfKeys: readonly ErrorCode[] = ["KEY_INVALID"];
const problemsOfQueries: readonly ErrorCode[] = ["PARAMETER_UNKNOWN", "PARAMETER_INVALID"];

/** The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1) of the given operations. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const { document } of endpoints) {
    paths[document.path] ??= {};
    (paths[document.path] as Json)[document.method.toLowerCase()] = operation(document, schemas);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "EventPulse",
      version,
      description:
        "Events in; validated, transformed, checked for anomalies, stored, queryable. Errors are RFC 9457 problem details. " +
        "Times are RFC 3339. Lists are `{data, page}` with opaque cursors. Unknown query parameters are refused.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } },
      headers: {
        RequestId: { description: "The id of this request.", schema: { type: "string" } },
        RetryAfter: { description: "Seconds after which to try again.", schema: { type: "integer", minimum: 1 } },
      },
      schemas: schemas.components,
    },
  };
}

function operation(document: EndpointDocument, schemas: Schemas): Json {
  const { operationId, summary, description, tag, access, body, bodyOptional } = document;
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    security: access === "key" ? [{ key: [] }] : [],
    parameters: parameters(document, schemas),
    ...(body === null ? {} : { requestBody: { required: !bodyOptional, content: content(body, schemas) } }),
    responses: responses(document, schemas),
  };
}

function parameters(document: EndpointDocument, schemas: Schemas): readonly Json[] {
  const headers = Object.entries(document.headers).map(([name, description]) => ({
    name,
    in: "header",
    required: false,
    description,
    schema: { type: "string" },
  }));
  return [
    ...shapeParameters(document.params, "path", schemas),
    ...shapeParameters(document.query, "query", schemas),
    ...(document.conditions ? [conditionsParameter] : []),
    ...headers,
  ];
}

function shapeParameters(shape: Shape, place: "path" | "query", schemas: Schemas): readonly Json[] {
  return Object.entries(shape).map(([name, schema]) => {
    const { description, ...rest } = schemas.of(schema);
    return { name, in: place, required: !schema.safeParse(undefined).success, description, schema: rest };
  });
}

/** `where[total][gte]=100`. Free-form names have this shape in OpenAPI: an exploded object, of which each member is a parameter. */
const conditionsParameter: Json = {
  name: "where",
  in: "query",
  required: false,
  description:
    "Conditions as `where[field][operator]=value`, all of which must hold: `where[total][gte]=100`. The field is a dotted path " +
    `into the data. Operators: ${conditionOperators.join(", ")}.`,
  style: "form",
  explode: true,
  schema: { type: "object", additionalProperties: { type: "string" } },
  example: { "where[total][gte]": "100" },
};

function responses(document: EndpointDocument, schemas: Schemas): Json {
  const all: Record<string, Json> = {};
  for (const [status, response] of Object.entries(document.responses)) all[status] = success(response, schemas);
  for (const [status, codes] of problemsByStatus(document)) {
    const problems = problemResponse(status, codes, schemas);
    const own = all[status];
    all[status] =
      own === undefined
        ? problems
        : { ...own, content: { ...(own["content"] as Json), ...(problems["content"] as Json) } };
  }
  return all;
}

function success({ description, content: bodies, headers = {} }: ResponseDocument, schemas: Schemas): Json {
  const described = Object.entries(headers).map(([name, text]) => [
    name,
    { description: text, schema: { type: "string" } },
  ]);
  return {
    description,
    headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" }, ...Object.fromEntries(described) },
    ...(Object.keys(bodies).length === 0 ? {} : { content: content(bodies, schemas) }),
  };
}

function problemsByStatus(document: EndpointDocument): ReadonlyMap<number, readonly ErrorCode[]> {
  const codes = new Set<ErrorCode>([
    ...problemsOfQueries,
    ...(document.access === "key" ? problemsOfKeys : []),
    ...document.problems,
    ...problemsOfAll,
  ]);
  return Map.groupBy(codes, (code) => errorCodes[code].status);
}

function problemResponse(status: number, codes: readonly ErrorCode[], schemas: Schemas): Json {
  const retry = status === 429 || status === 503 ? { "Retry-After": { $ref: "#/components/headers/RetryAfter" } } : {};
  const examples = codes.map((code) => {
    const detail = `${errorCodes[code].title}.`;
    return [code, { summary: errorCodes[code].title, value: problem(code, detail, "req_0f3c8a52", []) }] as const;
  });
  return {
    description: codes.map((code) => `\`${code}\``).join(", "),
    headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" }, ...retry },
    content: {
      "application/problem+json": { schema: schemas.of(problemSchema), examples: Object.fromEntries(examples) },
    },
  };
}

function content(bodies: Readonly<Record<string, MediaDocument>>, schemas: Schemas): Json {
  const media = Object.entries(bodies).map(([type, { schema, example }]) => [
    type,
    { schema: schema === null ? { type: "string" } : schemas.of(schema), example },
  ]);
  return Object.fromEntries(media);
}

/** zod schemas as JSON Schema 2020-12, which is what OpenAPI 3.1 takes; named ones become components. */
class Schemas {
  readonly components: Record<string, unknown> = {};

  of(schema: z.ZodType): Json {
    const json = z.toJSONSchema(schema, { metadata: schemaNotes, unrepresentable: "any", io: "output" });
    const { $schema: _, $defs, ...rest } = json as Json;
    for (const [name, component] of Object.entries(($defs ?? {}) as Json))
      this.components[name] ??= componentRefs(component);
    return componentRefs(rest) as Json;
  }
}

function componentRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(componentRefs);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, child]) => [
    key,
    key === "$ref" && typeof child === "string"
      ? child.replace("#/$defs/", "#/components/schemas/")
      : componentRefs(child),
  ]);
  return Object.fromEntries(entries);
}
