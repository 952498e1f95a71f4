import type { Notification, NotificationState } from "../model/notification.ts";
import type { Page, PageRequest } from "../model/page.ts";

/** Notifications decided in outcomes: the outbox they wait in and the inbox they can be read in afterwards. */
export interface NotificationLog {
  /** Up to `max` pending notifications of all tenants that are due, oldest first. */
  due(max: number): Promise<readonly Notification[]>;
  /** Records an attempt. `pending` asks for another after `delayMillis`. */
  settle(id: string, state: NotificationState, error: string | null, delayMillis: number): Promise<void>;
  /** One by its id; null when there is none, or it is another tenant's. */
  get(tenant: string, id: string): Promise<Notification | null>;
  /** Of one tenant, newest first. Throws CURSOR_INVALID. */
  query(request: PageRequest & { readonly tenant: string }): Promise<Page<Notification>>;
}
