import { hash } from "node:crypto";
import type { AnomalyDraft, DetectorState } from "../../model/anomaly.ts";
import type { AnomalyDefinition, Detector } from "../../model/definition.ts";
import { type RecordDraft, recordIdText } from "../../model/record.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import { detectorFor } from "./detect/detector-for.ts";
import { fieldAt, fieldPath } from "./field-path.ts";

/** A record on its way, with its data still parsed. */
export interface DetectInput {
  readonly draft: RecordDraft;
  readonly result: Record<string, unknown>;
}

interface KeyState {
  readonly rule: AnomalyDefinition;
  readonly key: string;
  version: number;
  state: unknown;
}

/** Runs every rule over the records in the order they came. The new states carry the version they were computed from. */
export async function detectAll(
  tenant: string,
  rules: readonly AnomalyDefinition[],
  inputs: readonly DetectInput[],
  records: Pick<RecordTable, "loadStates">,
): Promise<{ readonly anomalies: readonly AnomalyDraft[]; readonly states: readonly DetectorState[] }> {
  if (rules.length === 0 || inputs.length === 0) return { anomalies: [], states: [] };
  const compiled = rules.map((rule) => ({
    rule,
    detector: detectorFor(rule.detect),
    value: fieldPath(rule.value),
    per: rule.per === null ? null : fieldPath(rule.per),
  }));
  const states = new Map<string, KeyState>();
  const points = inputs.flatMap(({ draft, result }) =>
    compiled.flatMap(({ rule, detector, value, per }) => {
      const number = fieldAt(result, value);
      if (typeof number !== "number" || !Number.isFinite(number)) return [];
      const key = per === null ? "" : keyText(fieldAt(result, per));
      const stateKey = `${rule.name}\n${key}`;
      if (!states.has(stateKey)) states.set(stateKey, { rule, key, version: 0, state: null });
      return [{ rule, detector, number, draft, stateKey }];
    }),
  );
  await load(tenant, states, records);
  const anomalies: AnomalyDraft[] = [];
  for (const { rule, detector, number, draft, stateKey } of points) {
    const anomaly = judge(rule, detector, number, draft, states.get(stateKey) as KeyState);
    if (anomaly !== null) anomalies.push(anomaly);
  }
  return { anomalies, states: [...states.values()].map(serialised) };
}

async function load(tenant: string, states: ReadonlyMap<string, KeyState>, records: Pick<RecordTable, "loadStates">) {
  const keys = [...states.values()].map(({ rule, key }) => ({ rule: rule.name, key }));
  for (const { rule, key, version, stateJson } of await records.loadStates(tenant, keys)) {
    const state = states.get(`${rule}\n${key}`);
    if (state === undefined) continue;
    state.version = version;
    state.state = JSON.parse(stateJson);
  }
}

function judge(
  rule: AnomalyDefinition,
  detector: Detector,
  value: number,
  draft: RecordDraft,
  known: KeyState,
): AnomalyDraft | null {
  const { verdict, state } = detector.judge({ time: draft.time, value }, known.state);
  known.state = state;
  if (!verdict.anomalous) return null;
  const time = Math.max(draft.time, 0).toString(16).padStart(12, "0");
  const id = `anom_${time}${hash("sha1", `${rule.name}\n${recordIdText(draft.id)}`).slice(0, 20)}`;
  return {
    id,
    rule: rule.name,
    field: rule.value,
    key: known.key,
    time: draft.time,
    value,
    verdict,
    index: draft.index,
  };
}

function serialised({ rule, key, version, state }: KeyState): DetectorState {
  return { rule: rule.name, key, version, stateJson: JSON.stringify(state) };
}

/** Keys are bounded: a long text would make the state table as large as the data. */
function keyText(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 160)}~${hash("sha1", text).slice(0, 16)}`;
}
