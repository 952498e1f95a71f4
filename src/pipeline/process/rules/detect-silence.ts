import type { DetectorState, StoredDetectorState } from "../../../model/anomaly.ts";
import type { AnomalyDefinition } from "../../../model/definition.ts";
import type { Judgement } from "../../../model/detector.ts";
import { detectorFor } from "../detect/detector-for.ts";
import type { Detected } from "./detect-all.ts";
import { foundAnomaly } from "./found-anomaly.ts";
import { IncidentChanges } from "./incident-changes.ts";
import { parseRuleState, ruleStateText } from "./rule-state.ts";
import { RuleTroubles } from "./rule-troubles.ts";

/** Up to when it is known what came. */
export interface Watch {
  /** All that arrived before is processed, milliseconds since 1970. */
  readonly seenUntil: number;
  /** EventPulse has run without a break since then: what nobody could send is no silence. */
  readonly watchedSince: number;
}

const nothing: Detected = { anomalies: [], states: [], incidents: [], troubles: [] };

/**
 * What a rule makes of it that nothing came to one of its states, as `detectAll` says it of records. Without a state in the answer
 * it is not silent for long enough, and is to be asked again.
 */
export function detectSilence(
  tenant: string,
  rule: AnomalyDefinition,
  { key, version, stateJson, falsePositives }: StoredDetectorState,
  { seenUntil: now, watchedSince }: Watch,
): Detected {
  const detector = detectorFor(rule.detect);
  const { detector: state, incident } = parseRuleState(stateJson);
  const place = { rule: rule.name, key, version };
  // Without `dueAt`: not asked again before something comes.
  const waiting: DetectorState = { ...place, stateJson };
  // The rule is of another kind now.
  if (detector.overdue === undefined || state === null) return { ...nothing, states: [waiting] };
  let judged: Judgement;
  try {
    judged = detector.overdue({ now, watchedSince, falsePositives }, state);
  } catch (error) {
    // A detector of a config may throw; it must not keep the others from their turn.
    const troubles = new RuleTroubles();
    troubles.note(rule, error);
    return { ...nothing, states: [waiting], troubles: troubles.list() };
  }
  if (!judged.verdict.anomalous) return nothing;
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
    ...place,
    stateJson: ruleStateText({ detector: judged.state, incident: series.incident }),
    ...(dueAt !== null && { dueAt }),
  };
  return { anomalies: anomaly === null ? [] : [anomaly], states: [next], incidents: incidents.list(), troubles: [] };
}
