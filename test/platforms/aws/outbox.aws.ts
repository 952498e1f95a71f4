import assert from "node:assert/strict";
import { test } from "node:test";
import { type DelayedWork, Outbox } from "../../../src/platforms/aws/outbox.ts";
import { transaction } from "../../../src/platforms/aws/unit-of-work.ts";
import type { Work } from "../../../src/ports/work-queue.ts";
import { noon, stream, tenant } from "../../contracts/outcome-samples.ts";
import { testTable } from "./aws-services.ts";

const work = (attempt: number): Work => ({ kind: "failure", tenant, stream, failureId: "fail_1", attempt });

type Harness = Awaited<ReturnType<typeof harness>>;

/** An outbox over a table of its own, and a queue that can be out of order. */
async function withOutbox(body: (harness: Harness) => Promise<void>): Promise<void> {
  const one = await harness();
  try {
    await body(one);
  } finally {
    await one.remove();
  }
}

async function harness() {
  const state = { now: noon, broken: false, sent: [] as DelayedWork[] };
  const { table, remove } = await testTable(() => state.now);
  const queue = {
    async send(works: readonly DelayedWork[]) {
      if (state.broken) throw new Error("no queue");
      state.sent.push(...works);
    },
  };
  const open = () => new Outbox(table, queue);
  const add = (outbox: Outbox, attempt: number, delayMillis = 0) =>
    transaction(table, (unit) => outbox.add(unit, work(attempt), state.now + delayMillis));
  return { state, table, open, add, remove };
}

test("hands over what was committed, once, with what is left of its delay", () =>
  withOutbox(async ({ state, open, add }) => {
    const outbox = open();
    await add(outbox, 1);
    await add(outbox, 2, 1500);
    await outbox.dispatch();
    await outbox.dispatch();
    await outbox.sweep();
    assert.deepEqual(state.sent, [
      { work: work(1), delaySeconds: 0 },
      { work: work(2), delaySeconds: 2 },
    ]);
  }));

test("hands over nothing of a unit that was not committed", () =>
  withOutbox(async ({ state, table, open }) => {
    const outbox = open();
    const failed = transaction(table, (unit) => {
      outbox.add(unit, work(1), state.now);
      throw new Error("changed my mind");
    });
    await assert.rejects(failed, { message: "changed my mind" });
    await outbox.dispatch();
    await outbox.sweep();
    assert.deepEqual(state.sent, []);
  }));

test("keeps what the queue did not take, and what a process left behind, for the next sweep", () =>
  withOutbox(async ({ state, open, add }) => {
    const outbox = open();
    state.broken = true;
    await add(outbox, 1);
    await outbox.dispatch();
    await add(open(), 2);
    await assert.rejects(outbox.sweep());
    state.broken = false;
    await open().sweep();
    assert.deepEqual(state.sent.map((one) => one.work).sort(byAttempt), [work(1), work(2)]);
    await open().sweep();
    assert.equal(state.sent.length, 2);
  }));

test("keeps what is due later than the queue can hold it back until it is near", () =>
  withOutbox(async ({ state, open, add }) => {
    const outbox = open();
    await add(outbox, 1, 3_600_000);
    await outbox.keep([work(2)], state.now + 900_000);
    await outbox.dispatch();
    await outbox.sweep();
    assert.deepEqual(state.sent, [{ work: work(2), delaySeconds: 900 }]);
    state.now += 3_000_000;
    await outbox.sweep();
    assert.deepEqual(state.sent.slice(1), [{ work: work(1), delaySeconds: 600 }]);
  }));

function byAttempt(left: Work, right: Work): number {
  return JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
}
