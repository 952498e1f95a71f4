import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { JobSample } from "../../../src/model/job.ts";
import { limits } from "../../../src/model/limits.ts";
import { readFrozenItems, writeFrozenItems } from "../../../src/platforms/aws/frozen-items.ts";
import { dynamoJobLog } from "../../../src/platforms/aws/job-log.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import { jobLogContract } from "../../contracts/job-log.ts";
import { fail, type JobLogHarness, jobDraft, startJob } from "../../contracts/job-log-harness.ts";
import { dayMillis, noon, outcome, recordDraft, stream, tenant } from "../../contracts/outcome-samples.ts";
import { testTable } from "./aws-services.ts";
import { awsStores } from "./aws-stores.ts";
import { clockedQueue } from "./clocked-queue.ts";

jobLogContract(jobHarness);

test("keeps the first `max` of a list that is longer than one write, in its order", async () => {
  const { table, remove } = await testTable(() => noon);
  try {
    let asked = 0;
    const targets = async function* () {
      for (; ; asked++) yield `fail_${asked}`;
    };
    const max = 20_150;
    const count = await writeFrozenItems(table, "list", targets(), { max, expiresAt: noon + dayMillis });
    assert.deepEqual([count, asked], [max, max - 1]);
    let position = 0;
    for await (const item of readFrozenItems(table, "list", count, 0)) {
      assert.deepEqual([item.position, item.target], [position + 1, `fail_${position}`]);
      position++;
    }
    assert.equal(position, max);
  } finally {
    await remove();
  }
});

test("takes as many ids as may be named, and the longest samples", async () => {
  const harness = await jobHarness();
  try {
    const id = await fail(harness);
    const others = Array.from({ length: limits.jobIdsMax - 1 }, () => `fail_${randomBytes(16).toString("hex")}`);
    const selection = { kind: "ids", ids: [...others, id] } as const;
    const job = await startJob(harness, { selection });
    assert.deepEqual([job.items, job.selection], [1, selection]);
    const text = "…".repeat(2_000);
    const samples = Array.from(
      { length: 10 },
      (): JobSample => ({ target: id, result: "failing", before: text, after: text, output: text }),
    );
    const step = { tenant, jobId: job.id, step: 1, items: [], reasons: [], pauseReason: null, delayMillis: 0 };
    await harness.jobs.finishStep({ ...step, samples });
    assert.deepEqual((await harness.jobs.get(tenant, job.id))?.samples, samples);
  } finally {
    await harness.close();
  }
});

test("freezes raw objects by received time, also those that lie under the day before", async () => {
  const harness = await jobHarness();
  try {
    const expected: string[] = [];
    // Each lies under the day before it was received, or under that day, and comes into the list against its order.
    for (const [day, place, receivedAt] of [
      ["16", "a", noon + 3],
      ["16", "b", noon + 1],
      ["16", "c", noon + dayMillis + 2],
      ["17", "d", noon + dayMillis + 1],
      ["17", "e", noon + dayMillis + 3],
    ] as const) {
      const rawKey = `raw/${stream}/2026/11/${day}/${place}`;
      await harness.records.commit([outcome({ rawKey, meta: { receivedAt }, records: [recordDraft()] })]);
      expected.push(rawKey);
    }
    const selection = { kind: "raw", stream, from: 0, to: noon + 5 * dayMillis } as const;
    const job = await startJob(harness, { action: "reprocess", selection });
    const items = await harness.jobs.todo(tenant, job.id, 10);
    assert.deepEqual(
      items.map(({ target }) => target.at(-1)),
      ["b", "a", "d", "c", "e"],
    );
  } finally {
    await harness.close();
  }
});

test("starts one job when it is created twice at once", async () => {
  const harness = await jobHarness();
  try {
    await fail(harness);
    const draft = jobDraft();
    const create = () => harness.jobs.create(draft, auditDraft({ action: "job.start", target: draft.id }));
    const [first, second] = await Promise.all([create(), create()]);
    assert.deepEqual(first, second);
    assert.equal((await harness.queue.receive(10)).length, 1);
    assert.equal((await harness.jobs.todo(tenant, draft.id, 10)).length, 1);
  } finally {
    await harness.close();
  }
});

/** A restart is a new log over the same table: what a process knows is only there. */
async function jobHarness(): Promise<JobLogHarness> {
  const { table, records, failures, audit, now, settle, close, wait } = await awsStores();
  const queue = clockedQueue(now);
  const open = () => dynamoJobLog(table, { outbox: new Outbox(table, queue) });
  return {
    jobs: open(),
    records,
    failures,
    audit,
    queue,
    now,
    wait,
    settle,
    restart: async () => open(),
    close,
  };
}
