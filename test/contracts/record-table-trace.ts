import { anyAnomaly as filterOfAnomalies } from "../../src/model/anomaly.ts";
import { anyFailure as filterOfAll } from "../../src/model/job.ts";
import type { AnomalyQuery } from "../../src/ports/anomaly-log.ts";
import type { FailureQuery } from "../../src/ports/failure-log.ts";
import type { SeriesQuery } from "../../src/ports/record-table.ts";
import { noon, stream, tenant } from "./outcome-samples.ts";
import type { StoreHarness } from "./store-harness.ts";

export const minute = 60_000;
export const listed = { tenant, stream: null, limit: 100, cursor: null };
export const anyAnomaly: AnomalyQuery = { ...filterOfAnomalies, ...listed };
export const anyFailure: FailureQuery = { ...filterOfAll, ...listed, order: "desc" };
export const anyRecord = {
  tenant,
  stream,
  from: null,
  to: null,
  order: "asc",
  where: [],
  limit: 100,
  cursor: null,
} as const;
export const totals: SeriesQuery = { tenant, stream, field: "total", from: noon, to: noon + 60 * minute, points: 60 };

/** Everything that commits have left behind for the sample tenant and stream. */
export async function trace({ records, anomalies, failures, notifications, queue, settle, counters }: StoreHarness) {
  await settle();
  return {
    records: (await records.query(anyRecord)).rows.length,
    failures: (await failures.query(anyFailure)).rows.length,
    anomalies: (await anomalies.query(anyAnomaly)).rows.length,
    states: (await records.loadStates(tenant, [{ rule: "spend", key: "DE" }])).map(({ stateJson }) => stateJson),
    rollups: (await records.series(totals)).points.map(({ max }) => max),
    notifications: (await notifications.query({ tenant, limit: 10, cursor: null })).rows.length,
    retries: (await queue.receive(10)).map(({ work }) => work.kind),
    received: (await counters(tenant, stream)).received,
  };
}

/** The trace of an empty store. */
export const nothing = {
  records: 0,
  failures: 0,
  anomalies: 0,
  states: ["null"],
  rollups: [],
  notifications: 0,
  retries: [],
  received: 0,
};
