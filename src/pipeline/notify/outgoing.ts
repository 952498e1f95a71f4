import { createHash } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { EventPulseError } from "../../model/error.ts";
import type { Destination, Notification, NotificationTopic } from "../../model/notification.ts";
import type { Mail } from "../../ports/mailer.ts";

export interface OutgoingOptions {
  /** Signs webhooks whose destination has no secret of its own: `whsec_` and 24 to 64 bytes of base64. */
  readonly webhookSecret: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly fetch: typeof fetch;
}

/** What a notification looks like on its way out, the same on every platform. */
export interface Outgoing {
  mail(notification: Notification, address: string): Mail;
  /** A signed POST by Standard Webhooks 1.0 (https://www.standardwebhooks.com). Throws DELIVERY_FAILED. */
  postWebhook(notification: Notification, destination: Extract<Destination, { kind: "webhook" }>): Promise<void>;
}

/** Standard Webhooks 1.0 advises 15 to 30 s; ten keep one dead receiver from holding up the others. */
const webhookTimeoutMillis = 10_000;

/** Event types as Standard Webhooks 1.0 names them: what happened, to what. */
const webhookTypes = {
  anomaly: "anomaly.opened",
  escalation: "anomaly.escalated",
  recovery: "anomaly.recovered",
  rule: "rule.failed",
  failures: "failures.recorded",
  upload: "upload.processed",
} as const satisfies Record<NotificationTopic, string>;

export function outgoing(options: OutgoingOptions): Outgoing {
  return {
    mail: (notification, address) => ({
      id: mailId(notification, address),
      to: [address],
      subject: `[EventPulse] ${notification.subject}`,
      text: mailText(notification),
      html: null,
    }),
    postWebhook: (notification, destination) => postWebhook(notification, destination, options),
  };
}

/** One id per receiver: two receivers of one notification get two mails, a second delivery to one of them has the same id. */
function mailId(notification: Notification, address: string): string {
  const receiver = createHash("sha256").update(`${notification.id}\n${address}`).digest("hex").slice(0, 16);
  return `${notification.id.slice(0, 40)}-${receiver}`;
}

function mailText(notification: Notification): string {
  const heldBack =
    notification.suppressed === 0
      ? ""
      : `\n${notification.suppressed} more like this were held back since the last mail.\n`;
  const { tenant, stream, id } = notification;
  return `${notification.text.trimEnd()}\n${heldBack}\n-- \nTenant ${tenant}, stream ${stream}, notification ${id}\n`;
}

async function postWebhook(
  notification: Notification,
  destination: Extract<Destination, { kind: "webhook" }>,
  { webhookSecret, clock, fetch: send }: OutgoingOptions,
): Promise<void> {
  const body = JSON.stringify({
    type: webhookTypes[notification.topic],
    timestamp: new Date(notification.createdAt).toISOString(),
    data: {
      id: notification.id,
      tenant: notification.tenant,
      stream: notification.stream,
      subject: notification.subject,
      text: notification.text,
      suppressed: notification.suppressed,
      details: notification.data,
    },
  });
  const failed = (reason: string, cause?: unknown) =>
    new EventPulseError("DELIVERY_FAILED", `The webhook at ${place(destination.url)} ${reason}.`, { cause });
  const secret = destination.secret ?? webhookSecret;
  const headers = signedHeaders(notification.id, body, secret, new Date(clock()), failed);
  let response: Response;
  try {
    response = await send(destination.url, {
      method: "POST",
      headers,
      body,
      // A redirect would send the signed body to an address that nobody configured.
      redirect: "manual",
      signal: AbortSignal.timeout(webhookTimeoutMillis),
    });
  } catch (cause) {
    throw failed(
      isTimeout(cause) ? `did not answer within ${webhookTimeoutMillis / 1000} s` : "cannot be reached",
      cause,
    );
  }
  // The answer's body means nothing here; leaving it unread would hold the connection.
  await response.body?.cancel().catch(() => undefined);
  if (response.status < 200 || response.status > 299) throw failed(`answered ${response.status}, expected 2xx`);
}

function signedHeaders(
  id: string,
  body: string,
  secret: string,
  sentAt: Date,
  failed: (reason: string, cause: unknown) => EventPulseError,
): Record<string, string> {
  try {
    return {
      "content-type": "application/json",
      "user-agent": "eventpulse",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign(id, sentAt, body),
    };
  } catch (cause) {
    throw failed('cannot be signed: its secret is not "whsec_" and base64', cause);
  }
}

/** Scheme, host and path: query and user info of a webhook's URL are often its password. */
function place(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "an address that is no URL" : `${parsed.origin}${parsed.pathname}`;
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}
