import { type IncidentState, noIncident } from "./follow-incident.ts";

/** What is kept of one rule and key between records. */
export interface RuleState {
  /** The detector's own; null before its first point. */
  readonly detector: unknown;
  readonly incident: IncidentState;
}

/** The version of the text: another one is not understood, and the key is learned anew. */
const version = 1;

export function parseRuleState(json: string): RuleState {
  const kept = JSON.parse(json) as (RuleState & { readonly v: number }) | null;
  return kept?.v === version ? kept : { detector: null, incident: noIncident };
}

export function ruleStateText({ detector, incident }: RuleState): string {
  return JSON.stringify({ v: version, detector, incident });
}
