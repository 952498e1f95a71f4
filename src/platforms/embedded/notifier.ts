import type { Destination, Notification } from "../../model/notification.ts";
import type { Mail, Mailer } from "../../ports/mailer.ts";
import type { Notifier } from "../../ports/notifier.ts";

export interface EmbeddedNotifierOptions {
  readonly mailer: Mailer;
  readonly outgoing: {
    mail(notification: Notification, address: string): Mail;
    postWebhook(notification: Notification, destination: Extract<Destination, { kind: "webhook" }>): Promise<void>;
  };
}

/** Mail through the given mailer, webhooks from this process. */
export function embeddedNotifier({ mailer, outgoing }: EmbeddedNotifierOptions): Notifier {
  return {
    async notify(notification, destination) {
      if (destination.kind === "webhook") {
        await outgoing.postWebhook(notification, destination);
        return "delivered";
      }
      const result = await mailer.send(outgoing.mail(notification, destination.address));
      return result === "sent" ? "delivered" : "captured";
    },
  };
}
