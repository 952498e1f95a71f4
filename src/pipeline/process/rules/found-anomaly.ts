import { hash } from "node:crypto";
import type { AnomalyDefinition } from "../../../model/definition.ts";
import type { AnomalyValue, Verdict } from "../../../model/detector.ts";
import { type RecordId, recordIdText } from "../../../model/record.ts";
import type { FoundAnomaly } from "./incident-changes.ts";

/** The record that a detector was shown. */
export interface JudgedRecord {
  readonly id: RecordId;
  readonly time: number;
  readonly index: number;
  readonly value: unknown;
}

/** What a rule found, as it is kept. `record`: null where nothing came (a silence); then the verdict says since when. */
export function foundAnomaly(
  rule: AnomalyDefinition,
  key: string,
  { score, why, expectedLow = null, expectedHigh = null, about }: Verdict,
  record: JudgedRecord | null,
): FoundAnomaly {
  const field = about?.field ?? rule.fields[0] ?? "";
  const since = about?.since ?? null;
  const ofPeriod = record === null || since !== null;
  const time = since ?? record?.time ?? 0;
  // A rule finds one thing of a field in a period, however often it looks.
  const id = ofPeriod ? `${rule.name}\n${key}\n${field}\n${time}` : `${rule.name}\n${recordIdText(record.id)}`;
  return {
    id: `anom_${Math.max(time, 0).toString(16).padStart(12, "0")}${hash("sha1", id).slice(0, 20)}`,
    rule: rule.name,
    field,
    key,
    time,
    value: about?.value ?? (record?.value as AnomalyValue),
    verdict: { score, anomalous: true, why, expectedLow, expectedHigh },
    index: ofPeriod ? null : record.index,
  };
}
