import type { AnomalyDraft } from "../../model/anomaly.ts";
import type { AlertDefinition, Project } from "../../model/definition.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { noticeId } from "../notify/notice-id.ts";
import { uploadNotice } from "../notify/upload-notice.ts";

/**
 * Decides whom to tell what about an outcome: anomalies by rule and key, and the uploader of a file. Never one notice per
 * event. The owner of a stream is told about issues instead, apart from outcomes (`noticeIssues`).
 */
export function notificationsOf(
  project: Project,
  outcome: Omit<Outcome, "notifications">,
): readonly NotificationDraft[] {
  const { meta, anomalies } = outcome;
  const upload = uploadNotice(outcome);
  return [
    ...project.alerts.flatMap((alert) =>
      firstOfEachKey(anomalies, alert.anomaly).map((found) => anomalyNotice(alert, meta, found)),
    ),
    ...(upload === null ? [] : [upload]),
  ];
}

function firstOfEachKey(anomalies: readonly AnomalyDraft[], rule: string): readonly AnomalyDraft[] {
  const first = new Map<string, AnomalyDraft>();
  for (const anomaly of anomalies) {
    if (anomaly.rule === rule && !first.has(anomaly.key)) first.set(anomaly.key, anomaly);
  }
  return [...first.values()];
}

function anomalyNotice(alert: AlertDefinition, { tenant, stream }: RawMeta, anomaly: AnomalyDraft): NotificationDraft {
  const of = anomaly.key === "" ? "" : ` of ${anomaly.key}`;
  const { verdict } = anomaly;
  return {
    id: noticeId(`${alert.name}\n${anomaly.id}`),
    tenant,
    topic: "anomaly",
    stream,
    subject: `${stream}: ${anomaly.field} ${anomaly.value}${of} is unusual (${alert.anomaly})`,
    text: [
      `${anomaly.field}${of} was ${anomaly.value} at ${new Date(anomaly.time).toISOString()}.`,
      verdict.why,
      "",
      `See it: GET /v1/anomalies/${anomaly.id}`,
      "Mark it as seen or as a false positive: PATCH the same address.",
    ].join("\n"),
    data: {
      anomaly: { id: anomaly.id, rule: anomaly.rule, stream, key: anomaly.key, field: anomaly.field },
      time: new Date(anomaly.time).toISOString(),
      value: anomaly.value,
      score: verdict.score,
      expectedLow: verdict.expectedLow,
      expectedHigh: verdict.expectedHigh,
      why: verdict.why,
    },
    destinations: alert.to,
    group: `anomaly:${alert.name}:${anomaly.key}`,
    cooldownMillis: alert.cooldownMillis,
  };
}
