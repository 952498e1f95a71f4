import type { Notification, NotificationDraft } from "../../model/notification.ts";
import { entityOf, type Item, type ItemKey, ttlOf } from "./item.ts";
import { itemKeys, listKeys, timeAndId } from "./item-keys.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** A notification as kept: what people see, and when it is due. */
export interface StoredNotification extends Notification {
  readonly dueAt: number;
}

/** What is kept of a group: when its last notification was written, and how many were held back since. */
interface NotificationGroup {
  readonly lastCreatedAt: number;
  readonly suppressed: number;
}

/** Notifications are read for a while after they were sent; pending ones stay until they are settled. */
const keptMillis = 30 * 24 * 60 * 60 * 1000;

/** The item of a notification, with its place in the lists. */
export function notificationItem(notification: StoredNotification): Item {
  const { id, tenant, state, createdAt, dueAt } = notification;
  const lists = { g1p: listKeys.notifications(tenant), g1s: timeAndId(createdAt, id) };
  const item = { ...itemKeys.notification(id), j: JSON.stringify(notification), ...lists };
  return state === "pending"
    ? { ...item, g2p: listKeys.notificationsPending, g2s: timeAndId(dueAt, id) }
    : { ...item, ttl: ttlOf(createdAt + keptMillis) };
}

/** What people see of it. */
export function toNotification({ dueAt: _dueAt, ...notification }: StoredNotification): Notification {
  return notification;
}

/** Of all items that `writeNotifications` may write. */
export function notificationKeys(drafts: readonly NotificationDraft[]): readonly ItemKey[] {
  return drafts.flatMap(({ id, tenant, group }) => [
    itemKeys.notification(id),
    itemKeys.notificationGroup(tenant, group),
  ]);
}

/**
 * Within a unit: writes the notifications of an outcome. An id that exists changes nothing. Within the cooldown of its group
 * a notification is only counted; the next one that is written says how many were held back. One that follows others is
 * written whenever one of them was, else never.
 */
export async function writeNotifications(
  unit: UnitOfWork,
  drafts: readonly NotificationDraft[],
  now: number,
): Promise<void> {
  await unit.loadAll([...notificationKeys(drafts), ...drafts.flatMap(followedKeys)]);
  for (const draft of drafts) {
    const { id, tenant, group: name, cooldownMillis, incident } = draft;
    const groupKey = itemKeys.notificationGroup(tenant, name);
    const [known, groupItem] = await unit.loadAll([itemKeys.notification(id), groupKey]);
    if (known != null) continue;
    const followed = await unit.loadAll(followedKeys(draft));
    if (followed.length > 0) {
      // Lists and delivery go by this time: behind what it follows, though both are decided at once.
      if (followed.some((item) => item !== null)) unit.put(newItem(draft, 0, now + 1));
      continue;
    }
    const more = incident?.more ?? 0;
    const before = groupItem == null ? null : entityOf<NotificationGroup>(groupItem);
    const heldBack = before !== null && now - before.lastCreatedAt < cooldownMillis;
    const group: NotificationGroup = heldBack
      ? { ...before, suppressed: before.suppressed + 1 + more }
      : { lastCreatedAt: now, suppressed: more };
    // Forgotten with its last notification, unless it holds back for longer.
    const until = group.lastCreatedAt + Math.max(keptMillis, cooldownMillis);
    unit.put({ ...groupKey, j: JSON.stringify(group), ttl: ttlOf(until) });
    if (!heldBack) unit.put(newItem(draft, before?.suppressed ?? 0, now));
  }
}

function followedKeys({ incident }: NotificationDraft): readonly ItemKey[] {
  return (incident?.follows ?? []).map(itemKeys.notification);
}

function newItem(draft: NotificationDraft, suppressed: number, now: number): Item {
  const { group: _group, cooldownMillis: _cooldown, incident: _incident, ...shown } = draft;
  const delivery = { state: "pending", attempts: 0, createdAt: now, suppressed, lastError: null, dueAt: now } as const;
  return notificationItem({ ...shown, ...delivery });
}
