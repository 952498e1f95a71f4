import type { DetectorState } from "../../../model/anomaly.ts";
import type { AnomalyDefinition, Project } from "../../../model/definition.ts";
import { retentionMillisDefault } from "../../../model/limits.ts";
import type { DetectorStates, DueState, SilenceOutcome } from "../../../ports/detector-states.ts";
import { incidentNotices } from "../../notify/incident-notices.ts";
import { detectorFor } from "../detect/detector-for.ts";
import { detectSilence, type Watch } from "./detect-silence.ts";
import { troubleNotices } from "./rule-troubles.ts";

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
export function knowsSilence({ anomalies }: Pick<Project, "anomalies">): boolean {
  return anomalies.some(({ detect }) => detectorFor(detect).overdue !== undefined);
}

/** Null: it is not silent for long enough. */
function silenceOf(project: Project, { tenant, state: stored }: DueState, watch: Watch): SilenceOutcome | null {
  const { rule: name, key, version, stateJson } = stored;
  const rule = project.anomalies.find((one) => one.name === name);
  if (rule === undefined) {
    // Nobody is to be asked again.
    return outcomeOf(project, tenant, null, { rule: name, key, version, stateJson }, watch);
  }
  const { anomalies, states, incidents, troubles } = detectSilence(tenant, rule, stored, watch);
  const [state] = states;
  if (state === undefined) return null;
  const outcome = outcomeOf(project, tenant, rule, state, watch);
  const alerts = project.alerts.filter((alert) => alert.anomaly === name);
  const of = "the times that it was asked about a silence";
  const place = { tenant, stream: rule.stream, of, name: `${key} ${version}` };
  return {
    ...outcome,
    anomalies,
    notifications: [
      ...alerts.flatMap((alert) => incidentNotices(alert, outcome, incidents)),
      ...troubleNotices(project, place, troubles),
    ],
  };
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
