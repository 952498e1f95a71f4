import { hash } from "node:crypto";
import type { AnomalyDraft, DetectorState } from "../../../model/anomaly.ts";
import type { AnomalyDefinition } from "../../../model/definition.ts";
import type { Detector, Judgement } from "../../../model/detector.ts";
import type { IncidentChange } from "../../../model/incident.ts";
import { limits } from "../../../model/limits.ts";
import type { RecordDraft } from "../../../model/record.ts";
import type { RecordTable } from "../../../ports/record-table.ts";
import { detectorFor } from "../detect/detector-for.ts";
import { fieldAt, fieldPath } from "../field-path.ts";
import { noIncident } from "./follow-incident.ts";
import { foundAnomaly } from "./found-anomaly.ts";
import { IncidentChanges, type IncidentSeries } from "./incident-changes.ts";
import { parseRuleState, ruleStateText } from "./rule-state.ts";
import { type RuleTrouble, RuleTroubles } from "./rule-troubles.ts";
import { ruleValue } from "./rule-value.ts";

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
  /** Rules whose detector failed. */
  readonly troubles: readonly RuleTrouble[];
}

/**
 * Runs every rule over the records, in the order in which they are given. A detector that throws leaves its record unjudged and
 * its state as it was.
 */
export async function detectAll(
  tenant: string,
  rules: readonly AnomalyDefinition[],
  inputs: readonly DetectInput[],
  records: Pick<RecordTable, "loadStates">,
): Promise<Detected> {
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
  const troubles = new RuleTroubles();
  const anomalies = points.flatMap((point) => judge(point, incidents, troubles) ?? []);
  const next = [...states.values()].map((state) => serialised(state, troubles));
  return { anomalies, states: next, incidents: incidents.list(), troubles: troubles.list() };
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

function judge(
  { value, input: { draft, receivedAt }, of }: Point,
  incidents: IncidentChanges,
  troubles: RuleTroubles,
): AnomalyDraft | null {
  const { rule, detector, key, falsePositives } = of;
  // A clock that runs ahead must not make all that follows late.
  const time = Math.min(draft.time, receivedAt);
  let judged: Judgement;
  try {
    judged = detector.judge({ time, receivedAt, value, falsePositives }, of.state);
  } catch (error) {
    troubles.note(rule, error);
    return null;
  }
  const { verdict, state } = judged;
  of.state = state;
  const { anomalous, inconclusive = false, goesOn = false } = verdict;
  if (inconclusive) return null;
  const found = anomalous ? foundAnomaly(rule, key, verdict, { ...draft, value }) : null;
  return incidents.follow(of, { time, found, silent: false, goesOn });
}

function serialised(
  { rule, detector, key, version, state, incident }: KeyState,
  troubles: RuleTroubles,
): DetectorState {
  try {
    const stateJson = ruleStateText({ detector: state, incident });
    const bytes = rule.detect.kind === "own" ? Buffer.byteLength(stateJson) : 0;
    if (bytes > limits.detectorStateBytesMax) {
      throw new RangeError(`Its state has ${bytes} bytes as JSON, more than ${limits.detectorStateBytesMax}.`);
    }
    const dueAt = state === null || state === undefined ? null : (detector.dueAt?.(state) ?? null);
    return { rule: rule.name, key, version, stateJson, ...(dueAt !== null && { dueAt }) };
  } catch (error) {
    // What cannot be kept would fail for ever: it learns anew.
    troubles.note(rule, error);
    return { rule: rule.name, key, version, stateJson: ruleStateText({ detector: null, incident }) };
  }
}

/** Keys are bounded: a long text would make the state table as large as the data. */
function keyText(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 160)}~${hash("sha1", text).slice(0, 16)}`;
}
