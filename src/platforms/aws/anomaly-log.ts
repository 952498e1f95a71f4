import { type Anomaly, falsePositiveFeedback } from "../../model/anomaly.ts";
import { EventPulseError } from "../../model/error.ts";
import type { AnomalyLog, AnomalyQuery } from "../../ports/anomaly-log.ts";
import { appendAudit } from "./audit-log.ts";
import { loadFalsePositives, putFalsePositives } from "./detector-states.ts";
import { entityOf } from "./item.ts";
import { itemKeys, listKeys } from "./item-keys.ts";
import { listPage } from "./list-page.ts";
import type { Table } from "./table.ts";
import { transaction } from "./unit-of-work.ts";

/** Anomalies in the table. */
export function dynamoAnomalyLog(table: Table): AnomalyLog {
  return {
    query(query) {
      const { tenant, from, to } = query;
      const row = (anomaly: Anomaly) => (fits(anomaly, query) ? anomaly : null);
      const partitions = [listKeys.anomalies(tenant)];
      return listPage(
        { kind: "anomalies", table, index: "g1", partitions, from, to, row: (item) => row(entityOf(item)) },
        query,
      );
    },
    async get(tenant, id) {
      const item = await table.get(itemKeys.anomaly(tenant, id));
      return item && entityOf<Anomaly>(item);
    },
    async annotate(tenant, id, version, { state, note }, audit) {
      return transaction(table, async (unit) => {
        const item = await unit.load(itemKeys.anomaly(tenant, id));
        if (item === null) return null;
        const anomaly = entityOf<Anomaly>(item);
        if (anomaly.version !== version) {
          throw new EventPulseError(
            "ETAG_STALE",
            `Anomaly ${id} is at version ${anomaly.version}, not ${version}: read it again, then repeat the change.`,
          );
        }
        const changed: Anomaly = { ...anomaly, state, note, version: version + 1 };
        unit.put({ ...item, j: JSON.stringify(changed) });
        const { rule, key } = anomaly;
        const counted = await loadFalsePositives(unit, tenant, rule, key);
        const feedback = falsePositiveFeedback(anomaly.state, state, counted);
        if (feedback.after !== counted) putFalsePositives(unit, tenant, rule, key, feedback.after);
        await appendAudit(unit, { ...audit, details: { ...audit.details, ...feedback.details } });
        return changed;
      });
    },
  };
}

/** The list of a tenant is read and what does not fit left out: an incident or a severity has no index of its own. */
function fits(anomaly: Anomaly, { stream, rule, state, incident, severity }: AnomalyQuery): boolean {
  return (
    (stream === null || anomaly.stream === stream) &&
    (rule === null || anomaly.rule === rule) &&
    (state === null || anomaly.state === state) &&
    (incident === null || anomaly.incident === incident) &&
    (severity === null || anomaly.severity === severity)
  );
}
