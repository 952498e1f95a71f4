import * as z from "zod";
import type { StoredRecord } from "../model/record.ts";
import { described, named, timeText } from "./described.ts";

export const recordSchema = named(
  "Record",
  "The validated, transformed result of one event.",
  z.object({
    id: described("`evt_` and 32 hex digits; sorts by event time.", z.string()),
    stream: z.string(),
    time: timeText("When the event happened."),
    receivedAt: timeText("When it was accepted."),
    eventId: described("The id the client gave; null when it was assigned.", z.string().nullable()),
    attributes: described(
      "CloudEvents attributes; null for plain events.",
      z.record(z.string(), z.string()).nullable(),
    ),
    data: described("What the stream's transform made of the event, or the event itself.", z.unknown()),
    rawKey: described("The raw object it came from.", z.string()),
    rawIndex: described("Its place in the raw object, from 0.", z.int()),
  }),
);

export const recordExample = {
  id: "evt_4199c2bd4c003f1d8a5be27c90aa1b2c",
  stream: "orders",
  time: "2026-01-31T12:00:00.000Z",
  receivedAt: "2026-01-31T12:00:00.412Z",
  eventId: "o-1001",
  attributes: null,
  data: { id: "o-1001", total: 18.5, country: "DE", at: "2026-01-31T12:00:00Z", cents: 1850 },
  rawKey: "raw/orders/2026/01/31/000000000000a3f0",
  rawIndex: 0,
};

/** A record as the API and the live tail show it. The stored JSON goes in as text, so numbers and key order stay as they are. */
export function recordJson(record: StoredRecord): string {
  return (
    `{"id":${JSON.stringify(record.id)},"stream":${JSON.stringify(record.stream)},` +
    `"time":"${new Date(record.time).toISOString()}","receivedAt":"${new Date(record.receivedAt).toISOString()}",` +
    `"eventId":${JSON.stringify(record.eventId)},"attributes":${record.attributesJson ?? "null"},` +
    `"data":${record.dataJson},"rawKey":${JSON.stringify(record.rawKey)},"rawIndex":${record.rawIndex}}`
  );
}
