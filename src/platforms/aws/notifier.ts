import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import { EventPulseError } from "../../model/error.ts";
import type { Destination, Notification, NotificationTopic } from "../../model/notification.ts";
import type { Mail, Mailer } from "../../ports/mailer.ts";
import type { Notifier } from "../../ports/notifier.ts";

export interface SnsNotifierOptions {
  /** Null: no sender is set, so what goes to mail addresses is published instead, for whoever has subscribed. */
  readonly mailer: Mailer | null;
  readonly client: SNSClient;
  /** Null: there is no such topic. */
  readonly topicArns: { readonly alerts: string | null; readonly failures: string | null };
  readonly outgoing: {
    mail(notification: Notification, address: string): Mail;
    postWebhook(notification: Notification, destination: Extract<Destination, { kind: "webhook" }>): Promise<void>;
  };
}

const topicOf = {
  anomaly: "alerts",
  escalation: "alerts",
  recovery: "alerts",
  rule: "alerts",
  failures: "failures",
  upload: "failures",
} as const satisfies Record<NotificationTopic, keyof SnsNotifierOptions["topicArns"]>;

/** SNS takes up to 100 characters of ASCII, and no line break, as the subject of a message. */
const subjectCharactersMax = 100;

/**
 * Mail through SES or, without a sender, to the SNS topic of alerts or of failures; webhooks from this function. A topic is
 * told once of a notification, however many addresses it has: its subscriptions say who gets it.
 */
export function snsNotifier({ mailer, client, topicArns, outgoing }: SnsNotifierOptions): Notifier {
  return {
    async notify(notification, destination) {
      if (destination.kind === "webhook") {
        await outgoing.postWebhook(notification, destination);
        return "delivered";
      }
      const mail = outgoing.mail(notification, destination.address);
      if (mailer !== null) return (await mailer.send(mail)) === "sent" ? "delivered" : "captured";
      const topicArn = topicArns[topicOf[notification.topic]];
      if (topicArn === null) return "captured";
      const first = notification.destinations.find(({ kind }) => kind === "email") ?? destination;
      if (isAddress(first, destination.address)) await publish(client, topicArn, notification, mail);
      return "delivered";
    },
  };
}

function isAddress(destination: Destination, address: string): boolean {
  return destination.kind === "email" && destination.address === address;
}

async function publish(
  client: SNSClient,
  topicArn: string,
  { id, tenant, topic, stream }: Notification,
  { subject, text }: Mail,
): Promise<void> {
  const attribute = (value: string) => ({ DataType: "String", StringValue: value });
  try {
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Subject: subjectOf(subject),
        Message: text,
        // For filters of subscriptions, and so that a second delivery can be told from another notification.
        MessageAttributes: {
          id: attribute(id),
          tenant: attribute(tenant),
          topic: attribute(topic),
          stream: attribute(stream),
        },
      }),
    );
  } catch (cause) {
    const message = `The SNS topic ${topicArn} did not take the notification ${id}; see whether it is there and may be published to.`;
    throw new EventPulseError("DELIVERY_FAILED", message, { cause });
  }
}

/** What SNS takes of a subject: other characters become "?", and it begins with one that is visible. */
export function subjectOf(text: string): string {
  const ascii = text
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replaceAll(/[^ -~]/gu, "?")
    .trim();
  if (ascii.length <= subjectCharactersMax) return ascii === "" ? "EventPulse" : ascii;
  return `${ascii.slice(0, subjectCharactersMax - 3).trimEnd()}...`;
}
