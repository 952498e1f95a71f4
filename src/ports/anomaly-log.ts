import type { Anomaly, AnomalyState } from "../model/anomaly.ts";
import type { Page, PageRequest } from "../model/page.ts";

export interface AnomalyQuery extends PageRequest {
  readonly tenant: string;
  readonly stream: string | null;
  readonly rule: string | null;
  readonly state: AnomalyState | null;
  readonly from: number | null;
  readonly to: number | null;
}

/** Anomalies after they were committed with their records; newest first. */
export interface AnomalyLog {
  /** Descending by (time, id). Throws CURSOR_INVALID. */
  query(query: AnomalyQuery): Promise<Page<Anomaly>>;
  get(tenant: string, id: string): Promise<Anomaly | null>;
  /** Changes state and note when `version` is still the stored one, else throws ETAG_STALE. Null when there is no such anomaly. */
  annotate(
    tenant: string,
    id: string,
    version: number,
    change: { readonly state: AnomalyState; readonly note: string | null },
  ): Promise<Anomaly | null>;
}
