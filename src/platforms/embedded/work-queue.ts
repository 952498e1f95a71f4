import { randomUUID } from "node:crypto";
import { assert } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { Work, WorkMessage, WorkQueue } from "../../ports/work-queue.ts";
import type { Clock, Database } from "./database.ts";

export interface SqliteWorkQueue extends WorkQueue {
  /** `enqueue` inside a transaction of the caller. */
  enqueueSync(work: readonly Work[], delayMillis?: number): void;
  /** `acknowledge` inside a transaction of the caller. */
  acknowledgeSync(message: WorkMessage): void;
  /**
   * For the start of the only receiver: what its predecessor had received and not settled is due now, instead of after the
   * visibility timeout. Their receives stay counted, so a message that ends the process is a dead letter in the end.
   */
  recover(): void;
}

export interface WorkQueueOptions {
  /** How long a received message stays invisible. Default 300: longer than any object takes, short enough after a crash. */
  readonly visibilityTimeoutSeconds?: number;
}

interface WorkRow {
  readonly id: number;
  readonly work: string;
  readonly receives: number;
}

const messagesMax = 10;

/**
 * A queue in the embedded database.
 *
 * States of a message, all told by its row: *waiting* while `due_at` is ahead; *due* from then on; received, it waits again
 * for the visibility timeout; *dead* when it is due and has been received `limits.attemptsMax` times. It leaves by an
 * acknowledgement with its latest receipt, from any of these.
 */
export function sqliteWorkQueue(
  database: Database,
  clock: Clock,
  { visibilityTimeoutSeconds = 300 }: WorkQueueOptions = {},
): SqliteWorkQueue {
  function enqueueSync(work: readonly Work[], delayMillis = 0): void {
    database.transaction(() => insertWork(database, work, clock() + delayMillis));
  }

  function acknowledgeSync({ id, receipt }: WorkMessage): void {
    database.run("DELETE FROM work WHERE id = ? AND receipt = ?", Number(id), receipt);
  }

  /** Hands rows out under new receipts. Nothing is written, and nothing flushed, when there are none. */
  function handOut(condition: string, max: number, receivesMore: number): WorkMessage[] {
    assert(max >= 1 && max <= messagesMax, "between 1 and 10 messages are asked for");
    const now = clock();
    const rows = database.all<WorkRow>(
      `SELECT id, work, receives FROM work WHERE due_at <= ? AND ${condition} ORDER BY due_at, id LIMIT ?`,
      now,
      limits.attemptsMax,
      max,
    );
    if (rows.length === 0) return [];
    return database.transaction(() =>
      rows.map(({ id, work, receives }) => {
        const message = {
          id: String(id),
          work: JSON.parse(work) as Work,
          receives: receives + receivesMore,
          receipt: randomUUID(),
        };
        database.run(
          "UPDATE work SET receives = ?, receipt = ?, due_at = ? WHERE id = ?",
          message.receives,
          message.receipt,
          now + visibilityTimeoutSeconds * 1000,
          id,
        );
        return message;
      }),
    );
  }

  return {
    enqueueSync,
    async enqueue(work, delayMillis) {
      enqueueSync(work, delayMillis);
    },
    async receive(max) {
      return handOut("receives < ?", max, 1);
    },
    acknowledgeSync,
    recover() {
      database.run("UPDATE work SET due_at = ?, receipt = NULL WHERE receipt IS NOT NULL", clock());
    },
    async acknowledge(message) {
      acknowledgeSync(message);
    },
    async fail({ id, receives, receipt }, delayMillis) {
      const dead = receives >= limits.attemptsMax;
      database.run(
        "UPDATE work SET due_at = ? WHERE id = ? AND receipt = ?",
        dead ? clock() : clock() + delayMillis,
        Number(id),
        receipt,
      );
      return dead ? "dead" : "again";
    },
    async deadLetters(max) {
      return handOut("receives >= ?", max, 0);
    },
  };
}

/** Writes work that is due at `dueAt`, inside a transaction of the caller. */
export function insertWork(database: Database, work: readonly Work[], dueAt: number): void {
  for (const one of work) {
    database.run(
      "INSERT INTO work (work, raw_key, due_at) VALUES (?, ?, ?)",
      JSON.stringify(one),
      "rawKey" in one ? one.rawKey : null,
      dueAt,
    );
  }
}
