import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { limits } from "../../src/model/limits.ts";
import type { Work, WorkMessage, WorkQueue } from "../../src/ports/work-queue.ts";
import { only, stream, tenant } from "./outcome-samples.ts";

export interface WorkQueueHarness {
  /** Two receivers of one empty queue. */
  readonly queue: WorkQueue;
  readonly other: WorkQueue;
  readonly visibilityTimeoutSeconds: number;
  /** Lets at least this much of the platform's time pass. */
  wait(millis: number): Promise<void>;
  /** Ends the process that holds the queue, without warning, and starts it again. */
  restart(): Promise<WorkQueue>;
  close(): Promise<void>;
}

function work(number: number): Work {
  return { kind: "upload", tenant, stream, rawKey: `raw/orders/${number}`, events: number };
}

const sortable = (one: Work) => JSON.stringify(Object.entries(one).sort());
const numberOf = (message: WorkMessage) => (message.work.kind === "upload" ? message.work.events : -1);

/** Receives until nothing comes any more. */
async function drain(queue: WorkQueue): Promise<WorkMessage[]> {
  const messages: WorkMessage[] = [];
  for (;;) {
    const more = await queue.receive(10);
    if (more.length === 0) return messages;
    messages.push(...more);
  }
}

/** One test for each sentence of `src/ports/work-queue.ts`. */
export function workQueueContract(create: () => Promise<WorkQueueHarness>): void {
  describe("work-queue", () => {
    receiving(create);
    ending(create);
  });
}

function withQueue(create: () => Promise<WorkQueueHarness>) {
  return (body: (harness: WorkQueueHarness) => Promise<void>) => async () => {
    const harness = await create();
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };
}

function receiving(create: () => Promise<WorkQueueHarness>): void {
  const queued = withQueue(create);

  test(
    "gives all work that was enqueued, as it was, up to `max` at a time",
    queued(async ({ queue }) => {
      const kinds: Work[] = [
        work(1),
        { kind: "event", tenant, stream, rawKey: "raw/é 😀", index: 3, attempt: 2 },
        { kind: "failure", tenant, stream, failureId: "fail_1", attempt: 5 },
      ];
      const all = [...kinds, ...Array.from({ length: 20 }, (_, number) => work(number + 2))];
      await queue.enqueue(all);
      const [ten, one] = [await queue.receive(10), await queue.receive(1)];
      assert.ok(ten.length >= 1 && ten.length <= 10);
      assert.ok(one.length <= 1);
      const received = [...ten, ...one, ...(await drain(queue))].map((message) => message.work);
      assert.deepEqual(received.map(sortable).sort(), all.map(sortable).sort());
    }),
  );

  test(
    "is empty when there is nothing to do",
    queued(async ({ queue }) => {
      assert.deepEqual(await queue.receive(10), []);
      await queue.enqueue([]);
      assert.deepEqual(await queue.receive(10), []);
      assert.deepEqual(await queue.deadLetters(10), []);
    }),
  );

  test(
    "keeps work over a crash",
    queued(async (harness) => {
      await harness.queue.enqueue([work(1), work(2)]);
      const queue = await harness.restart();
      assert.deepEqual((await drain(queue)).map(numberOf).sort(), [1, 2]);
    }),
  );

  test(
    "gives work not before its delay has passed",
    queued(async ({ queue, wait }) => {
      await queue.enqueue([work(1)], 2000);
      await queue.enqueue([work(2)]);
      assert.deepEqual((await drain(queue)).map(numberOf), [2]);
      await wait(2000);
      assert.deepEqual((await drain(queue)).map(numberOf), [1]);
    }),
  );

  test(
    "never gives one message to two receivers at the same time",
    queued(async ({ queue, other }) => {
      await queue.enqueue(Array.from({ length: 30 }, (_, number) => work(number)));
      const batches = await Promise.all(
        Array.from({ length: 10 }, (_, turn) => (turn % 2 === 0 ? queue : other).receive(10)),
      );
      const received = [...batches.flat(), ...(await drain(other))].map(numberOf);
      assert.deepEqual(
        received.sort((left, right) => left - right),
        Array.from({ length: 30 }, (_, number) => number),
      );
    }),
  );

  test(
    "gives a message again after the visibility timeout, with another receipt and one receive more",
    queued(async ({ queue, wait, visibilityTimeoutSeconds }) => {
      await queue.enqueue([work(1)]);
      const first = only(await queue.receive(10));
      assert.equal(first.receives, 1);
      assert.deepEqual(await queue.receive(10), []);
      await wait(visibilityTimeoutSeconds * 1000);
      const second = only(await queue.receive(10));
      assert.deepEqual([second.work, second.receives], [first.work, 2]);
      assert.notEqual(second.receipt, first.receipt);
    }),
  );
}

function ending(create: () => Promise<WorkQueueHarness>): void {
  const queued = withQueue(create);

  test(
    "does not give acknowledged work again, and takes a second acknowledgement",
    queued(async ({ queue, wait, visibilityTimeoutSeconds }) => {
      await queue.enqueue([work(1)]);
      const message = only(await queue.receive(10));
      await queue.acknowledge(message);
      await queue.acknowledge(message);
      await wait(visibilityTimeoutSeconds * 1000);
      assert.deepEqual(await queue.receive(10), []);
      assert.deepEqual(await queue.deadLetters(10), []);
    }),
  );

  test(
    "changes nothing for an acknowledgement or a failure with an old receipt",
    queued(async ({ queue, wait, visibilityTimeoutSeconds }) => {
      await queue.enqueue([work(1)]);
      const late = only(await queue.receive(10));
      await wait(visibilityTimeoutSeconds * 1000);
      const current = only(await queue.receive(10));
      await queue.acknowledge(late);
      await queue.fail(late, 0);
      assert.deepEqual(await queue.receive(10), [], "still with its receiver");
      await wait(visibilityTimeoutSeconds * 1000);
      const again = only(await queue.receive(10));
      assert.deepEqual([again.work, again.receives], [current.work, 3]);
    }),
  );

  test(
    "gives failed work again after its delay",
    queued(async ({ queue, wait }) => {
      await queue.enqueue([work(1)]);
      assert.equal(await queue.fail(only(await queue.receive(10)), 2000), "again");
      assert.deepEqual(await queue.receive(10), []);
      await wait(2000);
      assert.equal(only(await queue.receive(10)).receives, 2);
    }),
  );

  test(
    "makes work a dead letter when it has failed as often as it may, and gives it to no receiver any more",
    queued(async ({ queue, wait, visibilityTimeoutSeconds }) => {
      await queue.enqueue([work(1)]);
      for (let receive = 1; receive <= limits.attemptsMax; receive++) {
        assert.deepEqual(await queue.deadLetters(10), []);
        const message = only(await queue.receive(10));
        assert.equal(message.receives, receive);
        assert.equal(await queue.fail(message, 0), receive < limits.attemptsMax ? "again" : "dead");
      }
      assert.deepEqual(await queue.receive(10), []);
      await wait(visibilityTimeoutSeconds * 1000);
      assert.deepEqual(await queue.receive(10), []);
      assert.deepEqual(only(await queue.deadLetters(10)).work, work(1));
    }),
  );

  test(
    "makes work a dead letter that was received as often as it may and never came back",
    queued(async ({ queue, wait, visibilityTimeoutSeconds }) => {
      await queue.enqueue([work(1)]);
      for (let receive = 1; receive <= limits.attemptsMax; receive++) {
        only(await queue.receive(10));
        await wait(visibilityTimeoutSeconds * 1000);
      }
      assert.deepEqual(await queue.receive(10), []);
      assert.deepEqual(only(await queue.deadLetters(10)).work, work(1));
    }),
  );

  test(
    "hands each dead letter out again until it is acknowledged, up to `max` at a time",
    queued(async ({ queue, wait, visibilityTimeoutSeconds }) => {
      await queue.enqueue([work(1), work(2), work(3)]);
      for (let receive = 1; receive <= limits.attemptsMax; receive++) {
        for (const message of await drain(queue)) await queue.fail(message, 1000);
        await wait(1000);
      }
      const taken = [...(await queue.deadLetters(2))];
      assert.ok(taken.length >= 1 && taken.length <= 2);
      taken.push(...(await queue.deadLetters(10)));
      assert.deepEqual(taken.map(numberOf).sort(), [1, 2, 3]);
      const [first] = taken;
      assert.ok(first);
      await queue.acknowledge(first);
      await wait(visibilityTimeoutSeconds * 1000);
      const again = await queue.deadLetters(10);
      assert.deepEqual(
        again.map(numberOf).sort(),
        [1, 2, 3].filter((number) => number !== numberOf(first)),
      );
      for (const message of again) await queue.acknowledge(message);
      await wait(visibilityTimeoutSeconds * 1000);
      assert.deepEqual(await queue.deadLetters(10), []);
    }),
  );
}
