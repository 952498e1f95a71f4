import type { Destination, Notification } from "../model/notification.ts";

/**
 * Delivers one notification to one destination. At least once: the receiver recognises a second delivery by the
 * notification's id (`webhook-id`, Message-ID).
 */
export interface Notifier {
  /**
   * `delivered`: the receiver has it. `captured`: this platform has no way to reach that kind of destination configured, so
   * it stays in the inbox. Throws DELIVERY_FAILED when a try may be worth repeating; webhooks time out after 10 s and do
   * not follow redirects.
   */
  notify(notification: Notification, destination: Destination): Promise<"delivered" | "captured">;
}
