import { limits } from "../../model/limits.ts";
import type { Destination, Notification, NotificationDraft } from "../../model/notification.ts";
import type { NotificationLog } from "../../ports/notification-log.ts";
import type { Clock, Database } from "./database.ts";
import { type KeysetList, keysetPage } from "./keyset-page.ts";

interface NotificationRow extends Omit<Notification, "data" | "destinations"> {
  readonly data: string;
  readonly destinations: string;
}

const select = `SELECT id, tenant, topic, stream, subject, text, data, destinations, state, attempts, created_at AS createdAt,
  suppressed, last_error AS lastError, created_at AS page_time, id AS page_id FROM notifications`;
const list: KeysetList = { kind: "notifications", select, timeColumn: "created_at", idColumn: "id" };

/** Notifications in the embedded database. `get` and `query` work on a reading connection too. */
export function sqliteNotificationLog(database: Database, clock: Clock): NotificationLog {
  return {
    async due(max) {
      const rows = database.all<NotificationRow>(
        `${select} WHERE state = 'pending' AND due_at <= ? ORDER BY created_at, id LIMIT ?`,
        clock(),
        Math.min(max, limits.pageRowsMax),
      );
      return rows.map(toNotification);
    },
    async settle(id, state, error, delayMillis) {
      database.run(
        "UPDATE notifications SET state = ?, attempts = attempts + 1, last_error = ?, due_at = ? WHERE id = ?",
        state,
        error,
        clock() + delayMillis,
        id,
      );
    },
    async get(tenant, id) {
      const row = database.get<NotificationRow>(`${select} WHERE tenant = ? AND id = ?`, tenant, id);
      return row && toNotification(row);
    },
    async query(request) {
      const { rows, next } = keysetPage<NotificationRow>(database, list, [["tenant = ?", request.tenant]], request);
      return { rows: rows.map(toNotification), next };
    },
  };
}

/**
 * Writes the notifications of an outcome. An id that exists changes nothing. Within the cooldown of its group a
 * notification is only counted; the next one that is written says how many were held back. One that follows others is
 * written whenever one of them was, else never.
 */
export function writeNotifications(database: Database, drafts: readonly NotificationDraft[], now: number): void {
  const exists = (id: string) => database.get("SELECT 1 FROM notifications WHERE id = ?", id) !== null;
  for (const draft of drafts) {
    if (exists(draft.id)) continue;
    const { follows, more } = draft.incident ?? { follows: [], more: 0 };
    if (follows.length > 0) {
      // Lists and delivery go by this time: behind what it follows, though both are decided at once.
      if (follows.some(exists)) insertNotification(database, draft, 0, now + 1);
      continue;
    }
    const group = database.get<{ last_created_at: number; suppressed: number }>(
      "SELECT last_created_at, suppressed FROM notification_groups WHERE tenant = ? AND name = ?",
      draft.tenant,
      draft.group,
    );
    if (group !== null && now - group.last_created_at < draft.cooldownMillis) {
      database.run(
        "UPDATE notification_groups SET suppressed = suppressed + ? WHERE tenant = ? AND name = ?",
        1 + more,
        draft.tenant,
        draft.group,
      );
      continue;
    }
    insertNotification(database, draft, group?.suppressed ?? 0, now);
    database.run(
      `INSERT INTO notification_groups VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET last_created_at = excluded.last_created_at, suppressed = excluded.suppressed`,
      draft.tenant,
      draft.group,
      now,
      more,
    );
  }
}

function insertNotification(database: Database, draft: NotificationDraft, suppressed: number, now: number): void {
  database.run(
    `INSERT INTO notifications (id, tenant, topic, stream, subject, text, data, destinations, state, attempts, created_at,
       due_at, suppressed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?)`,
    draft.id,
    draft.tenant,
    draft.topic,
    draft.stream,
    draft.subject,
    draft.text,
    JSON.stringify(draft.data),
    JSON.stringify(draft.destinations),
    now,
    now,
    suppressed,
  );
}

function toNotification(row: NotificationRow): Notification {
  return {
    id: row.id,
    tenant: row.tenant,
    topic: row.topic,
    stream: row.stream,
    subject: row.subject,
    text: row.text,
    data: JSON.parse(row.data) as Record<string, unknown>,
    destinations: JSON.parse(row.destinations) as Destination[],
    state: row.state,
    attempts: row.attempts,
    createdAt: row.createdAt,
    suppressed: row.suppressed,
    lastError: row.lastError,
  };
}
