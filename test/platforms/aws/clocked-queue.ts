import type { DelayedWork, WorkSender } from "../../../src/platforms/aws/outbox.ts";
import type { WorkMessage, WorkQueue } from "../../../src/ports/work-queue.ts";

/**
 * A queue in memory that keeps a test's own time, for suites whose delays are minutes: what an outbox sends to it is
 * received once it is due. `work-queue.aws.ts` tests the real one.
 */
export function clockedQueue(clock: () => number): WorkSender & WorkQueue {
  let messages: (WorkMessage & { readonly dueAt: number })[] = [];
  let count = 0;
  const send = async (works: readonly DelayedWork[]) => {
    for (const { work, delaySeconds } of works) {
      const id = String(++count);
      messages.push({ id, work, receives: 1, receipt: id, dueAt: clock() + delaySeconds * 1000 });
    }
  };
  return {
    send,
    enqueue: (works, delayMillis = 0) => send(works.map((work) => ({ work, delaySeconds: delayMillis / 1000 }))),
    async receive(max) {
      const due = messages.filter(({ dueAt }) => dueAt <= clock()).slice(0, max);
      messages = messages.filter((message) => !due.includes(message));
      return due.map(({ dueAt: _, ...message }) => message);
    },
    async acknowledge() {},
    async fail(message, delayMillis) {
      messages.push({ ...message, receives: message.receives + 1, dueAt: clock() + delayMillis });
      return "again";
    },
    async deadLetters() {
      return [];
    },
  };
}
