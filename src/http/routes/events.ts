import * as z from "zod";
import { type AcceptRequest, accept } from "../../pipeline/ingest/accept.ts";
import { bearerPrincipal } from "../bearer-principal.ts";
import type { BodyReader } from "../body.ts";
import { described, named } from "../described.ts";
import { type AppContext, type Endpoint, plainEndpoint } from "../endpoint.ts";
import { idempotencyKeyHeader, idempotencyKeyOf } from "../idempotency-key.ts";
import { booleanParameter, parseQuery } from "../parameters.ts";
import { errorDetailSchema } from "../problem.ts";
import { respondJson, respondJsonText } from "../respond.ts";
import { knownContract, streamParameter } from "../stream-parameter.ts";

const errorsSchema = z.array(errorDetailSchema);

const acceptanceSchema = named(
  "Acceptance",
  "What was made durable.",
  z.object({
    accepted: described("Events that are durable now, the invalid ones too: they wait in the failure log.", z.int()),
    invalid: described(
      "Events that break the contract; the first 1,000.",
      z.array(z.object({ index: z.int(), errors: errorsSchema })),
    ),
    invalidCount: described("How many there are in all.", z.int()),
    rawKey: described("The raw object that keeps the request byte for byte.", z.string()),
  }),
);

const dryRunSchema = named(
  "DryRun",
  "What would become of each event; nothing was kept.",
  z.object({
    dryRun: z.literal(true),
    events: z.array(
      z.object({
        index: z.int(),
        outcome: z.enum(["stored", "dropped", "quarantined", "failed"]),
        errors: errorsSchema,
        results: described("Data of the records it would become.", z.array(z.unknown())),
      }),
    ),
  }),
);

const broken = [{ pointer: "/total", code: "CONTRACT_BROKEN", detail: "must be a number" }];
const order = { id: "o-1001", total: 18.5, country: "DE", at: "2026-01-31T12:00:00Z" };
const cloudEvent = { specversion: "1.0", id: "a1", source: "/shop", type: "order.created", data: order };

const query = {
  dryRun: booleanParameter("`true`: judge and transform every event, keep nothing, answer 200."),
};

/** The way in. Not checked by zod: this route alone must keep up with tens of thousands of requests a second. */
export function eventsRoutes(bodies: BodyReader): readonly Endpoint[] {
  const json = { schema: z.unknown(), example: order };
  return [
    plainEndpoint(
      {
        method: "POST",
        path: "/v1/streams/{stream}/events",
        operationId: "sendEvents",
        summary: "Send events",
        description:
          "One JSON object, an array of them, NDJSON, or CloudEvents 1.0 (binary, structured, batch). When the answer comes the " +
          "events are durable; they are processed right after. A bad event never refuses the others. With an " +
          "`Idempotency-Key`, sending the same request again makes no second event.",
        tag: "events",
        params: { stream: streamParameter },
        query,
        headers: {
          ...idempotencyKeyHeader,
          "Content-Encoding": "`gzip` or `zstd`.",
          traceparent: "W3C trace context; kept with failures.",
        },
        body: {
          "application/json": json,
          "application/x-ndjson": {
            schema: null,
            example: `${JSON.stringify(order)}\n${JSON.stringify({ ...order, id: "o-1002" })}\n`,
          },
          "application/cloudevents+json": { schema: z.unknown(), example: cloudEvent },
          "application/cloudevents-batch+json": { schema: z.unknown(), example: [cloudEvent] },
        },
        responses: {
          202: {
            description: "Durable.",
            content: {
              "application/json": {
                schema: acceptanceSchema,
                example: {
                  accepted: 2,
                  invalid: [{ index: 1, errors: broken }],
                  invalidCount: 1,
                  rawKey: "raw/orders/2026/01/31/000000000000a3f0",
                },
              },
            },
          },
          200: {
            description: "A dry run: nothing was kept.",
            content: {
              "application/json": {
                schema: dryRunSchema,
                example: {
                  dryRun: true,
                  events: [
                    { index: 0, outcome: "stored", errors: [], results: [{ ...order, cents: 1850 }] },
                    { index: 1, outcome: "quarantined", errors: broken, results: [] },
                  ],
                },
              },
            },
          },
        },
        problems: [
          ...(["STREAM_UNKNOWN", "JSON_INVALID", "UTF8_INVALID", "CLOUDEVENT_INVALID", "BODY_EMPTY"] as const),
          ...(["BODY_TRUNCATED", "ENCODING_INVALID", "BODY_TOO_SLOW", "BODY_TOO_LARGE", "EVENT_TOO_LARGE"] as const),
          ...(["EVENTS_TOO_MANY", "CONTENT_TYPE_UNSUPPORTED", "ENCODING_UNSUPPORTED", "JSON_TOO_DEEP"] as const),
          ...(["JSON_KEY_DUPLICATE", "NUMBER_NOT_EXACT", "TOO_BUSY", "NOT_DURABLE", "SHUTTING_DOWN"] as const),
          "DRY_RUN_ENDED",
        ],
      },
      (context) => receiveEvents(bodies, context),
    ),
  ];
}

async function receiveEvents(bodies: BodyReader, context: AppContext): Promise<Response> {
  const { services, environment } = context.env;
  const request = context.req.raw;
  const principal = bearerPrincipal(services, request);
  const contract = knownContract(services, context.req.param("stream") ?? "");
  const dry = request.url.includes("?") && parseQuery(request.url, query, false).values.dryRun;
  const idempotencyKey = idempotencyKeyOf(request);
  return bodies.withBody(request, environment, async (body) => {
    const contentType = request.headers.get("content-type");
    const event: Omit<AcceptRequest, "contract"> = {
      tenant: principal.tenant,
      door: "http",
      contentType,
      headers: headersOf(request, contentType),
      body,
      principal: principal.name,
      idempotencyKey,
      receivedAt: Date.now(),
    };
    if (dry) {
      const events = await services.dryRun({ ...event, stream: contract.stream.name });
      return respondJsonText(context.env, 200, `{"dryRun":true,"events":${events}}`);
    }
    const { accepted, invalid, invalidCount, rawKey } = await accept(services, { ...event, contract });
    return respondJson(context.env, 202, { accepted, invalid, invalidCount, rawKey });
  });
}

/**
 * The headers that matter to events. Asking for four by name is several times cheaper than walking all of them, so the walk is
 * kept for requests that have a CloudEvents header.
 */
function headersOf({ headers }: Request, contentType: string | null): Record<string, string> {
  const kept: Record<string, string> = {};
  if (headers.has("ce-specversion") || headers.has("ce-id") || headers.has("ce-type")) {
    for (const [name, value] of headers) if (name.startsWith("ce-")) kept[name] = value;
  }
  if (contentType !== null) kept["content-type"] = contentType;
  const agent = headers.get("user-agent");
  if (agent !== null) kept["user-agent"] = agent;
  const trace = headers.get("traceparent");
  if (trace === null) return kept;
  kept["traceparent"] = trace;
  const state = headers.get("tracestate");
  if (state !== null) kept["tracestate"] = state;
  return kept;
}
