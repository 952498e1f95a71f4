import { type AuditDraft, type AuditEntry, auditEntry } from "../../model/audit.ts";
import { decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { limits } from "../../model/limits.ts";
import type { AuditLog } from "../../ports/audit-log.ts";
import type { Clock, Database } from "./database.ts";
import type { Filter } from "./keyset-page.ts";

interface AuditRow extends Omit<AuditEntry, "details"> {
  readonly details: string;
}

const select = `SELECT tenant, sequence, at, actor, action, target, reason, hash_before AS hashBefore,
  hash_after AS hashAfter, details, previous_hash AS previousHash, hash FROM audit`;

/** The audit log in the embedded database. `query` works on a reading connection too. */
export function sqliteAuditLog(database: Database, clock: Clock): AuditLog {
  return {
    async append(draft) {
      return database.transaction(() => insertAudit(database, clock, draft));
    },
    async query({ tenant, action, target, actor, from, to, limit, cursor }) {
      const after = cursor === null ? null : (decodeCursor("audit", cursor, ["number"])[0] ?? null);
      const filters: readonly Filter[] = [
        ["tenant = ?", tenant],
        ["sequence > ?", after],
        ["action = ?", action],
        ["target = ?", target],
        ["actor = ?", actor],
        ["at >= ?", from],
        ["at < ?", to],
      ];
      const used = filters.filter(([, value]) => value !== null);
      const rowsMax = Math.min(Math.max(1, limit), limits.pageRowsMax);
      const rows = database.all<AuditRow>(
        `${select} WHERE ${used.map(([sql]) => sql).join(" AND ")} ORDER BY sequence LIMIT ?`,
        ...used.map(([, value]) => value),
        rowsMax + 1,
      );
      const last = rows.length > rowsMax ? rows[rowsMax - 1] : undefined;
      return {
        rows: rows.slice(0, rowsMax).map(toEntry),
        next: last === undefined ? null : encodeCursor("audit", [last.sequence]),
      };
    },
  };
}

/** Appends an entry inside a transaction of the caller, so that a change and its entry are kept together or not at all. */
export function insertAudit(database: Database, clock: Clock, draft: AuditDraft): AuditEntry {
  const last = database.get<AuditRow>(`${select} WHERE tenant = ? ORDER BY sequence DESC LIMIT 1`, draft.tenant);
  const entry = auditEntry(draft, last && toEntry(last), clock());
  database.run(
    `INSERT INTO audit (tenant, sequence, at, actor, action, target, reason, hash_before, hash_after, details,
       previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    entry.tenant,
    entry.sequence,
    entry.at,
    entry.actor,
    entry.action,
    entry.target,
    entry.reason,
    entry.hashBefore,
    entry.hashAfter,
    JSON.stringify(entry.details),
    entry.previousHash,
    entry.hash,
  );
  return entry;
}

function toEntry(row: AuditRow): AuditEntry {
  return { ...row, details: JSON.parse(row.details) as AuditEntry["details"] };
}
