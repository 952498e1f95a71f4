import type { Project } from "../../model/definition.ts";
import type { IncidentChange } from "../../model/incident.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import type { Outcome } from "../../model/outcome.ts";
import { incidentNotices } from "../notify/incident-notices.ts";
import { uploadNotice } from "../notify/upload-notice.ts";

/**
 * Decides whom to tell what about an outcome: incidents by alert, rule and key, and the uploader of a file. Never one notice
 * per event. The owner of a stream is told about issues instead, apart from outcomes (`noticeIssues`).
 */
export function notificationsOf(
  project: Project,
  outcome: Omit<Outcome, "notifications">,
  incidents: readonly IncidentChange[],
): readonly NotificationDraft[] {
  const upload = uploadNotice(outcome);
  const uploaded = upload === null ? [] : [upload];
  if (incidents.length === 0) return uploaded;
  const alerted = project.alerts.flatMap((alert) => {
    const ofRule = incidents.filter(({ rule }) => rule === alert.anomaly);
    return [...Map.groupBy(ofRule, ({ key }) => key).values()].flatMap((changes) =>
      incidentNotices(alert, outcome.meta, changes),
    );
  });
  return [...alerted, ...uploaded];
}
