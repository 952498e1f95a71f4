import type { DetectorState } from "../../../model/anomaly.ts";
import type { AnomalyDefinition, Project } from "../../../model/definition.ts";
import type { Detector, Judgement, SilencePoint } from "../../../model/detector.ts";
import { retentionMillisDefault } from "../../../model/limits.ts";
import type { DetectorStates, DueState, SilenceOutcome } from "../../../ports/detector-states.ts";
import { incidentNotices } from "../../notify/incident-notices.ts";
import { detectorFor } from "../detect/detector-for.ts";
import { foundAnomaly } from "./found-anomaly.ts";
import { IncidentChanges } from "./incident-changes.ts";
import { parseRuleState, ruleStateText } from "./rule-state.ts";
import { RuleTroubles, troubleNotices } from "./rule-troubles.ts";

/** Up to when it is known what came. */
export interface Watch {
  /** All that arrived before is processed, milliseconds since 1970. */
  readonly seenUntil: number;
  /** EventPulse has run without a break since then: what nobody could send is no silence. */
  readonly watchedSince: number;
}

/**
 * Asks every detector that is due what it means that nothing came, and commits what each finds. Answers with what was
 * committed. A state that changes meanwhile is left alone: something came.
 */
export async function judgeSilence(
  project: Project,
  states: DetectorStates,
  watch: Watch,
): Promise<readonly SilenceOutcome[]> {
  const committed: SilenceOutcome[] = [];
  for await (const due of states.due(watch.seenUntil)) {
    const outcome = silenceOf(project, due, watch);
    if (outcome !== null && (await states.commit(outcome)) === "committed") committed.push(outcome);
  }
  return committed;
}

/** Whether a project has a rule to which it means something that nothing comes. */
export function knowsSilence(project: Project): boolean {
  return project.anomalies.some(({ detect }) => detectorFor(detect).overdue !== undefined);
}

/** Null: it is not silent for long enough. */
function silenceOf(project: Project, { tenant, state: stored }: DueState, watch: Watch): SilenceOutcome | null {
  const { rule: name, key, version, stateJson, falsePositives } = stored;
  const rule = project.anomalies.find((one) => one.name === name);
  const detector = rule === undefined ? null : detectorFor(rule.detect);
  const { detector: state, incident } = parseRuleState(stateJson);
  if (rule === undefined || detector?.overdue === undefined || state === null) {
    // The rule is gone, or is of another kind now: nobody is to be asked again.
    return outcomeOf(project, tenant, rule ?? null, { rule: name, key, version, stateJson }, watch);
  }
  const { seenUntil: now, watchedSince } = watch;
  const judged = askOverdue(detector.overdue, { now, watchedSince, falsePositives }, state);
  if (judged instanceof Error) return failed(project, tenant, rule, stored, judged, watch);
  if (!judged.verdict.anomalous) return null;
  const incidents = new IncidentChanges(tenant);
  const series = { rule, key, incident };
  const anomaly = incidents.follow(series, {
    time: now,
    found: foundAnomaly(rule, key, judged.verdict, null),
    silent: true,
    goesOn: false,
  });
  const dueAt = detector.dueAt?.(judged.state) ?? null;
  const next: DetectorState = {
    ...{ rule: name, key, version },
    stateJson: ruleStateText({ detector: judged.state, incident: series.incident }),
    ...(dueAt !== null && { dueAt }),
  };
  const found = outcomeOf(project, tenant, rule, next, watch);
  const alerts = project.alerts.filter((alert) => alert.anomaly === name);
  return {
    ...found,
    anomalies: anomaly === null ? [] : [anomaly],
    notifications: alerts.flatMap((alert) => incidentNotices(alert, found, incidents.list())),
  };
}

/** A detector of a config may throw; it must not keep the others from their turn. */
function askOverdue(overdue: NonNullable<Detector["overdue"]>, point: SilencePoint, state: unknown): Judgement | Error {
  try {
    return overdue(point, state);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** It is told, and not asked again before something comes. */
function failed(
  project: Project,
  tenant: string,
  rule: AnomalyDefinition,
  { key, version, stateJson }: DetectorState,
  error: Error,
  watch: Watch,
): SilenceOutcome {
  const troubles = new RuleTroubles();
  troubles.note(rule, error);
  const place = {
    tenant,
    stream: rule.stream,
    of: "the times that it was asked about a silence",
    name: `${key} ${version}`,
  };
  const outcome = outcomeOf(project, tenant, rule, { rule: rule.name, key, version, stateJson }, watch);
  return { ...outcome, notifications: troubleNotices(project, place, troubles.list()) };
}

function outcomeOf(
  { streams }: Project,
  tenant: string,
  rule: AnomalyDefinition | null,
  state: DetectorState,
  { seenUntil }: Watch,
): SilenceOutcome {
  const stream = rule?.stream ?? "";
  const kept = streams.get(stream)?.retention.records ?? retentionMillisDefault;
  return { tenant, stream, state, anomalies: [], notifications: [], expiresAt: seenUntil + kept };
}
