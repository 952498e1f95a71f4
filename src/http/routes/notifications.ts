import * as z from "zod";
import { type Destination, type Notification, notificationTopics } from "../../model/notification.ts";
import { described, named, timeText } from "../described.ts";
import type { Endpoint } from "../endpoint.ts";
import { listEndpoint } from "../list-endpoint.ts";

const notificationSchema = named(
  "Notification",
  "Something that people were told, or would have been told had a mail server or webhook been set.",
  z.object({
    id: z.string(),
    topic: described(
      "`anomaly`: an incident has opened; `escalation`: it has become critical; `recovery`: it is over.",
      z.enum(notificationTopics),
    ),
    stream: z.string(),
    subject: z.string(),
    text: z.string(),
    data: z.record(z.string(), z.unknown()),
    destinations: z.array(
      z.object({
        kind: z.enum(["email", "webhook"]),
        address: described("Mail address, or the webhook's URL without its query and user info.", z.string()),
      }),
    ),
    state: described(
      "`captured`: kept here only, nobody could be reached.",
      z.enum(["pending", "delivered", "captured", "failed"]),
    ),
    attempts: z.int(),
    createdAt: timeText("When it was decided."),
    suppressed: described("How many like it were held back since the one before.", z.int()),
    lastError: z.string().nullable(),
  }),
);

const example = {
  id: "ntf_7c1e90ab34d2f865",
  topic: "anomaly" as const,
  stream: "orders",
  subject: "CRITICAL orders: cents of DE is 185000, expected 900 to 4200",
  text: "cents of DE was 185000, expected 900 to 4200, at 2026-01-31 12:00:00 UTC. …",
  data: {
    incident: { id: "inc_019c143ee8001b7d20c96e5fa8340d12", rule: "spend", key: "DE", severity: "critical", points: 1 },
    anomalyId: "anom_5f0c2b9e1a7d4c38",
  },
  destinations: [{ kind: "email" as const, address: "ops@example.com" }],
  state: "captured" as const,
  attempts: 0,
  createdAt: "2026-01-31T12:00:01.003Z",
  suppressed: 0,
  lastError: null,
};

const listNotifications = listEndpoint(
  {
    path: "/v1/notifications",
    operationId: "listNotifications",
    summary: "List notifications",
    description: "The inbox of everything that was sent or captured, newest first.",
    tag: "operations",
  },
  {
    name: "NotificationPage",
    words: "notifications",
    schema: notificationSchema,
    example,
    json: (row: Notification) => JSON.stringify(notificationView(row)),
  },
  (call, query) => call.services.notifications.query(query),
);

function notificationView({ tenant: _, ...notification }: Notification): z.input<typeof notificationSchema> {
  return {
    ...notification,
    data: { ...notification.data },
    destinations: notification.destinations.map(destinationView),
    createdAt: new Date(notification.createdAt).toISOString(),
  };
}

/** A webhook's secret, query and user info are credentials: they stay inside. */
function destinationView(destination: Destination): { kind: "email" | "webhook"; address: string } {
  if (destination.kind === "email") return { kind: "email", address: destination.address };
  const url = URL.parse(destination.url);
  return { kind: "webhook", address: url === null ? "not a URL" : `${url.origin}${url.pathname}` };
}

export const notificationsRoutes: readonly Endpoint[] = [listNotifications];
