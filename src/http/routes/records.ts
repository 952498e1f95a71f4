import * as z from "zod";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { anomalyExample, anomalySchema, anomalyView } from "../anomaly-json.ts";
import { described, named, pageOf, timeText } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { negotiate } from "../negotiate.ts";
import { checkRange, orderParameter, pageParameters, timeParameter, wholeNumberParameter } from "../parameters.ts";
import { recordExample, recordJson, recordSchema } from "../record-json.ts";
import { recordsCsv } from "../records-csv.ts";
import { nextLink, respond, respondJson, respondPage, respondResource } from "../respond.ts";
import { knownContract, streamParameter } from "../stream-parameter.ts";

const params = { stream: streamParameter };
const recordTypes = ["application/json", "text/csv", "application/x-ndjson"] as const;

const listRecords = endpoint(
  {
    method: "GET",
    path: "/v1/streams/{stream}/records",
    operationId: "listRecords",
    summary: "List records",
    description:
      "In order of (time, id). JSON, or with `Accept: text/csv` or `application/x-ndjson` the same page in that form; " +
      "the `Link` header then has the next page.",
    tag: "records",
    params,
    query: {
      from: timeParameter("Event time, inclusive."),
      to: timeParameter("Event time, exclusive."),
      order: orderParameter,
      ...pageParameters,
    },
    conditions: true,
    responses: {
      200: {
        description: "A page of records.",
        headers: { Link: 'The next page, `rel="next"`.' },
        content: {
          "application/json": {
            schema: pageOf("RecordPage", "Records, one page.", recordSchema),
            example: { data: [recordExample], page: { next: null, limit: 100 } },
          },
          "text/csv": {
            schema: null,
            example:
              "id,time,receivedAt,eventId,data.id,data.total\r\n" +
              `${recordExample.id},2026-01-31T12:00:00.000Z,2026-01-31T12:00:00.412Z,o-1001,o-1001,18.5\r\n`,
          },
          "application/x-ndjson": { schema: null, example: `${JSON.stringify(recordExample)}\n` },
        },
      },
    },
    problems: ["STREAM_UNKNOWN", "CURSOR_INVALID"],
  },
  async (call) => {
    knownContract(call.services, call.params.stream);
    const { from, to, order, limit, cursor } = call.query;
    checkRange(from, to);
    const { rows, next } = await call.services.records.query({
      tenant: call.principal.tenant,
      stream: call.params.stream,
      from: from ?? null,
      to: to ?? null,
      order,
      limit,
      cursor: cursor ?? null,
      where: call.conditions,
    });
    const type = negotiate(call.request.headers.get("accept"), recordTypes);
    const headers = { ...nextLink(call.request, next), vary: "accept" };
    if (type === "text/csv")
      return respond(call, 200, "text/csv; charset=utf-8; header=present", recordsCsv(rows), headers);
    if (type === "application/x-ndjson") {
      // A line break in stored JSON can only stand between tokens.
      const lines = rows.map((row) => `${recordJson(row).replaceAll(/[\r\n]/g, " ")}\n`);
      return respond(call, 200, type, lines.join(""), headers);
    }
    return respondPage(call, call.request, rows.map(recordJson), { next, limit });
  },
);

const getRecord = endpoint(
  {
    method: "GET",
    path: "/v1/streams/{stream}/records/{id}",
    operationId: "getRecord",
    summary: "Get a record",
    tag: "records",
    params: { ...params, id: described("`evt_…`, or the id that the client gave.", z.string()) },
    headers: { "If-None-Match": "The ETag you have: 304 when it is still the same." },
    responses: {
      200: {
        description: "The record.",
        headers: { ETag: "Changes with the record." },
        content: { "application/json": { schema: recordSchema, example: recordExample } },
      },
      304: { description: "You have it already.", content: {} },
    },
    problems: ["STREAM_UNKNOWN", "RECORD_UNKNOWN"],
  },
  async (call) => {
    const { stream, id } = call.params;
    knownContract(call.services, stream);
    const record = await call.services.records.get(call.principal.tenant, stream, id);
    if (record === null) {
      throw new EventPulseError("RECORD_UNKNOWN", "No record has this id; it may be in flight, a failure, or expired.");
    }
    return respondResource(call, call.request, recordJson(record), null);
  },
);

const dayMillis = 24 * 60 * 60 * 1000;

const seriesSchema = named(
  "Series",
  "A field over time. Buckets without events are left out; anomalies are always all there.",
  z.object({
    stream: z.string(),
    field: z.string(),
    from: timeText("Start, inclusive."),
    to: timeText("End, exclusive."),
    bucketMillis: described("Width of a bucket in milliseconds.", z.int()),
    points: z.array(
      z.object({
        time: timeText("Start of the bucket."),
        count: z.int(),
        min: z.number().nullable(),
        max: z.number().nullable(),
        avg: z.number().nullable(),
      }),
    ),
    anomalies: z.array(anomalySchema),
  }),
);

const getSeries = endpoint(
  {
    method: "GET",
    path: "/v1/streams/{stream}/series",
    operationId: "getSeries",
    summary: "Get a field over time",
    tag: "records",
    params,
    query: {
      field: described(
        "A numeric field at the top level of the records; without it, events are counted.",
        z.string().max(limits.fieldCharactersMax).default(""),
      ),
      from: timeParameter("Start, inclusive; a day before `to` without it."),
      to: timeParameter("End, exclusive; now without it."),
      points: wholeNumberParameter(
        "Buckets at most; none is narrower than a minute.",
        1,
        limits.seriesPointsMax,
        limits.seriesPointsDefault,
      ),
    },
    responses: {
      200: {
        description: "The series.",
        content: {
          "application/json": {
            schema: seriesSchema,
            example: {
              stream: "orders",
              field: "cents",
              from: "2026-01-31T00:00:00.000Z",
              to: "2026-02-01T00:00:00.000Z",
              bucketMillis: 3_600_000,
              points: [{ time: "2026-01-31T12:00:00.000Z", count: 41, min: 900, max: 185000, avg: 6512.3 }],
              anomalies: [anomalyExample],
            },
          },
        },
      },
    },
    problems: ["STREAM_UNKNOWN"],
  },
  async (call) => {
    const { stream } = call.params;
    knownContract(call.services, stream);
    const { field, points } = call.query;
    const to = call.query.to ?? Date.now();
    const from = call.query.from ?? to - dayMillis;
    checkRange(from, to);
    const series = await call.services.records.series({
      tenant: call.principal.tenant,
      stream,
      field,
      from,
      to,
      points,
    });
    return respondJson(call, 200, {
      stream,
      field,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      bucketMillis: series.bucketMillis,
      points: series.points.map(({ time, count, min, max, avg }) => ({
        time: new Date(time).toISOString(),
        count,
        min,
        max,
        avg,
      })),
      anomalies: series.anomalies.map(anomalyView),
    });
  },
);

export const recordsRoutes: readonly Endpoint[] = [listRecords, getRecord, getSeries];
