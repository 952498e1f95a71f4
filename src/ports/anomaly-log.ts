import type { Anomaly, AnomalyFilter, AnomalyState } from "../model/anomaly.ts";
import type { AuditDraft } from "../model/audit.ts";
import type { Page, PageRequest } from "../model/page.ts";

export interface AnomalyQuery extends AnomalyFilter, PageRequest {
  readonly tenant: string;
}

export interface AnomalyAnnotation {
  readonly state: AnomalyState;
  readonly note: string | null;
}

/** Anomalies after they were committed with their records; newest first. */
export interface AnomalyLog {
  /** Descending by (time, id). Throws CURSOR_INVALID. */
  query(query: AnomalyQuery): Promise<Page<Anomaly>>;
  get(tenant: string, id: string): Promise<Anomaly | null>;
  /**
   * Changes state and note when `version` is still the stored one, else throws ETAG_STALE. Null when there is no such anomaly.
   * With it, in one commit: the false positives of its rule and key (`RecordTable.loadStates`) count one more when the state
   * becomes `false-positive`, one less when it was; and the audit entry, whose details get `falsePositivesBefore` and
   * `falsePositivesAfter`. The count outlives the anomaly.
   */
  annotate(
    tenant: string,
    id: string,
    version: number,
    change: AnomalyAnnotation,
    audit: AuditDraft,
  ): Promise<Anomaly | null>;
}
