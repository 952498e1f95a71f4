import { hash } from "node:crypto";
import type { AnomalyDraft, DetectorState } from "../../model/anomaly.ts";
import type { AnomalyDefinition } from "../../model/definition.ts";
import type { AnomalyValue, Detector } from "../../model/detector.ts";
import type { IncidentChange } from "../../model/incident.ts";
import { type RecordDraft, recordIdText } from "../../model/record.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import { detectorFor } from "./detect/detector-for.ts";
import { noIncident } from "./detect/follow-incident.ts";
import { IncidentChanges, type IncidentSeries } from "./detect/incident-changes.ts";
import { parseRuleState, ruleStateText } from "./detect/rule-state.ts";
import { ruleValue } from "./detect/rule-value.ts";
import { fieldAt, fieldPath } from "./field-path.ts";

/** A record on its way, with its data still parsed. */
export interface DetectInput {
  readonly draft: Pick<RecordDraft, "id" | "time" | "index">;
  readonly result: Record<string, unknown>;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

interface KeyState extends IncidentSeries {
  readonly rule: AnomalyDefinition;
  readonly detector: Detector<unknown>;
  version: number;
  falsePositives: number;
  state: unknown;
}

/** One value of a record that one rule judges. */
interface Point {
  readonly value: unknown;
  readonly input: DetectInput;
  readonly of: KeyState;
}

/** What the rules make of some records. */
export interface Detected {
  readonly anomalies: readonly AnomalyDraft[];
  /** With the version that each was computed from. */
  readonly states: readonly DetectorState[];
  readonly incidents: readonly IncidentChange[];
}

/** Runs every rule over the records, in the order in which they are given. */
export async function detectAll(
  tenant: string,
  rules: readonly AnomalyDefinition[],
  inputs: readonly DetectInput[],
  records: Pick<RecordTable, "loadStates">,
): Promise<Detected> {
  if (rules.length === 0 || inputs.length === 0) return { anomalies: [], states: [], incidents: [] };
  const compiled = rules.map((rule) => ({
    rule,
    detector: detectorFor(rule.detect),
    select: ruleValue(rule),
    per: rule.per === null ? null : fieldPath(rule.per),
  }));
  const states = new Map<string, KeyState>();
  const points = inputs.flatMap((input) =>
    compiled.flatMap(({ rule, detector, select, per }): Point[] => {
      const value = select(input.result);
      if (value === undefined) return [];
      const key = per === null ? "" : keyText(fieldAt(input.result, per));
      const stateKey = `${rule.name}\n${key}`;
      const start = { version: 0, falsePositives: 0, state: null, incident: noIncident };
      const of = states.get(stateKey) ?? { rule, detector, key, ...start };
      states.set(stateKey, of);
      return [{ value, input, of }];
    }),
  );
  await load(tenant, states, records);
  const incidents = new IncidentChanges(tenant);
  const anomalies = points.flatMap((point) => judge(point, incidents) ?? []);
  return { anomalies, states: [...states.values()].map(serialised), incidents: incidents.list() };
}

async function load(tenant: string, states: ReadonlyMap<string, KeyState>, records: Pick<RecordTable, "loadStates">) {
  const keys = [...states.values()].map(({ rule, key }) => ({ rule: rule.name, key }));
  for (const { rule, key, version, stateJson, falsePositives } of await records.loadStates(tenant, keys)) {
    const known = states.get(`${rule}\n${key}`);
    if (known === undefined) continue;
    const { detector, incident } = parseRuleState(stateJson);
    Object.assign(known, { version, falsePositives, state: detector, incident });
  }
}

function judge({ value, input: { draft, receivedAt }, of }: Point, incidents: IncidentChanges): AnomalyDraft | null {
  const { rule, detector, key, falsePositives } = of;
  // A clock that runs ahead must not make all that follows late.
  const time = Math.min(draft.time, receivedAt);
  const { verdict, state } = detector.judge({ time, value, falsePositives }, of.state);
  of.state = state;
  if (!verdict.anomalous) return verdict.inconclusive ? null : incidents.follow(of, time, null);
  const { about, score, why, expectedLow = null, expectedHigh = null } = verdict;
  const field = about?.field ?? rule.fields[0] ?? "";
  const since = about?.since ?? null;
  return incidents.follow(of, time, {
    id: since === null ? recordAnomalyId(rule, draft) : periodAnomalyId(rule, key, field, since),
    rule: rule.name,
    field,
    key,
    time: since ?? draft.time,
    value: about?.value ?? (value as AnomalyValue),
    verdict: { score, anomalous: true, why, expectedLow, expectedHigh },
    index: since === null ? draft.index : null,
  });
}

function recordAnomalyId(rule: AnomalyDefinition, draft: DetectInput["draft"]): string {
  return anomalyId(draft.time, `${rule.name}\n${recordIdText(draft.id)}`);
}

/** A rule finds one thing of a field in a period, however often it looks. */
function periodAnomalyId(rule: AnomalyDefinition, key: string, field: string, since: number): string {
  return anomalyId(since, `${rule.name}\n${key}\n${field}\n${since}`);
}

function anomalyId(time: number, about: string): string {
  return `anom_${Math.max(time, 0).toString(16).padStart(12, "0")}${hash("sha1", about).slice(0, 20)}`;
}

function serialised({ rule, detector, key, version, state, incident }: KeyState): DetectorState {
  const dueAt = state === null ? null : (detector.dueAt?.(state) ?? null);
  return {
    rule: rule.name,
    key,
    version,
    stateJson: ruleStateText({ detector: state, incident }),
    ...(dueAt !== null && { dueAt }),
  };
}

/** Keys are bounded: a long text would make the state table as large as the data. */
function keyText(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 160)}~${hash("sha1", text).slice(0, 16)}`;
}
