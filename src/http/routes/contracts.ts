import * as z from "zod";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { auditDraft } from "../audit-draft.ts";
import { described, named, pageOf, timeText } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { negotiate } from "../negotiate.ts";
import { checkRange, pageParameters, reasonParameter, timeParameter } from "../parameters.ts";
import { nextLink, respond, respondPage } from "../respond.ts";
import { sentEvents } from "../sent-events.ts";
import { knownContract, streamParameter } from "../stream-parameter.ts";

const params = { stream: streamParameter };

const versionSchema = named(
  "ContractVersion",
  "A contract of a stream that is or was in force.",
  z.object({
    version: described("Changes when the schema does.", z.string()),
    announced: described("What the config calls it, like 2.0.0; null: nothing.", z.string().nullable()),
    jsonSchema: described(
      "The contract as JSON Schema 2020-12; null when its library cannot tell.",
      z.record(z.string(), z.unknown()).nullable(),
    ),
    firstSeenAt: timeText("When it came into force, the last time if it did more than once."),
  }),
);

const versionExample = {
  version: "4be1c0a29f11",
  announced: "2.0.0",
  jsonSchema: { type: "object", properties: { total: { type: "number", minimum: 0 } }, required: ["total"] },
  firstSeenAt: "2026-01-31T12:00:00.000Z",
};

const listContracts = endpoint(
  {
    method: "GET",
    path: "/v1/streams/{stream}/contracts",
    operationId: "listContracts",
    summary: "List the versions of a contract",
    description: "The one in force first; always one page, of the newest 100.",
    tag: "events",
    params,
    responses: {
      200: {
        description: "The versions.",
        content: {
          "application/json": {
            schema: pageOf("ContractPage", "Versions of a contract, one page.", versionSchema),
            example: { data: [versionExample], page: { next: null, limit: limits.pageRowsMax } },
          },
        },
      },
    },
    problems: ["STREAM_UNKNOWN"],
  },
  async (call) => {
    const { services, principal } = call;
    const { stream } = call.params;
    knownContract(services, stream);
    const versions = await services.contracts.list(principal.tenant, stream);
    const rows = versions.map(({ version, announced, jsonSchema, firstSeenAt }) =>
      JSON.stringify({ version, announced, jsonSchema, firstSeenAt: new Date(firstSeenAt).toISOString() }),
    );
    return respondPage(call, call.request, rows, { next: null, limit: limits.pageRowsMax });
  },
);

const eventSchema = named(
  "SentEvent",
  "An event as it was sent, and a contract sees it.",
  z.object({
    rawKey: described("The raw object that keeps the request byte for byte.", z.string()),
    rawIndex: described("Its place in it.", z.int()),
    receivedAt: timeText("When it was received."),
    data: described("Null when it cannot be read.", z.unknown()),
    errors: described(
      "Why it cannot be read.",
      z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })),
    ),
  }),
);

const eventExample = {
  rawKey: "raw/orders/2026/01/31/00000000-0000a3f0",
  rawIndex: 0,
  receivedAt: "2026-01-31T12:00:00.412Z",
  data: { id: "o-1001", total: 18.5 },
  errors: [],
};

const listEvents = endpoint(
  {
    method: "GET",
    path: "/v1/streams/{stream}/events",
    operationId: "listEvents",
    summary: "List events as they were sent",
    description:
      "Newest first, while their raw objects are kept: to try a contract or a transform on real data. The cells of a CSV file " +
      "are typed by the contract in force. Personal data is not masked, so it needs a reason, and every page is an entry in " +
      "the audit log. JSON, or one event a line with `Accept: application/x-ndjson`; the `Link` header has the next page.",
    tag: "events",
    params,
    query: {
      from: timeParameter("Received, inclusive."),
      to: timeParameter("Received, exclusive."),
      reason: reasonParameter,
      ...pageParameters,
    },
    responses: {
      200: {
        description: "A page of events.",
        headers: { Link: 'The next page, `rel="next"`.' },
        content: {
          "application/json": {
            schema: pageOf("SentEventPage", "Events, one page.", eventSchema),
            example: { data: [eventExample], page: { next: null, limit: 100 } },
          },
          "application/x-ndjson": { schema: null, example: `${JSON.stringify(eventExample)}\n` },
        },
      },
    },
    problems: ["STREAM_UNKNOWN", "REASON_MISSING", "CURSOR_INVALID"],
  },
  async (call) => {
    const { services, principal, params: path, query, request } = call;
    const { stream } = path;
    const contract = knownContract(services, stream);
    const { reason, limit } = query;
    const [from, to, cursor] = [query.from ?? null, query.to ?? null, query.cursor ?? null];
    checkRange(from, to);
    if (reason === undefined) {
      throw new EventPulseError("REASON_MISSING", "Say with reason=… why you need to see events as they were sent.");
    }
    const draft = auditDraft(call, "events.view", stream, { reason, details: { limit, from, to } });
    await services.audit.append(draft);
    const { tenant } = principal;
    const { rows, next } = await sentEvents(services, contract, { tenant, stream, from, to, limit, cursor });
    if (negotiate(request.headers.get("accept"), ["application/json", "application/x-ndjson"]) === "application/json") {
      return respondPage(call, request, rows, { next, limit });
    }
    const headers = { ...nextLink(request, next), vary: "accept" };
    return respond(call, 200, "application/x-ndjson", rows.map((row) => `${row}\n`).join(""), headers);
  },
);

export const contractsRoutes: readonly Endpoint[] = [listContracts, listEvents];
