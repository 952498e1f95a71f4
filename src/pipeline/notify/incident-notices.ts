import type { AlertDefinition } from "../../model/definition.ts";
import type { IncidentChange } from "../../model/incident.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import { incidentData, incidentSubject, incidentText, type NoticePhase } from "./incident-text.ts";
import { noticeId } from "./notice-id.ts";

const topics = { opened: "anomaly", escalated: "escalation", over: "recovery" } as const;

/**
 * What one alert tells of the incidents of one rule and key that an outcome changed: for each incident that it opened, one
 * notice when it becomes known (one of severity `critical` alone: when it becomes critical), one when it becomes critical
 * later, one when it is over. Never one for each point, and of several incidents that open in one outcome, as in a file with
 * a month of readings, one: that which is still open, else the first. The others are counted.
 *
 * Ids derive from alert, incident and phase: any number of tries decide the same notices.
 */
export function incidentNotices(
  alert: AlertDefinition,
  place: { readonly tenant: string; readonly stream: string },
  changes: readonly IncidentChange[],
): readonly NotificationDraft[] {
  const severe = changes.filter(({ incident }) => alert.severity === "warning" || incident.severity === "critical");
  const begun = severe.filter((change) => begins(alert, change));
  const told = begun.find(({ overAt }) => overAt === null) ?? begun[0] ?? null;
  const draft = (phase: NoticePhase, change: IncidentChange) => noticeOf(alert, place, phase, change, begun.length - 1);
  return [
    ...(told === null ? [] : [draft("opened", told)]),
    ...severe
      .filter((change) => alert.severity === "warning" && change.escalated && !change.opened)
      .map((change) => draft("escalated", change)),
    ...severe
      .filter((change) => alert.recovery && change.overAt !== null && (change === told || !begins(alert, change)))
      .map((change) => draft("over", change)),
  ];
}

/** Whether the alert hears of the incident for the first time. */
function begins(alert: AlertDefinition, { opened, escalated }: IncidentChange): boolean {
  return opened || (alert.severity === "critical" && escalated);
}

function noticeOf(
  alert: AlertDefinition,
  { tenant, stream }: { readonly tenant: string; readonly stream: string },
  phase: NoticePhase,
  change: IncidentChange,
  more: number,
): NotificationDraft {
  const { rule, key, incident } = change;
  const idOf = (of: NoticePhase) => noticeId(`${alert.name}\n${incident.id}\n${of}`);
  // A warning does not hold back that it is critical.
  const urgency = phase === "escalated" || incident.severity === "critical" ? "critical" : "warning";
  return {
    id: idOf(phase),
    tenant,
    topic: topics[phase],
    stream,
    subject: incidentSubject(phase, stream, change),
    text: incidentText(phase, alert, change),
    data: incidentData(stream, change),
    destinations: alert.to,
    group: `anomaly:${urgency}:${alert.name}:${key}`,
    cooldownMillis: alert.cooldownMillis,
    incident: {
      rule,
      key,
      more: phase === "opened" ? more : 0,
      follows: phase === "over" ? [idOf("opened"), idOf("escalated")] : [],
    },
  };
}
