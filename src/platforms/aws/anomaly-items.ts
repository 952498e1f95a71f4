import type { AnomalyDraft } from "../../model/anomaly.ts";
import type { Item } from "./item.ts";

/** The item of a new anomaly: derived from rule and record, so that writing it again writes the same. */
export function anomalyItem(
  _tenant: string,
  _stream: string,
  _draft: AnomalyDraft,
  _recordId: string,
  _expiresAt: number,
): Item {
  throw new Error("to be written");
}
