import type { StreamCounters } from "../../src/model/outcome.ts";
import type { Page, PageRequest } from "../../src/model/page.ts";
import type { AnomalyLog } from "../../src/ports/anomaly-log.ts";
import type { AuditLog } from "../../src/ports/audit-log.ts";
import type { DetectorStates } from "../../src/ports/detector-states.ts";
import type { FailureLog } from "../../src/ports/failure-log.ts";
import type { IssueLog } from "../../src/ports/issue-log.ts";
import type { NotificationLog } from "../../src/ports/notification-log.ts";
import type { RecordTable } from "../../src/ports/record-table.ts";
import type { WorkQueue } from "../../src/ports/work-queue.ts";

/** The ports that one commit writes to, over one empty store. */
export interface StoreHarness {
  readonly records: RecordTable;
  readonly anomalies: AnomalyLog;
  readonly states: DetectorStates;
  readonly failures: FailureLog;
  readonly issues: IssueLog;
  readonly audit: AuditLog;
  readonly notifications: NotificationLog;
  readonly queue: WorkQueue;
  /** Counters of a stream, zero for one that has none. */
  counters(tenant: string, stream: string): Promise<StreamCounters>;
  /** The platform's time, milliseconds since 1970. */
  now(): number;
  /** Lets at least this much of the platform's time pass. */
  wait(millis: number): Promise<void>;
  /** Resolves when all that was written can be read. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Runs a test over a store of its own. */
export function withStore(create: () => Promise<StoreHarness>) {
  return (body: (store: StoreHarness) => Promise<void>) => async () => {
    const store = await create();
    try {
      await body(store);
    } finally {
      await store.close();
    }
  };
}

/** Every row of a list, page by page, each of at most `limit` rows. */
export async function allRows<Row>(query: (request: PageRequest) => Promise<Page<Row>>, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Row> = await query({ limit, cursor });
    if (page.rows.length > limit) throw new Error(`A page of ${limit} holds ${page.rows.length} rows`);
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor !== null);
  return rows;
}
