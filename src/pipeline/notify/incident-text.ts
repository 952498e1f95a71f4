import type { AlertDefinition } from "../../model/definition.ts";
import type { AnomalyValue } from "../../model/detector.ts";
import { criticalMillis, criticalScore, type Incident, type IncidentChange } from "../../model/incident.ts";
import { numberText } from "../process/detect/number-text.ts";
import { oneLine } from "./one-line.ts";

export type NoticePhase = "opened" | "escalated" | "over";

/** One line that is enough to decide whether to get up. */
export function incidentSubject(phase: NoticePhase, stream: string, change: IncidentChange): string {
  const { incident } = change;
  const series = seriesText(change);
  if (phase === "over") return `${stream}: ${series} is ordinary again (${lengthText(incident)})`;
  const marked = incident.severity === "critical" ? `CRITICAL ${stream}` : stream;
  return phase === "escalated"
    ? `${marked}: ${series} is still unusual (${lengthText(incident)})`
    : `${marked}: ${series} is ${worstText(incident)}`;
}

/** For somebody whom it woke: what is wrong, how bad it is, what comes next, what to type. */
export function incidentText(phase: NoticePhase, alert: AlertDefinition, change: IncidentChange): string {
  return (phase === "over" ? overLines(change) : openLines(alert, change)).join("\n");
}

/** For webhooks: the same members in every phase. */
export function incidentData(stream: string, change: IncidentChange): Readonly<Record<string, unknown>> {
  const { rule, key, incident, overAt, anomalyId, why } = change;
  const { id, severity, openedAt, lastAt, points, worst } = incident;
  return {
    incident: {
      id,
      rule,
      stream,
      key,
      severity,
      openedAt: new Date(openedAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
      overAt: overAt === null ? null : new Date(overAt).toISOString(),
      points,
      worst: { ...worst, time: new Date(worst.time).toISOString() },
    },
    anomalyId,
    why,
  };
}

function openLines(alert: AlertDefinition, change: IncidentChange): readonly string[] {
  const { incident, anomalyId, why } = change;
  const { points, openedAt } = incident;
  const series = seriesText(change);
  return [
    ...(points === 1 ? [] : [`${series} is unusual since ${timeText(openedAt)} (${lengthText(incident)}). The worst:`]),
    `${series} was ${worstText(incident)}, ${placeText(incident)}.`,
    "",
    ...(why === null ? [] : [`Why:       ${oneLine(why, 500)}`]),
    `Severity:  ${severityText(incident)}`,
    `Rule:      ${ruleText(change)}`,
    `Next:      ${nextText(alert, incident)}`,
    "",
    ...(anomalyId === null ? [] : [`See it:    eventpulse anomalies show ${anomalyId}`]),
    `All of it: ${listText(incident)}`,
    ...(anomalyId === null
      ? []
      : [
          `Nothing wrong? Say so, and a rule that learns becomes more lenient with ${series}:`,
          `           eventpulse anomalies false-positive ${anomalyId} --note "why"`,
        ]),
  ];
}

function overLines(change: IncidentChange): readonly string[] {
  const { incident, overAt } = change;
  const { openedAt, lastAt } = incident;
  const until = lastAt === openedAt ? "" : ` to ${timeText(lastAt)}`;
  return [
    `${seriesText(change)} is ordinary again since ${timeText(overAt ?? lastAt)}. There is nothing to do.`,
    "",
    `Unusual:   ${timeText(openedAt)}${until} (${lengthText(incident)})`,
    `Worst:     ${worstText(incident)}, ${placeText(incident)}`,
    `Severity:  ${severityText(incident)}`,
    `Rule:      ${ruleText(change)}`,
    "",
    `All of it: ${listText(incident)}`,
  ];
}

function severityText({ severity, worst, openedAt, lastAt }: Incident): string {
  const score = `score ${numberText(worst.score)}`;
  const limit = `critical is a score of ${criticalScore} or ${durationText(criticalMillis)}`;
  if (severity === "warning") return `warning: ${score}; ${limit}`;
  return lastAt - openedAt < criticalMillis
    ? `critical: ${score}`
    : `critical: it lasts ${durationText(lastAt - openedAt)}, ${score}`;
}

function ruleText({ rule, incident }: IncidentChange): string {
  return `${rule}, incident ${incident.id}`;
}

function nextText({ recovery }: AlertDefinition, { severity }: Incident): string {
  const later = [...(severity === "warning" ? ["becomes critical"] : []), ...(recovery ? ["is over"] : [])];
  return later.length === 0
    ? "you will not hear of this incident again"
    : `you will hear when it ${later.join(", and when it ")}; not of each value`;
}

function listText({ id }: Incident): string {
  return `eventpulse anomalies list --incident ${id}`;
}

/** "cents of DE". A rule that counts records has no field. */
function seriesText({ key, incident }: IncidentChange): string {
  const { field } = incident.worst;
  const what = field === "" ? "number of records" : oneLine(field, 100);
  return key === "" ? what : `${what} of ${oneLine(key, 60)}`;
}

/** "185000, expected 900 to 4200". */
function worstText({ worst }: Incident): string {
  const { value, expectedLow, expectedHigh } = worst;
  const band = bandText(expectedLow, expectedHigh);
  return band === null ? valueText(value) : `${valueText(value)}, expected ${band}`;
}

function bandText(low: number | null, high: number | null): string | null {
  if (low === null) return high === null ? null : `up to ${numberText(high)}`;
  return high === null ? `from ${numberText(low)} up` : `${numberText(low)} to ${numberText(high)}`;
}

function valueText(value: AnomalyValue): string {
  return typeof value === "number" ? numberText(value) : `"${oneLine(value, 100)}"`;
}

/** Too many or too few records are found of a period, which has a start. */
function placeText({ worst }: Incident): string {
  return `${worst.field === "" ? "since" : "at"} ${timeText(worst.time)}`;
}

/** "one value", "312 values in 25 min"; of numbers of records "one period", "25 min". */
function lengthText({ points, openedAt, lastAt, worst }: Incident): string {
  const [one, several] =
    worst.field === "" ? ["one period", ""] : ["one value", `${points.toLocaleString("en-US")} values in `];
  return lastAt === openedAt && points === 1 ? one : `${several}${durationText(lastAt - openedAt)}`;
}

/** "40 s", "25 min", "3 h 5 min", "2 d 3 h". */
function durationText(millis: number): string {
  const seconds = Math.max(1, Math.round(millis / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? twoUnits(hours, "h", minutes % 60, "min")
    : twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** "2026-01-31 12:00:05 UTC". */
function timeText(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
