import type { Anomaly, AnomalyDraft } from "../../model/anomaly.ts";
import { type Item, ttlOf } from "./item.ts";
import { itemKeys, listKeys, timeAndId } from "./item-keys.ts";

/** The item of a new anomaly: derived from the rule and what it is about, so that writing it again writes the same. */
export function anomalyItem(
  tenant: string,
  stream: string,
  draft: AnomalyDraft,
  recordId: string | null,
  expiresAt: number,
): Item {
  const { id, rule, field, key, time, value, verdict, incident, severity } = draft;
  const anomaly: Anomaly = {
    id,
    stream,
    rule,
    field,
    key,
    time,
    value,
    score: verdict.score,
    expectedLow: verdict.expectedLow,
    expectedHigh: verdict.expectedHigh,
    why: verdict.why,
    recordId,
    incident,
    severity,
    state: "open",
    note: null,
    version: 1,
  };
  const place = timeAndId(time, id);
  return {
    ...itemKeys.anomaly(tenant, id),
    j: JSON.stringify(anomaly),
    ttl: ttlOf(expiresAt),
    g1p: listKeys.anomalies(tenant),
    g1s: place,
    g2p: listKeys.anomaliesOfField(tenant, stream, field),
    g2s: place,
  };
}
