import type { AnomalyDraft } from "../../../model/anomaly.ts";
import {
  criticalMillis,
  criticalScore,
  type Incident,
  type Severity,
  type WorstPoint,
} from "../../../model/incident.ts";

type Found = NonNullable<IncidentPoint["found"]>;

/** Kept between points, beside the state of the detector: 300 bytes as JSON, however long an incident lasts. */
export interface IncidentState {
  readonly open: OpenIncident | null;
  /** The one before, which late points may still belong to. */
  readonly last: EndedIncident | null;
}

interface OpenIncident extends Incident {
  /** Ordinary points since its latest unusual one. */
  readonly ordinary: number;
  /** Its latest unusual point was the absence of events. */
  readonly silent: boolean;
}

interface EndedIncident {
  readonly id: string;
  readonly severity: Severity;
  readonly openedAt: number;
  readonly overAt: number;
}

export interface IncidentPoint {
  /** Event time, but no later than the event was received: one clock that is years ahead would keep an incident open for years. */
  readonly time: number;
  /** What is unusual; null: nothing that is told of by itself. */
  readonly found: Pick<AnomalyDraft, "time" | "field" | "value" | "verdict"> | null;
  /** It stands for events that did not come. */
  readonly silent: boolean;
  /** Where nothing was found: whether it is still as unusual as what was found before, not ordinary. */
  readonly goesOn: boolean;
}

export interface IncidentStep {
  readonly state: IncidentState;
  /** Which incident an unusual point belongs to, and how severe that one was then; null for an ordinary point. */
  readonly of: Pick<Incident, "id" | "severity"> | null;
  /** The incident that the point opened, extended or ended, as it is then; null: it left all as it was. */
  readonly incident: Incident | null;
  /** What people are told of. */
  readonly change: "opened" | "escalated" | "over" | null;
}

export const noIncident: IncidentState = { open: null, last: null };

/** Fewer ordinary points in a row may be the gaps of a series that jumps to and fro. */
const ordinaryPointsMin = 3;
/** On a fast series three points are milliseconds: without this, a flapping one would open an incident a second. */
const quietMillisMin = 5 * 60_000;
/** On a slow series three points are days. After so long without an unusual point, one ordinary point is enough. */
const quietMillisEnough = 60 * 60_000;

/**
 * Takes an incident one point further. Pure, like a detector. Points with which nothing was judged are none of its business.
 *
 * - It opens with an unusual point, and every further one extends it.
 * - It becomes critical with a score of `criticalScore`, or when it lasts `criticalMillis`, and stays so.
 * - It is over with the ordinary point that is the third in a row and five minutes behind the latest unusual one, or an hour
 *   behind it. Silence is over with the next event that is judged.
 * - Late points: an ordinary one, no later than the latest unusual one, shows nothing of how things are now. An unusual one
 *   belongs to the open incident; else to the one before when it falls into it, which nobody is told of again; else it opens one.
 *
 * `newId` is asked when an incident opens.
 */
export function followIncident(state: IncidentState, point: IncidentPoint, newId: () => string): IncidentStep {
  const { open, last } = state;
  const { time, found, silent, goesOn } = point;
  if (open !== null) return found !== null || goesOn ? extend(state, open, point) : quieten(state, open, time);
  if (found === null) return nothing(state);
  if (last !== null && time >= last.openedAt && time <= last.overAt) {
    return { state, of: last, incident: null, change: null };
  }
  const incident = withSeverity({ id: newId(), openedAt: time, lastAt: time, points: 1, worst: worstPoint(found) });
  const opened: OpenIncident = { ...incident, ordinary: 0, silent };
  return { state: { open: opened, last }, of: incident, incident, change: "opened" };
}

function extend(state: IncidentState, open: OpenIncident, { time, silent, found }: IncidentPoint): IncidentStep {
  const isLatest = time > open.lastAt;
  const incident = withSeverity({
    ...incidentOf(open),
    lastAt: Math.max(open.lastAt, time),
    points: open.points + 1,
    worst: found !== null && found.verdict.score > open.worst.score ? worstPoint(found) : open.worst,
  });
  const next: OpenIncident = { ...incident, ordinary: isLatest ? 0 : open.ordinary, silent };
  const change = incident.severity === open.severity ? null : "escalated";
  return { state: { ...state, open: next }, of: incident, incident, change };
}

function quieten(state: IncidentState, open: OpenIncident, time: number): IncidentStep {
  const quiet = time - open.lastAt;
  if (quiet <= 0 && !open.silent) return nothing(state);
  const ordinary = open.ordinary + 1;
  const isOver =
    open.silent || quiet >= quietMillisEnough || (quiet >= quietMillisMin && ordinary >= ordinaryPointsMin);
  if (!isOver) return nothing({ ...state, open: { ...open, ordinary } });
  const { id, severity, openedAt } = open;
  const overAt = Math.max(time, open.lastAt);
  // Nothing came until now: that is how long a silence lasted.
  const incident = { ...incidentOf(open), lastAt: open.silent ? overAt : open.lastAt };
  return { state: { open: null, last: { id, severity, openedAt, overAt } }, of: null, incident, change: "over" };
}

function nothing(state: IncidentState): IncidentStep {
  return { state, of: null, incident: null, change: null };
}

function incidentOf({ ordinary: _ordinary, silent: _silent, ...incident }: OpenIncident): Incident {
  return incident;
}

function worstPoint({ time, field, value, verdict }: Found): WorstPoint {
  const { score, expectedLow, expectedHigh } = verdict;
  return { time, field, value, score, expectedLow, expectedHigh };
}

/** Once critical it stays so: its worst score and its length only grow. */
function withSeverity(incident: Omit<Incident, "severity">): Incident {
  const { worst, openedAt, lastAt } = incident;
  const isCritical = worst.score >= criticalScore || lastAt - openedAt >= criticalMillis;
  return { ...incident, severity: isCritical ? "critical" : "warning" };
}
