import * as z from "zod";
import type { StreamDefinition } from "../../model/definition.ts";
import { limits } from "../../model/limits.ts";
import type { Contract } from "../../pipeline/process/contract.ts";
import { described, named, pageOf } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { fieldStatistics, numericFields } from "../field-statistics.ts";
import { recordExample, recordJson, recordSchema } from "../record-json.ts";
import { respondJsonText, respondPage } from "../respond.ts";
import { knownContract, streamParameter } from "../stream-parameter.ts";
import { streamRates } from "../stream-rates.ts";

/** Newest records shown with a stream. */
const samplesMax = 3;

const summaryShape = {
  name: z.string(),
  contractVersion: described("Changes when the contract does.", z.string()),
  key: described("Dotted path of the field that identifies an event; null: none.", z.string().nullable()),
  time: described("Dotted path of the event time; null: CloudEvents time or arrival.", z.string().nullable()),
  retentionMillis: described(
    "How long each thing is kept, in milliseconds.",
    z.object({ raw: z.number(), records: z.number(), failures: z.number() }),
  ),
  transforms: described("Whether events are changed before they are stored.", z.boolean()),
};
const summarySchema = named("StreamSummary", "A stream, in short.", z.object(summaryShape));
const streamSchema = named(
  "Stream",
  "A stream: its contract, what it holds and how much comes in.",
  z.object({
    ...summaryShape,
    contract: described(
      "The contract as JSON Schema 2020-12; null when its library cannot tell.",
      z.record(z.string(), z.unknown()).nullable(),
    ),
    rates: described(
      "Records by event time; the running minute counts in each.",
      z.object({ lastMinute: z.int(), lastHour: z.int(), lastDay: z.int() }),
    ),
    fields: described(
      "Numeric fields over the last 24 hours of event time.",
      z.record(
        z.string(),
        z.object({
          count: z.int(),
          min: z.number().nullable(),
          max: z.number().nullable(),
          avg: z.number().nullable(),
        }),
      ),
    ),
    samples: described("The newest records, up to 3.", z.array(recordSchema)),
  }),
);

const weekMillis = 604_800_000;
const summaryExample = {
  name: "orders",
  contractVersion: "4be1c0a29f11",
  key: "id",
  time: "at",
  retentionMillis: { raw: weekMillis, records: weekMillis, failures: weekMillis },
  transforms: true,
};

function summaryView(stream: StreamDefinition, contract: Contract | null): z.input<typeof summarySchema> {
  const { raw, records, failures } = stream.retention;
  return {
    name: stream.name,
    contractVersion: contract?.version ?? "",
    key: stream.key,
    time: stream.time,
    retentionMillis: { raw, records, failures },
    transforms: stream.transform !== null,
  };
}

const listStreams = endpoint(
  {
    method: "GET",
    path: "/v1/streams",
    operationId: "listStreams",
    summary: "List streams",
    description: "All streams of the config, by name; always one page.",
    tag: "events",
    responses: {
      200: {
        description: "The streams.",
        content: {
          "application/json": {
            schema: pageOf("StreamPage", "Streams, one page.", summarySchema),
            example: { data: [summaryExample], page: { next: null, limit: limits.pageRowsMax } },
          },
        },
      },
    },
  },
  (call) => {
    const streams = [...call.services.project().streams.values()].sort((left, right) =>
      left.name < right.name ? -1 : 1,
    );
    const rows = streams.map((stream) => JSON.stringify(summaryView(stream, call.services.contract(stream.name))));
    return respondPage(call, call.request, rows, { next: null, limit: limits.pageRowsMax });
  },
);

const getStream = endpoint(
  {
    method: "GET",
    path: "/v1/streams/{stream}",
    operationId: "getStream",
    summary: "Get a stream",
    tag: "events",
    params: { stream: streamParameter },
    responses: {
      200: {
        description: "The stream.",
        content: {
          "application/json": {
            schema: streamSchema,
            example: {
              ...summaryExample,
              contract: { type: "object", properties: { total: { type: "number", minimum: 0 } }, required: ["total"] },
              rates: { lastMinute: 41, lastHour: 2_460, lastDay: 58_912 },
              fields: { cents: { count: 58_912, min: 900, max: 185_000, avg: 6512.3 } },
              samples: [recordExample],
            },
          },
        },
      },
    },
    problems: ["STREAM_UNKNOWN"],
  },
  async (call) => {
    const { services, principal } = call;
    const { stream } = call.params;
    const contract = knownContract(services, stream);
    const now = Date.now();
    const { tenant } = principal;
    const newest = { from: null, to: null, order: "desc", where: [], limit: samplesMax, cursor: null } as const;
    const { rows } = await services.records.query({ tenant, stream, ...newest });
    const fields = numericFields(contract.jsonSchema, rows);
    const view = {
      ...summaryView(contract.stream, contract),
      contract: contract.jsonSchema,
      rates: await streamRates(services.records, tenant, stream, now),
      fields: await fieldStatistics(services.records, tenant, stream, fields, now),
    };
    return respondJsonText(
      call,
      200,
      `${JSON.stringify(view).slice(0, -1)},"samples":[${rows.map(recordJson).join(",")}]}`,
    );
  },
);

export const streamsRoutes: readonly Endpoint[] = [listStreams, getStream];
