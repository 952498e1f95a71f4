import { randomUUID } from "node:crypto";
import type { Work } from "../../ports/work-queue.ts";
import { entityOf, type Item } from "./item.ts";
import { allShards, itemKeys, shards, timeText } from "./item-keys.ts";
import { type Clock, chunks, type Table } from "./table.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** What the outbox hands work to. Throws when it did not take all of it. */
export interface WorkSender {
  send(works: readonly DelayedWork[]): Promise<void>;
}

export interface DelayedWork {
  readonly work: Work;
  /** Whole seconds, at most `delaySecondsMax`. */
  readonly delaySeconds: number;
}

interface Entry {
  readonly work: Work;
  readonly dueAt: number;
}

/** What SQS can hold a message back; what is due later waits in the table until it is this near. */
export const delaySecondsMax = 900;
/** Work handed over at once by a sweep. */
const sweepChunk = 100;

/**
 * Work that a commit asks for, kept in the table until the queue has it: a crash between the two loses nothing. Work may be
 * handed over twice (the queue took it, and the process ended before the table forgot it), as a queue may deliver twice.
 */
export class Outbox {
  readonly #table: Table;
  readonly #queue: WorkSender;
  readonly #clock: Clock;
  #committed: Item[] = [];

  constructor(table: Table, queue: WorkSender, clock: Clock = table.clock) {
    this.#table = table;
    this.#queue = queue;
    this.#clock = clock;
  }

  /** Within a unit: `work` is to be received from `dueAt` on. One item. */
  add(unit: UnitOfWork, work: Work, dueAt: number): void {
    const item = workItem(work, dueAt);
    unit.put(item);
    unit.onCommit(() => this.#committed.push(item));
  }

  /** Without a unit: durable when it resolves, to be received from `dueAt` on. */
  async keep(works: readonly Work[], dueAt: number): Promise<void> {
    await this.#table.putAll(works.map((work) => workItem(work, dueAt)));
  }

  /** Hands what was added and committed to the queue. What cannot be handed over now is left to `sweep`. Never throws. */
  async dispatch(): Promise<void> {
    const items = this.#committed;
    this.#committed = [];
    try {
      await this.#handOver(items);
    } catch {
      // It is in the table: the next sweep hands it over.
    }
  }

  /** Hands over what earlier processes left behind, and what is due now. For the schedule. */
  async sweep(): Promise<void> {
    for (const shard of allShards(shards.outbox)) {
      const partition = itemKeys.workPartition(shard);
      const to = timeText(this.#clock() + delaySecondsMax * 1000 + 1);
      let waiting: Item[] = [];
      for await (const item of this.#table.queryAll({ index: null, partition, to })) {
        waiting.push(item);
        if (waiting.length < sweepChunk) continue;
        await this.#handOver(waiting);
        waiting = [];
      }
      await this.#handOver(waiting);
    }
  }

  async #handOver(items: readonly Item[]): Promise<void> {
    const now = this.#clock();
    const near = items
      .map((item) => ({ item, ...entityOf<Entry>(item) }))
      .filter(({ dueAt }) => dueAt <= now + delaySecondsMax * 1000);
    for (const chunk of chunks(near, sweepChunk)) {
      await this.#queue.send(
        chunk.map(({ work, dueAt }) => ({ work, delaySeconds: Math.max(0, Math.ceil((dueAt - now) / 1000)) })),
      );
      await this.#table.deleteAll(chunk.map(({ item }) => item));
    }
  }
}

/** Sorted by when it is due, so that a sweep reads nothing that is not near; two requests for the same work are two items. */
function workItem(work: Work, dueAt: number): Item {
  const entry: Entry = { work, dueAt };
  return { ...itemKeys.work(`${timeText(dueAt)}#${randomUUID()}`), j: JSON.stringify(entry) };
}
