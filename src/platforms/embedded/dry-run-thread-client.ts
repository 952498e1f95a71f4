import { Worker } from "node:worker_threads";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { workerFile } from "./worker-file.ts";

export interface DryRunThreadData {
  readonly configFile: string;
}

/** What the thread of dry runs does. */
export interface DryRuns<Request> {
  /** What came of it, as JSON text. */
  run(request: Request): Promise<string>;
}

interface Running<Request> {
  readonly worker: Worker;
  readonly port: DryRuns<Request>;
  ready: boolean;
  ended: boolean;
}

/** Nobody tries for so long: the thread and its 30 MB go, and come back in 200 ms. */
const idleMillis = 30_000;

/**
 * Dry runs in a thread of their own: a transform that loops, exits or takes all memory ends that thread, and neither the
 * answers of this process nor the processing of events. One dry run at a time, so that no other pays for it.
 */
export class DryRunThread<Request> implements DryRuns<Request> {
  readonly #configFile: string;
  readonly #secondsMax: number;
  #running: Running<Request> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #idle: NodeJS.Timeout | null = null;

  constructor(configFile: string, secondsMax: number = limits.dryRunSecondsMax) {
    this.#configFile = configFile;
    this.#secondsMax = secondsMax;
  }

  /** Throws what the dry run throws, DRY_RUN_ENDED when the transform ended the thread or took too long, and TOO_BUSY. */
  async run(request: Request): Promise<string> {
    if (this.#waiting >= limits.dryRunsWaitingMax) {
      throw new EventPulseError("TOO_BUSY", "Too many dry runs are waiting; try again later.", {
        retryAfterSeconds: 1,
      });
    }
    this.#waiting++;
    const result = this.#last.then(() => this.#runAlone(request));
    this.#last = result.catch(() => undefined).finally(() => this.#waiting--);
    return result;
  }

  /** Ends the thread; the next dry run starts it again, with the config as it is then. */
  async stop(): Promise<void> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    await this.#running?.worker.terminate();
    this.#running = null;
  }

  async #runAlone(request: Request): Promise<string> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    const running = this.#running ?? this.#start();
    const timer = setTimeout(() => void running.worker.terminate(), this.#secondsMax * 1000);
    try {
      return await running.port.run(request);
    } catch (error) {
      if (!running.ended) throw error;
      if (!running.ready) {
        const reason = "Dry runs are not possible right now: the config cannot be loaded as it is on disk.";
        throw new EventPulseError("SHUTTING_DOWN", reason, { retryAfterSeconds: 5 });
      }
      throw new EventPulseError(
        "DRY_RUN_ENDED",
        `The contract or the transform ended its thread, or took longer than ${this.#secondsMax} s; look for endless loops.`,
      );
    } finally {
      clearTimeout(timer);
      this.#idle = setTimeout(() => void this.stop(), idleMillis);
      this.#idle.unref();
    }
  }

  #start(): Running<Request> {
    const worker = new Worker(workerFile("dry-run-thread", import.meta.url), {
      workerData: { configFile: this.#configFile } satisfies DryRunThreadData,
      resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 6 },
    });
    const calls = new ThreadCalls(worker);
    const running: Running<Request> = { worker, port: calls.port("dryRuns"), ready: false, ended: false };
    worker.once("message", () => {
      running.ready = true;
    });
    // The exit that follows tells the rest.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      running.ended = true;
      if (this.#running === running) this.#running = null;
      calls.stop("The dry run has ended");
    });
    this.#running = running;
    return running;
  }
}
