import { type AuditDraft, type AuditEntry, auditEntry } from "../../model/audit.ts";
import { decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { limits } from "../../model/limits.ts";
import type { AuditLog, AuditQuery } from "../../ports/audit-log.ts";
import { entityOf, type ItemKey } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** Entries looked at for one page; a page ends early, with a cursor, instead of reading for minutes. */
const scannedMax = 5_000;

/** The audit log in the table: one partition a tenant, in its order. */
export function dynamoAuditLog(table: Table): AuditLog {
  let last: Promise<unknown> = Promise.resolve();
  return {
    async append(draft) {
      // One after the other: those of one process would only lose races against each other.
      const appended = last.then(() => transaction(table, (unit) => appendAudit(unit, draft)));
      last = appended.catch(() => {});
      return appended;
    },
    async query(query) {
      const { tenant, limit, cursor } = query;
      let after = cursor === null ? 0 : Number(decodeCursor("audit", cursor, ["number"])[0]);
      const rowsMax = Math.min(Math.max(1, limit), limits.pageRowsMax);
      const partition = itemKeys.audit(tenant, 0).pk;
      const rows: AuditEntry[] = [];
      let scanned = 0;
      for await (const item of table.queryAll({ index: null, partition, from: itemKeys.audit(tenant, after + 1).sk })) {
        const entry = entityOf<AuditEntry>(item);
        if (scanned++ === scannedMax) return { rows, next: encodeCursor("audit", [after]) };
        if (fits(entry, query)) {
          if (rows.length === rowsMax) return { rows, next: encodeCursor("audit", [after]) };
          rows.push(entry);
        }
        after = entry.sequence;
      }
      return { rows, next: null };
    },
  };
}

/**
 * Appends an entry within a unit, so that a change and its entry are kept together or not at all. Those that append at once
 * to one tenant's log race for its head; several in one unit follow each other. Two items, one more for each further entry.
 */
export async function appendAudit(unit: UnitOfWork, draft: AuditDraft): Promise<AuditEntry> {
  const head = await unit.load(headKey(draft.tenant));
  const entry = auditEntry(draft, head && entityOf<AuditEntry>(head), unit.table.clock());
  const j = JSON.stringify(entry);
  unit.put({ ...headKey(draft.tenant), j });
  unit.put({ ...itemKeys.audit(draft.tenant, entry.sequence), j });
  return entry;
}

/** Holds the last entry. Entries count from 1, so 0 is free for it. */
function headKey(tenant: string): ItemKey {
  return itemKeys.audit(tenant, 0);
}

function fits(entry: AuditEntry, { action, target, actor, from, to }: AuditQuery): boolean {
  return (
    (action === null || entry.action === action) &&
    (target === null || entry.target === target) &&
    (actor === null || entry.actor === actor) &&
    (from === null || entry.at >= from) &&
    (to === null || entry.at < to)
  );
}
