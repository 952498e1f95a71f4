import type { AuditAction, AuditDraft, AuditEntry } from "../model/audit.ts";
import type { Page, PageRequest } from "../model/page.ts";

export interface AuditQuery extends PageRequest {
  readonly tenant: string;
  readonly action: AuditAction | null;
  readonly target: string | null;
  readonly actor: string | null;
  /** Inclusive and exclusive. */
  readonly from: number | null;
  readonly to: number | null;
}

/**
 * Who saw and who changed what, for ever: entries are appended, never changed, and each carries the hash of the one before
 * (`auditEntry` of the model), so that a change in the middle shows. What ports change for somebody, they write the entry
 * of in the same commit.
 */
export interface AuditLog {
  /** Durable when it resolves. */
  append(draft: AuditDraft): Promise<AuditEntry>;
  /** Ascending by sequence. Throws CURSOR_INVALID. */
  query(query: AuditQuery): Promise<Page<AuditEntry>>;
}
