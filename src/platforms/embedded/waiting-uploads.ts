import type { Database } from "./database.ts";
import { tenantStream } from "./tenant-stream.ts";

/**
 * Events in uploaded files that are durable and not processed yet, by `tenantStream`. A file whose outcome is committed does not
 * count any more, also when its message has not been acknowledged yet; one that was sent twice counts once.
 */
export function waitingUploads(database: Database): ReadonlyMap<string, number> {
  const rows = database.all<{ tenant: string; stream: string; events: number }>(
    `SELECT tenant, stream, SUM(events) AS events FROM (
       SELECT DISTINCT work.raw_key, work ->> 'tenant' AS tenant, work ->> 'stream' AS stream, work ->> 'events' AS events
         FROM work LEFT JOIN objects ON objects.key = work.raw_key
        WHERE work ->> 'kind' = 'upload' AND objects.committed_at IS NULL)
      GROUP BY tenant, stream`,
  );
  return new Map(rows.map(({ tenant, stream, events }) => [tenantStream(tenant, stream), events]));
}
