import type { AuditDraft } from "../model/audit.ts";
import type { Issue, IssueNotice, IssueState, IssueTrend } from "../model/issue.ts";
import type { NotificationDraft } from "../model/notification.ts";
import type { Page, PageRequest } from "../model/page.ts";

export interface IssueQuery extends PageRequest {
  readonly tenant: string;
  readonly stream: string | null;
  readonly state: IssueState | null;
  readonly code: string | null;
}

/** What a person changes; what is left out stays. */
export interface IssueChange {
  readonly state?: IssueState;
  readonly owner?: string | null;
  readonly note?: string | null;
}

/** An issue of which something happened since its owner's notice was last decided, and that notice. */
export interface UnnoticedIssue {
  readonly issue: Issue;
  readonly notice: IssueNotice | null;
}

/**
 * Failures grouped by cause. Rows come to be and keep their counts in the commits that write, end, discard and expire
 * failures: an issue is never out of step with the failure log.
 */
export interface IssueLog {
  /** Descending by (last seen, id). Under 100 ms whatever the number of failures. Throws CURSOR_INVALID. */
  query(query: IssueQuery): Promise<Page<Issue>>;
  get(tenant: string, id: string): Promise<Issue | null>;
  /** Failures by the hour they were first seen, from `since` on. */
  trend(tenant: string, id: string, since: number): Promise<IssueTrend>;
  /** Throws ETAG_STALE when `version` (null: any) is not the stored one. Null when there is none. The audit entry is part of the commit. */
  change(
    tenant: string,
    id: string,
    version: number | null,
    change: IssueChange,
    audit: AuditDraft,
  ): Promise<Issue | null>;
  /**
   * Up to `max` issues with new failures or a new state since `settleNotice`, and those that were noticed as other than
   * `stopped` and have not been seen since `quietBefore`.
   */
  unnoticed(quietBefore: number, max: number): Promise<readonly UnnoticedIssue[]>;
  /**
   * Records what was decided about an issue as it was read, and the notifications, in one commit. An issue that changed
   * meanwhile stays unnoticed.
   */
  settleNotice(issue: Issue, notice: IssueNotice | null, notifications: readonly NotificationDraft[]): Promise<void>;
}
