import { setTimeout as sleep } from "node:timers/promises";
import { limits } from "../../model/limits.ts";
import type { Outcome, OutcomeResult, OutcomeSubject } from "../../model/outcome.ts";
import { failObject, processObject, processWork, type WorkContext } from "../../pipeline/process/process-work.ts";
import type { WorkMessage, WorkQueue } from "../../ports/work-queue.ts";
import { commitUntilDone } from "./commit-until-done.ts";
import type { DetectorCache } from "./detector-cache.ts";
import { isJobMessage, JobLoop, type JobLoopOptions } from "./job-loop.ts";
import { comparePositions, type RawPosition } from "./raw-position.ts";
import type { RawEntry, RawReader } from "./raw-reader.ts";

export interface ProcessLoopOptions extends WorkContext, Omit<JobLoopOptions, "onItem"> {
  readonly reader: RawReader;
  readonly records: DetectorCache;
  readonly failures: JobLoopOptions["failures"];
  readonly queue: Pick<WorkQueue, "receive" | "fail" | "deadLetters">;
  /**
   * One transaction: the outcomes, the messages of the queue that they settle, and, unless it is null, how far the log is
   * processed (`bytes` further than before).
   */
  readonly commit: (
    outcomes: readonly Outcome[],
    checkpoint: RawPosition | null,
    bytes: number,
    done: readonly WorkMessage[],
  ) => readonly OutcomeResult[];
  /** Told after every commit. */
  readonly onCommitted: (outcomes: readonly Outcome[], results: readonly OutcomeResult[]) => void;
  /** Null when commits work (again); else why they do not. */
  readonly onHealth: (problem: string | null) => void;
  /** Called between batches, with the time up to which all that arrived is processed. */
  readonly betweenBatches: (seenUntil: number) => Promise<void>;
  /** After a crash: notes what is about to be processed; answers how often that was noted before. */
  readonly suspect: { readonly note: (position: RawPosition) => number; readonly clear: () => void };
  readonly checkpoint: RawPosition;
  /** True when the process before this one crashed: objects are then taken one by one until the culprit is known. */
  readonly careful: boolean;
}

type LogEntry = Exclude<RawEntry, { kind: "erased" }>;

/** One transaction holds about this much. Identities looked up at random gain from large ones: 80,000/s at 20,000 events, 50,000 to 60,000 at 5,000. */
const batchEvents = 10_000;
const batchBytes = 4 * 1024 * 1024;
/**
 * After a batch that was less than half full the next one gathers for so long. Each commit is a flush that the raw log has
 * to wait for: at 64 connections with one event a request, 7,700 requests/s were acknowledged without this pause.
 */
const gatherMillis = 50;
/** What was acknowledged this long ago is known here: the main thread tells of it within milliseconds, unless it is busy. */
const toldMillis = 1_000;
/** Messages taken and settled at once. */
const messagesMax = 10;
/** Queue polls: retries have delays of seconds, so four polls a second are plenty. */
const queuePollMillis = 250;
/** Crashes on one object before it is set aside as poison. */
const crashesMax = 3;

/**
 * Processing on the embedded platform: reads the raw log in order, in batches, and commits each batch with the place it has
 * reached; between batches it takes due work from the queue. A crash at any point starts again from the checkpoint.
 */
export class ProcessLoop {
  readonly #options: ProcessLoopOptions;
  readonly #jobs: JobLoop;
  /** How far the log is read, and how far what was read is committed. */
  #position: RawPosition;
  #settled: RawPosition;
  #durable: RawPosition;
  #wake: (() => void) | null = null;
  #stopping = false;
  /**
   * What is still taken one object at a time after a crash: as much as a batch holds, for the culprit was in the batch that
   * was under way. Null when processing is not careful.
   */
  #careful: { events: number; bytes: number } | null;
  #queuePolledAt = 0;
  #batchFull = false;
  #queueTroubled = false;
  #busySince: number | null = null;
  /** When the object processed last arrived. */
  #receivedAt = 0;

  constructor(options: ProcessLoopOptions) {
    this.#options = options;
    this.#position = options.checkpoint;
    this.#settled = options.checkpoint;
    this.#durable = options.checkpoint;
    this.#jobs = new JobLoop({ ...options, onItem: (busy) => this.#busy(busy) });
    this.#careful = options.careful ? { events: batchEvents, bytes: batchBytes } : null;
  }

  /** Everything in the log before it is processed. */
  get position(): RawPosition {
    return this.#settled;
  }

  /** Everything before `position` may be read. */
  durable(position: RawPosition): void {
    if (comparePositions(position, this.#durable) > 0) this.#durable = position;
    this.wake();
  }

  /** Work may have become due. */
  wake(): void {
    this.#queuePolledAt = 0;
    this.#wake?.();
  }

  /** How long the object under way has taken so far, in milliseconds; 0 when none is. */
  get busyMillis(): number {
    return this.#busySince === null ? 0 : this.#options.clock() - this.#busySince;
  }

  /** Ends `run` when all that is durable is processed (`drain`) or after the batch under way. */
  stop(drain: boolean): void {
    this.#stopping = true;
    if (!drain) this.#durable = this.#position;
    this.wake();
  }

  async run(): Promise<void> {
    for (;;) {
      const logged = await this.#processLog();
      const queued = !this.#stopping && (await this.#processQueue());
      if (!this.#stopping) await this.#options.betweenBatches(this.#seenUntil());
      const gathers = logged && !this.#batchFull && this.#careful === null && !this.#stopping;
      if (gathers) await sleep(gatherMillis);
      // Lets calls from other threads in.
      else if (logged || queued) await new Promise((resolve) => setImmediate(resolve));
      else if (this.#stopping) return;
      else await this.#idle();
    }
  }

  /** With more to read, what came behind the object processed last is not known yet. */
  #seenUntil(): number {
    const isAtEnd = comparePositions(this.#position, this.#durable) >= 0;
    return isAtEnd ? this.#options.clock() - toldMillis : this.#receivedAt;
  }

  async #idle(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, queuePollMillis);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  async #processLog(): Promise<boolean> {
    const entries = this.#nextEntries();
    if (entries.length === 0) {
      this.#settled = this.#position;
      return false;
    }
    const last = entries.at(-1) as LogEntry;
    this.#receivedAt = last.object.meta.receivedAt;
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const outcomes = await this.#commit(
      async () => {
        const computed: Outcome[] = [];
        for (const entry of entries) computed.push(...(await this.#timed(async () => [await this.#outcomeOf(entry)])));
        return computed;
      },
      last.next,
      bytes,
    );
    this.#batchFull =
      bytes > batchBytes / 2 || outcomes.reduce((sum, { meta }) => sum + meta.events, 0) > batchEvents / 2;
    this.#settled = this.#position;
    this.#careOff(outcomes, bytes);
    return true;
  }

  /** Counts what was processed one by one, until that is over. */
  #careOff(outcomes: readonly Outcome[], bytes: number): void {
    if (this.#careful === null) return;
    this.#careful.events -= outcomes.reduce((sum, { meta }) => sum + meta.events, 0);
    this.#careful.bytes -= bytes;
    if (this.#careful.events > 0 && this.#careful.bytes > 0) return;
    this.#careful = null;
    this.#options.suspect.clear();
  }

  #nextEntries(): readonly LogEntry[] {
    const entries: LogEntry[] = [];
    let events = 0;
    let bytes = 0;
    const objectsMax = this.#careful === null ? Number.POSITIVE_INFINITY : 1;
    while (events < batchEvents && bytes < batchBytes && entries.length < objectsMax) {
      if (comparePositions(this.#position, this.#durable) >= 0) break;
      const sameSegment = this.#position.segment === this.#durable.segment;
      const entry = this.#options.reader.at(
        this.#position,
        sameSegment ? this.#durable.offset : Number.POSITIVE_INFINITY,
      );
      if (entry === null) {
        // The end of a segment; on with the next.
        const next = sameSegment ? null : this.#options.reader.segmentAfter(this.#position.segment);
        this.#position = next === null ? this.#durable : { segment: next, offset: 0 };
        continue;
      }
      this.#position = entry.next;
      if (entry.kind === "erased") continue;
      entries.push(entry);
      events += entry.object.meta.events;
      bytes += entry.bytes;
    }
    return entries;
  }

  async #outcomeOf(entry: LogEntry): Promise<Outcome> {
    const { object, position } = entry;
    const subject: OutcomeSubject = { kind: "object" };
    const { project } = this.#options;
    if (entry.kind === "corrupt") {
      const detail = "The bytes do not match their checksum any more; compare with a backup or ask the sender.";
      return failObject(object, subject, null, "RAW_CORRUPT", detail, project);
    }
    if (this.#careful !== null && this.#options.suspect.note(position) >= crashesMax) {
      const detail = `Processing it ended the process ${crashesMax} times; look for endless loops or huge results in the transform.`;
      return failObject(object, subject, null, "OBJECT_POISON", detail, project);
    }
    return processObject(object, subject, null, this.#options);
  }

  /** Remembers when it began, for whoever asks whether an object takes too long, and what the next outcome builds on. */
  async #timed(compute: () => Promise<readonly Outcome[]>): Promise<readonly Outcome[]> {
    this.#busy(true);
    try {
      const outcomes = await compute();
      for (const outcome of outcomes) this.#options.records.remember(outcome);
      return outcomes;
    } finally {
      this.#busy(false);
    }
  }

  #busy(busy: boolean): void {
    this.#busySince = busy ? this.#options.clock() : null;
  }

  async #commit(
    compute: () => Promise<readonly Outcome[]>,
    checkpoint: RawPosition | null,
    bytes: number,
    done: () => readonly WorkMessage[] = () => [],
  ): Promise<readonly Outcome[]> {
    const { records, onHealth } = this.#options;
    const { computed, result } = await commitUntilDone(
      compute,
      (outcomes) => this.#options.commit(outcomes, checkpoint, bytes, done()),
      { health: onHealth, stale: () => records.clear() },
    );
    if (result.some(({ applied }) => !applied)) records.clear();
    this.#options.onCommitted(computed, result);
    return computed;
  }

  /** A queue that cannot be read or written (a full disk) is tried again at the next poll. */
  async #processQueue(): Promise<boolean> {
    const troubled = this.#queueTroubled;
    try {
      this.#queueTroubled = false;
      const worked = await this.#takeWork();
      if (troubled && !this.#queueTroubled) this.#options.onHealth(null);
      return worked;
    } catch (error) {
      this.#troubleQueue("The queue cannot be used", error);
      return false;
    }
  }

  #troubleQueue(what: string, error: unknown): void {
    this.#queueTroubled = true;
    this.#options.onHealth(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }

  async #takeWork(): Promise<boolean> {
    const now = this.#options.clock();
    if (now - this.#queuePolledAt < queuePollMillis) return false;
    this.#queuePolledAt = now;
    const dead = await this.#options.queue.deadLetters(messagesMax);
    await this.#take(dead, true);
    // After a crash one by one: a message that ends the thread must not use up the receives of others.
    const messages = await this.#options.queue.receive(this.#careful === null ? messagesMax : 1);
    await this.#take(messages, false);
    const worked = messages.length + dead.length > 0;
    if (worked) this.#queuePolledAt = 0;
    return worked;
  }

  async #take(messages: readonly WorkMessage[], dead: boolean): Promise<void> {
    await this.#settle(
      messages.filter((message) => !isJobMessage(message)),
      dead,
    );
    for (const message of messages.filter(isJobMessage)) await this.#jobs.run(message, dead);
  }

  /** One commit for all that can be processed; what cannot (its object cannot be read) comes again, or stays a dead letter. */
  async #settle(messages: readonly WorkMessage[], dead: boolean): Promise<void> {
    if (messages.length === 0) return;
    const failed = new Map<WorkMessage, unknown>();
    const compute = async () => {
      const outcomes: Outcome[] = [];
      for (const message of messages) {
        try {
          outcomes.push(...(await this.#timed(() => processWork(message.work, dead, this.#options))));
        } catch (error) {
          failed.set(message, error);
        }
      }
      return outcomes;
    };
    await this.#commit(compute, null, 0, () => messages.filter((message) => !failed.has(message)));
    for (const [message, error] of failed) {
      if (!dead) await this.#options.queue.fail(message, 1000 * 2 ** Math.min(message.receives, limits.attemptsMax));
      this.#troubleQueue("Work of the queue failed", error);
    }
  }
}
