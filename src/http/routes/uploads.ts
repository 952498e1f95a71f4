import { randomBytes } from "node:crypto";
import * as z from "zod";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import {
  createUpload,
  receiveUpload,
  type UploadStatus,
  uploadStatus,
  uploadTicket,
} from "../../pipeline/ingest/upload.ts";
import { type UploadTicket, uploadKeys } from "../../pipeline/ingest/upload-ticket.ts";
import { described, named, timeText } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { jsonBodyProblems, readJsonBody } from "../json-body.ts";
import { respondJson } from "../respond.ts";
import { knownContract } from "../stream-parameter.ts";

const params = { id: described("`upl_…`", z.string()) };
const sha256Text = z.string().regex(/^[0-9a-f]{64}$/, { error: "must be 64 lower-case hex digits" });

const requestSchema = named(
  "UploadRequest",
  "The file that will be sent. The link is good for exactly this file.",
  z.strictObject({
    stream: z.string(),
    fileName: described("For people.", z.string().min(1).max(255)),
    contentType: described(
      "application/json, application/x-ndjson or text/csv; CSV needs a header line.",
      z
        .string()
        .max(200)
        .regex(/^[\x21-\x7e]+\/[\x20-\x7e]+$/, { error: "must be a media type" }),
    ),
    bytes: described("Exact length in bytes.", z.int().min(1).max(limits.bodyBytesMax)),
    sha256: described("Hex SHA-256; the file is refused when it has another.", sha256Text).optional(),
  }),
);

const linkSchema = named(
  "UploadLink",
  "Send the file to `url`, with `method` and exactly these `headers`, before `expiresAt`.",
  z.object({
    id: z.string(),
    method: z.literal("PUT"),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    expiresAt: timeText("End of the link."),
  }),
);

const id = "upl_20260131_orders_5f0c2b9e1a7d4c3890ab12cd";
const sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bd4a0f00a08c9a3f0b1d2";

const postUpload = endpoint(
  {
    method: "POST",
    path: "/v1/uploads",
    operationId: "createUpload",
    summary: "Ask for a link to upload a file of events",
    description:
      "JSON, NDJSON or CSV up to 10 MB and 500,000 events. The link is bound to stream, type, length, checksum and who asks.",
    tag: "uploads",
    body: {
      "application/json": {
        schema: requestSchema,
        example: { stream: "orders", fileName: "january.csv", contentType: "text/csv", bytes: 48_211, sha256 },
      },
    },
    responses: {
      201: {
        description: "The link.",
        headers: { Location: "The upload, to see how it goes." },
        content: {
          "application/json": {
            schema: linkSchema,
            example: {
              id,
              method: "PUT",
              url: `http://localhost:8080/v1/uploads/${id}/content?expires=1769861700&signature=Zm9v`,
              headers: { "content-type": "text/csv" },
              expiresAt: "2026-01-31T12:15:00.000Z",
            },
          },
        },
      },
    },
    problems: ["STREAM_UNKNOWN", ...jsonBodyProblems],
  },
  async (call) => {
    const wanted = await readJsonBody(call.request, call.environment, requestSchema);
    knownContract(call.services, wanted.stream);
    const { ticket, link } = await createUpload(call.services, {
      tenant: call.principal.tenant,
      principal: call.principal.name,
      stream: wanted.stream,
      fileName: wanted.fileName,
      contentType: wanted.contentType,
      bytes: wanted.bytes,
      sha256: wanted.sha256 ?? null,
      requestedAt: Date.now(),
      random: randomBytes(12).toString("hex"),
    });
    const answer = { id: ticket.id, ...link, expiresAt: new Date(ticket.expiresAt).toISOString() };
    return respondJson(call, 201, answer, { location: `/v1/uploads/${ticket.id}` });
  },
);

const receivedSchema = named(
  "ReceivedUpload",
  "A file that is durable and will be processed.",
  z.object({ id: z.string(), state: z.literal("received"), events: z.int(), bytes: z.int(), sha256: z.string() }),
);

const putContent = endpoint(
  {
    method: "PUT",
    path: "/v1/uploads/{id}/content",
    operationId: "sendUploadContent",
    summary: "Send the file of an upload",
    description:
      "Where the links of `createUpload` lead when this server keeps the files itself. Needs no API key: the link is signed.",
    tag: "uploads",
    access: "link",
    params,
    body: {
      "text/csv": { schema: null, example: "id,total,country,at\no-1001,18.5,DE,2026-01-31T12:00:00Z\n" },
      "application/x-ndjson": { schema: null, example: '{"id":"o-1001","total":18.5,"country":"DE"}\n' },
      "application/json": { schema: z.unknown(), example: [{ id: "o-1001", total: 18.5, country: "DE" }] },
    },
    responses: {
      200: {
        description: "The file is durable.",
        content: {
          "application/json": {
            schema: receivedSchema,
            example: { id, state: "received", events: 812, bytes: 48_211, sha256 },
          },
        },
      },
    },
    problems: [
      ...([
        "LINK_INVALID",
        "LINK_EXPIRED",
        "UPLOAD_UNKNOWN",
        "STREAM_UNKNOWN",
        "STATE_CONFLICT",
        "BODY_INVALID",
      ] as const),
      ...(["BODY_TOO_LARGE", "BODY_TRUNCATED", "BODY_TOO_SLOW", "CONTENT_TYPE_UNSUPPORTED", "CSV_INVALID"] as const),
      ...(["JSON_INVALID", "JSON_TOO_DEEP", "JSON_KEY_DUPLICATE", "NUMBER_NOT_EXACT", "UTF8_INVALID"] as const),
      ...(["EVENTS_TOO_MANY", "EVENT_TOO_LARGE", "ENCODING_UNSUPPORTED", "TOO_BUSY", "NOT_DURABLE"] as const),
    ],
  },
  async (call) => {
    const { services, request, environment } = call;
    const link = services.verifyUploadLink(request.url);
    if (link.key !== uploadKeys(call.params.id)?.raw) {
      throw new EventPulseError("LINK_INVALID", "The link belongs to another upload.");
    }
    if (request.headers.has("content-encoding")) {
      throw new EventPulseError(
        "ENCODING_UNSUPPORTED",
        "Send the file as it is: its length and checksum are part of the link.",
      );
    }
    const ticket = await knownTicket(services, call.params.id);
    const contract = knownContract(services, ticket.stream);
    const body = await environment.readBody(link.bytes);
    const contentType = request.headers.get("content-type");
    const received = await receiveUpload(services, {
      link,
      ticket,
      contract,
      contentType,
      body,
      receivedAt: Date.now(),
    });
    return respondJson(call, 200, { id: ticket.id, state: "received", ...received, bytes: body.length });
  },
);

const statusSchema = named(
  "Upload",
  "An upload, and what became of its events.",
  z.object({
    id: z.string(),
    state: z.enum(["waiting", "received", "processed", "expired"]),
    stream: z.string(),
    fileName: z.string(),
    contentType: z.string(),
    bytes: z.int(),
    expiresAt: timeText("End of the link."),
    receivedAt: timeText("When the file had arrived; null before.").nullable(),
    result: described(
      "Events of the file by what became of them; null until they are processed.",
      z
        .object({
          stored: z.int(),
          dropped: z.int(),
          quarantined: z.int(),
          dead: z.int(),
          retrying: z.int(),
          duplicates: z.int(),
        })
        .nullable(),
    ),
    failures: described("Where the failures of its events are; null when there are none.", z.string().nullable()),
    notice: described(
      "For who uploaded it: which rows could not be taken, why, and what to do, in plain words. Null when there are none.",
      z.string().nullable(),
    ),
  }),
);

const getUpload = endpoint(
  {
    method: "GET",
    path: "/v1/uploads/{id}",
    operationId: "getUpload",
    summary: "Get the state of an upload",
    tag: "uploads",
    params,
    responses: {
      200: {
        description: "The upload.",
        content: {
          "application/json": {
            schema: statusSchema,
            example: {
              id,
              state: "processed",
              stream: "orders",
              fileName: "january.csv",
              contentType: "text/csv",
              bytes: 48_211,
              expiresAt: "2026-01-31T12:15:00.000Z",
              receivedAt: "2026-01-31T12:00:20.120Z",
              result: { stored: 809, dropped: 0, quarantined: 3, dead: 0, retrying: 0, duplicates: 0 },
              failures: "/v1/failures?stream=orders&from=2026-01-31T12%3A00%3A20.120Z",
              notice: [
                "january.csv: 3 of 812 rows could not be taken.",
                "",
                '- "total" must be a number: rows 17, 203 and 640',
                "",
                "The line of names is row 1; empty lines do not count. They are kept as you sent them until 2026-02-07.",
                'Correct these rows and upload them again, without the others; or ask the owner of "orders" to replay them.',
              ].join("\n"),
            },
          },
        },
      },
    },
    problems: ["UPLOAD_UNKNOWN"],
  },
  async (call) => {
    const ticket = await knownTicket(call.services, call.params.id);
    // Another tenant's upload does not exist for this one.
    if (ticket.tenant !== call.principal.tenant) throw unknownUpload();
    return respondJson(call, 200, statusView(await uploadStatus(call.services, ticket, Date.now())));
  },
);

function statusView({ ticket, state, receivedAt, result, notice }: UploadStatus): z.input<typeof statusSchema> {
  const { id, stream, fileName, contentType, bytes } = ticket;
  const failed = result !== null && result.quarantined + result.dead > 0;
  const arrived = receivedAt === null ? null : new Date(receivedAt).toISOString();
  return {
    ...{ id, state, stream, fileName, contentType, bytes },
    expiresAt: new Date(ticket.expiresAt).toISOString(),
    receivedAt: arrived,
    result: result === null ? null : countsOf(result),
    failures: failed && arrived !== null ? `/v1/failures?${new URLSearchParams({ stream, from: arrived })}` : null,
    notice,
  };
}

function countsOf({ stored, dropped, quarantined, dead, retrying, duplicates }: NonNullable<UploadStatus["result"]>) {
  return { stored, dropped, quarantined, dead, retrying, duplicates };
}

async function knownTicket(services: Parameters<typeof uploadTicket>[0], id: string): Promise<UploadTicket> {
  const ticket = await uploadTicket(services, id);
  if (ticket === null) throw unknownUpload();
  return ticket;
}

function unknownUpload(): EventPulseError {
  return new EventPulseError("UPLOAD_UNKNOWN", "No upload has this id; POST /v1/uploads makes one.");
}

export const uploadsRoutes: readonly Endpoint[] = [postUpload, putContent, getUpload];
