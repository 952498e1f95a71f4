import type { AuditAction, AuditDraft } from "../model/audit.ts";
import type { KnownScope } from "./scope.ts";

/** The audit entry of what the principal of a request does. */
export function auditDraft(
  { principal }: KnownScope,
  action: AuditAction,
  target: string,
  more: Partial<Pick<AuditDraft, "reason" | "hashBefore" | "hashAfter" | "details">>,
): AuditDraft {
  const { tenant, name: actor } = principal;
  return { tenant, actor, action, target, reason: null, hashBefore: null, hashAfter: null, details: {}, ...more };
}
