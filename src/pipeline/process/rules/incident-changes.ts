import { hash } from "node:crypto";
import type { AnomalyDraft } from "../../../model/anomaly.ts";
import type { IncidentChange } from "../../../model/incident.ts";
import { followIncident, type IncidentPoint, type IncidentState, type IncidentStep } from "./follow-incident.ts";

/** What is unusual at a point, before it is known which incident it belongs to. */
export type FoundAnomaly = Omit<AnomalyDraft, "incident" | "severity">;

/** One rule and key, with its incident as the points so far have left it. */
export interface IncidentSeries {
  readonly rule: { readonly name: string };
  readonly key: string;
  incident: IncidentState;
}

/** What the points of one outcome do to incidents: one entry for each incident, however many points it has. */
export class IncidentChanges {
  readonly #tenant: string;
  readonly #changes = new Map<string, IncidentChange>();

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  /** Takes the incident of `series` further by a point that was judged; answers with what was found there as part of its incident. */
  follow(series: IncidentSeries, point: IncidentPoint & { readonly found: FoundAnomaly | null }): AnomalyDraft | null {
    const { rule, key } = series;
    const { time, found } = point;
    // Nearly every point there is.
    if (found === null && series.incident.open === null) return null;
    const newId = () => incidentId([this.#tenant, rule.name, key, found?.id ?? ""], found?.time ?? time);
    const step = followIncident(series.incident, point, newId);
    series.incident = step.state;
    this.#note(series, step, time, found);
    return found === null || step.of === null ? null : { ...found, incident: step.of.id, severity: step.of.severity };
  }

  list(): readonly IncidentChange[] {
    return [...this.#changes.values()];
  }

  #note({ rule, key }: IncidentSeries, { change, incident }: IncidentStep, time: number, found: FoundAnomaly | null) {
    if (incident === null) return;
    const before = this.#changes.get(incident.id) ?? null;
    if (change === null && before === null) return;
    // What people look at is the worst of what they are told about.
    const isWorst = before === null || incident.worst.score > before.incident.worst.score;
    this.#changes.set(incident.id, {
      rule: rule.name,
      key,
      incident,
      opened: before?.opened === true || change === "opened",
      escalated: before?.escalated === true || change === "escalated",
      overAt: change === "over" ? Math.max(time, incident.lastAt) : null,
      anomalyId: isWorst ? (found?.id ?? null) : before.anomalyId,
      why: isWorst ? (found?.verdict.why ?? null) : before.why,
    });
  }
}

/** Derived from what opened it: any number of tries open the same incident. */
function incidentId(about: readonly string[], time: number): string {
  return `inc_${Math.max(time, 0).toString(16).padStart(12, "0")}${hash("sha1", about.join("\n")).slice(0, 20)}`;
}
