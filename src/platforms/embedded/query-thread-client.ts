import { Worker } from "node:worker_threads";
import type { ContractVersion } from "../../model/contract-version.ts";
import type { AnomalyLog } from "../../ports/anomaly-log.ts";
import type { AuditLog } from "../../ports/audit-log.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import type { IssueLog } from "../../ports/issue-log.ts";
import type { JobLog } from "../../ports/job-log.ts";
import type { NotificationLog } from "../../ports/notification-log.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import type { FailureMetrics } from "./failure-metrics.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { workerFile } from "./worker-file.ts";

/** The ports that the query thread serves: everything that reads. */
export interface ReaderPorts {
  readonly records: Pick<RecordTable, "query" | "get" | "series" | "objectResult" | "rawKeys">;
  readonly contracts: { list(tenant: string, stream: string): Promise<readonly ContractVersion[]> };
  readonly anomalies: Pick<AnomalyLog, "query" | "get">;
  readonly failures: Pick<FailureLog, "query" | "get" | "payload">;
  readonly issues: Pick<IssueLog, "query" | "get" | "trend">;
  readonly jobs: Pick<JobLog, "plan" | "get" | "query" | "items">;
  readonly audit: Pick<AuditLog, "query">;
  readonly notifications: Pick<NotificationLog, "query" | "get">;
  readonly metrics: { failures(): Promise<readonly FailureMetrics[]> };
}

/** Queries run in a thread of their own, so that a long one never delays the acknowledgement of events. */
export class QueryThread {
  readonly #worker: Worker;
  readonly #calls: ThreadCalls;
  readonly ports: ReaderPorts;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#calls = new ThreadCalls(worker);
    this.ports = {
      records: this.#calls.port("records"),
      contracts: this.#calls.port("contracts"),
      anomalies: this.#calls.port("anomalies"),
      failures: this.#calls.port("failures"),
      issues: this.#calls.port("issues"),
      jobs: this.#calls.port("jobs"),
      audit: this.#calls.port("audit"),
      notifications: this.#calls.port("notifications"),
      metrics: this.#calls.port("metrics"),
    };
  }

  /** Needs a database that the processing thread has opened before. `onExit` is told when the thread ends by itself. */
  static async start(databasePath: string, onExit: (error: Error) => void): Promise<QueryThread> {
    const worker = new Worker(workerFile("query-thread", import.meta.url), {
      workerData: { databasePath },
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    });
    const thread = new QueryThread(worker);
    worker.on("error", (error) => {
      thread.#calls.stop("Queries are not possible right now");
      onExit(error);
    });
    await new Promise<void>((resolve, reject) => {
      worker.once("online", () => resolve());
      worker.once("error", reject);
    });
    return thread;
  }

  async stop(): Promise<void> {
    this.#calls.stop("The server is stopping");
    await this.#worker.terminate();
  }
}
