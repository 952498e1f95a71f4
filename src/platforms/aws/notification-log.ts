import { limits } from "../../model/limits.ts";
import type { NotificationLog } from "../../ports/notification-log.ts";
import { entityOf, keyText } from "./item.ts";
import { itemKeys, listKeys, timeText } from "./item-keys.ts";
import { listPage } from "./list-page.ts";
import { notificationItem, type StoredNotification, toNotification } from "./notification-items.ts";
import type { Table } from "./table.ts";
import { transaction } from "./unit-of-work.ts";

/** Notifications in the table. */
export function dynamoNotificationLog(table: Table): NotificationLog {
  return {
    async due(max) {
      const now = table.clock();
      const { items } = await table.query({
        index: "g2",
        partition: listKeys.notificationsPending,
        to: timeText(now + 1),
        limit: Math.min(max, limits.pageRowsMax),
      });
      // The list follows the table: what was settled a moment ago would be delivered twice.
      const found = await table.getAll(items);
      return items
        .flatMap((item) => {
          const current = found.get(keyText(item));
          return current === undefined ? [] : [entityOf<StoredNotification>(current)];
        })
        .filter(({ state, dueAt }) => state === "pending" && dueAt <= now)
        .sort((left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1))
        .map(toNotification);
    },
    async settle(id, state, error, delayMillis) {
      await transaction(table, async (unit) => {
        const item = await unit.load(itemKeys.notification(id));
        if (item === null) return;
        const notification = entityOf<StoredNotification>(item);
        const { attempts } = notification;
        const dueAt = table.clock() + delayMillis;
        unit.put(notificationItem({ ...notification, state, attempts: attempts + 1, lastError: error, dueAt }));
      });
    },
    async get(tenant, id) {
      const item = await table.get(itemKeys.notification(id));
      const found = item && toNotification(entityOf<StoredNotification>(item));
      return found?.tenant === tenant ? found : null;
    },
    query: (request) =>
      listPage(
        {
          kind: "notifications",
          table,
          index: "g1",
          partitions: [listKeys.notifications(request.tenant)],
          row: (item) => toNotification(entityOf<StoredNotification>(item)),
        },
        request,
      ),
  };
}
