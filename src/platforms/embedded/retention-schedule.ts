import type { Project } from "../../model/definition.ts";
import { limits, retentionMillisDefault } from "../../model/limits.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { Database } from "./database.ts";
import type { RawPosition } from "./raw-position.ts";
import { RawRetention } from "./raw-retention.ts";
import { rawKeysInFlight, sweep } from "./retention.ts";

export interface RetentionScheduleOptions {
  readonly database: Database;
  readonly objects: Pick<ObjectStore, "list" | "delete">;
  readonly rawLog: string;
  readonly project: Project;
  /** How far the raw log is processed: nothing from there on may go. */
  readonly processed: () => RawPosition;
  readonly clock: () => number;
}

const sweepEveryMillis = 60_000;
/** Rows deleted in one transaction: few, so that processing gets its turn between two of them. */
const chunkRows = 2_000;

/** Removes what has expired, once a minute, in small pieces between the batches of processing. */
export class RetentionSchedule {
  readonly #options: RetentionScheduleOptions;
  readonly #raw: RawRetention;
  #timer: NodeJS.Timeout | null = null;
  #running = false;

  constructor(options: RetentionScheduleOptions) {
    this.#options = options;
    this.#raw = new RawRetention(options.rawLog);
  }

  start(): void {
    this.#timer = setInterval(() => void this.#run(), sweepEveryMillis);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#sweep();
    } finally {
      this.#running = false;
    }
  }

  async #sweep(): Promise<void> {
    const { database, clock, processed, project } = this.#options;
    const now = clock();
    while (this.#timer !== null && sweep(database, now, { rowsMax: chunkRows }).more) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const shortest = Math.min(
      retentionMillisDefault,
      ...[...project.streams.values()].map(({ retention }) => retention.raw),
    );
    this.#raw.sweep(processed().segment, now, (stream) => this.#rawRetention(stream), shortest);
    await this.#sweepObjects(now);
  }

  async #sweepObjects(now: number): Promise<void> {
    const { objects } = this.#options;
    const inFlight = rawKeysInFlight(this.#options.database);
    for await (const { key, storedAt } of objects.list("raw/")) {
      const stream = key.split("/")[1] ?? "";
      if (storedAt + this.#rawRetention(stream) <= now && !inFlight.has(key)) await objects.delete(key);
    }
    for await (const { key, storedAt } of objects.list("uploads/")) {
      if (storedAt + limits.uploadLinkSeconds * 1000 + retentionMillisDefault <= now) await objects.delete(key);
    }
  }

  #rawRetention(stream: string): number {
    return this.#options.project.streams.get(stream)?.retention.raw ?? retentionMillisDefault;
  }
}
