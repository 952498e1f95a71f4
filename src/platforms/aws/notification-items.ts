import type { NotificationDraft } from "../../model/notification.ts";
import type { ItemKey } from "./item.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** Of all items that `writeNotifications` may write. */
export function notificationKeys(_drafts: readonly NotificationDraft[]): readonly ItemKey[] {
  throw new Error("to be written");
}

/**
 * Within a unit: writes the notifications of an outcome. An id that exists changes nothing. Within the cooldown of its group
 * a notification is only counted; the next one that is written says how many were held back.
 */
export async function writeNotifications(
  _unit: UnitOfWork,
  _drafts: readonly NotificationDraft[],
  _now: number,
): Promise<void> {
  throw new Error("to be written");
}
