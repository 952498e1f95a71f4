import { Worker } from "node:worker_threads";
import { limits } from "../../model/limits.ts";
import type { AnomalyLog } from "../../ports/anomaly-log.ts";
import type { AuditLog } from "../../ports/audit-log.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import type { IssueLog } from "../../ports/issue-log.ts";
import type { JobLog } from "../../ports/job-log.ts";
import type { NotificationLog } from "../../ports/notification-log.ts";
import type { WorkQueue } from "../../ports/work-queue.ts";
import type {
  Committed,
  MessageFromProcess,
  MessageToProcess,
  ProcessThreadData,
  Progress,
  Writer,
} from "./process-messages.ts";
import type { RawPosition } from "./raw-position.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { workerFile } from "./worker-file.ts";

export interface ProcessThreadOptions {
  readonly configFile: string;
  readonly dataDirectory: string;
  /** Those that have a key. */
  readonly tenants: readonly string[];
  /** Default `limits.objectSecondsMax`. */
  readonly objectSecondsMax?: number;
  readonly onProgress: (progress: Progress) => void;
  readonly onCommitted: (committed: Committed) => void;
  readonly onHealth: (problem: string | null) => void;
}

/** The ports that the processing thread serves: everything that writes. */
export interface WriterPorts {
  readonly failures: Pick<FailureLog, "retry" | "discard" | "edit">;
  readonly issues: Pick<IssueLog, "change" | "unnoticed" | "settleNotice">;
  readonly jobs: Pick<JobLog, "create" | "change">;
  readonly audit: Pick<AuditLog, "append">;
  readonly anomalies: Pick<AnomalyLog, "annotate">;
  readonly queue: Pick<WorkQueue, "enqueue">;
  readonly notifications: Pick<NotificationLog, "due" | "settle">;
  readonly writer: Writer;
}

/** A message to the other thread for every flush was 4% of the time of a request. */
const noticeMillis = 5;
const pingEveryMillisMax = 5_000;
const respawnDelayMillis = 500;

/**
 * The processing thread as the main thread sees it. When it crashes or hangs it is started again, carefully: one object at a
 * time, until the culprit has been set aside. `restart` starts it with the config as it is then.
 */
export class ProcessThread {
  readonly #options: ProcessThreadOptions;
  readonly #hangMillis: number;
  #worker: Worker | null = null;
  #calls: ThreadCalls | null = null;
  #durable: RawPosition | null = null;
  #notice: NodeJS.Timeout | null = null;
  #live = false;
  #stopping = false;
  #pinger: NodeJS.Timeout | null = null;

  constructor(options: ProcessThreadOptions) {
    this.#options = options;
    this.#hangMillis = 1000 * (options.objectSecondsMax ?? limits.objectSecondsMax);
  }

  /** Starts the thread; resolves when it has opened the database. Throws what the config or the database throws. */
  start(careful = false): Promise<Progress> {
    const { configFile, dataDirectory, tenants } = this.#options;
    const worker = new Worker(workerFile("process-thread", import.meta.url), {
      workerData: { configFile, dataDirectory, tenants, careful } satisfies ProcessThreadData,
      // Bounds what a runaway transform can take before it is stopped and its object set aside.
      // Young objects live for one batch: V8's default of 48 MB and more only fills memory before it is reused.
      resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 9 },
    });
    this.#worker = worker;
    this.#calls = new ThreadCalls(worker);
    return new Promise((resolve, reject) => {
      let ready = false;
      worker.on("message", (message: MessageFromProcess) => {
        if (message.kind === "ready") {
          ready = true;
          this.#resume();
          resolve(message.progress);
        }
        this.#receive(message);
      });
      worker.on("error", (error) =>
        ready ? this.#options.onHealth(`Processing stopped: ${error.message}`) : reject(error),
      );
      worker.on("exit", () => {
        this.#calls?.stop("Processing is being restarted");
        if (this.#worker !== worker) return;
        this.#worker = null;
        // A thread that has not opened the database yet answers to no ping, and must not be taken for one that hangs.
        if (this.#pinger !== null) clearInterval(this.#pinger);
        if (!ready) reject(new Error("The processing thread ended before it was ready."));
        else if (!this.#stopping) void this.#respawn();
      });
    });
  }

  /** Everything before this is durable and may be processed. */
  durable(position: RawPosition): void {
    this.#durable = position;
    if (this.#notice !== null) return;
    this.#notice = setTimeout(() => {
      this.#notice = null;
      if (this.#durable !== null) this.#post({ kind: "durable", position: this.#durable });
    }, noticeMillis);
  }

  /** Whether somebody wants to see what is committed. */
  live(on: boolean): void {
    this.#live = on;
    this.#post({ kind: "live", on });
  }

  get ports(): WriterPorts {
    const port = <Port extends object>(target: string): Port =>
      new Proxy({} as Port, {
        // Looked up at each call: the thread behind it may be another one by then.
        get:
          (_, method) =>
          (...parameters: unknown[]) =>
            (
              this.#calls?.port<Record<string, (...values: unknown[]) => unknown>>(target)[String(method)] as (
                ...values: unknown[]
              ) => unknown
            )(...parameters),
      });
    return {
      failures: port("failures"),
      issues: port("issues"),
      jobs: port("jobs"),
      audit: port("audit"),
      anomalies: port("anomalies"),
      queue: port("queue"),
      notifications: port("notifications"),
      writer: port("writer"),
    };
  }

  /** Ends the thread after the batch under way (`drain`: after all that is durable) and starts it again with the config as it is now. */
  async restart(): Promise<Progress> {
    await this.stop(false);
    this.#stopping = false;
    try {
      return await this.start();
    } catch (error) {
      // The config was good a moment ago and has changed since: without a thread nothing would be processed any more.
      void this.#respawn();
      throw error;
    }
  }

  /** Ends the thread, after all that is durable is processed when `drain`. Gives up after `timeoutMillis`: nothing is lost, it goes on at the next start. */
  async stop(drain: boolean, timeoutMillis = 30_000): Promise<void> {
    this.#stopping = true;
    if (this.#pinger !== null) clearInterval(this.#pinger);
    const worker = this.#worker;
    if (worker === null) return;
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    if (this.#durable !== null) this.#post({ kind: "durable", position: this.#durable });
    this.#post({ kind: "stop", drain });
    const timer = setTimeout(() => void worker.terminate(), timeoutMillis);
    await exited;
    clearTimeout(timer);
    this.#worker = null;
  }

  #resume(): void {
    if (this.#durable !== null) this.durable(this.#durable);
    if (this.#live) this.live(true);
    if (this.#pinger !== null) clearInterval(this.#pinger);
    this.#pinger = setInterval(() => void this.#ping(), Math.min(pingEveryMillisMax, this.#hangMillis / 2));
    this.#pinger.unref();
  }

  #receive(message: MessageFromProcess): void {
    if (message.kind === "ready" || message.kind === "progress") this.#options.onProgress(message.progress);
    else if (message.kind === "committed") for (const one of message.committed) this.#options.onCommitted(one);
    else if (message.kind === "health") this.#options.onHealth(message.problem);
  }

  /** A thread hangs when it does not answer (an endless loop), or answers that it still waits for the same object. */
  async #ping(): Promise<void> {
    const worker = this.#worker;
    const restart = () => {
      this.#options.onHealth("Processing hangs; it is being restarted");
      void worker?.terminate();
    };
    const timer = setTimeout(restart, this.#hangMillis);
    // A failing write is reported by the loop itself; here it only matters that there is an answer.
    const { busyMillis } = await this.ports.writer.ping().catch(() => ({ busyMillis: 0 }));
    clearTimeout(timer);
    if (busyMillis > this.#hangMillis && worker === this.#worker) restart();
  }

  async #respawn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, respawnDelayMillis));
    if (this.#stopping) return;
    try {
      await this.start(true);
      this.#options.onHealth(null);
    } catch (error) {
      this.#options.onHealth(
        `Processing cannot be restarted: ${error instanceof Error ? error.message : String(error)}`,
      );
      void this.#respawn();
    }
  }

  #post(message: MessageToProcess): void {
    this.#worker?.postMessage(message);
  }
}
