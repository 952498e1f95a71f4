import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import type { Project } from "../../../src/model/definition.ts";
import { EventPulseError } from "../../../src/model/error.ts";
import type { JobDraft } from "../../../src/model/job.ts";
import { compileContract } from "../../../src/pipeline/process/compile-contract.ts";
import { type JobMessage, type JobStepOptions, runJobStep } from "../../../src/platforms/aws/handlers/run-job-step.ts";
import { dynamoJobLog } from "../../../src/platforms/aws/job-log.ts";
import { jobTrials } from "../../../src/platforms/aws/job-trials.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import { jobDraft } from "../../contracts/job-log-harness.ts";
import { failureDraft, newRawKey, only, outcome, stream, tenant } from "../../contracts/outcome-samples.ts";
import { allRows } from "../../contracts/store-harness.ts";
import { streamOf } from "../../pipeline/stream-of.ts";
import { awsStores } from "./aws-stores.ts";
import { clockedQueue } from "./clocked-queue.ts";

const definition = streamOf(z.object({ total: z.number() }), { name: stream });
const project: Project = {
  name: "replaying",
  streams: new Map([[stream, definition]]),
  anomalies: [],
  alerts: [],
  sources: [],
  recipes: new Map(),
};

type Harness = Awaited<ReturnType<typeof harness>>;

async function harness() {
  const stores = await awsStores();
  const { table, records, failures, now } = stores;
  const queue = clockedQueue(now);
  const jobs = dynamoJobLog(table, { outbox: new Outbox(table, queue) });
  const options: JobStepOptions = {
    project,
    contracts: new Map([[stream, compileContract(definition)]]),
    readRaw: async () => null,
    records,
    failures,
    jobs,
    trials: jobTrials(table),
    clock: now,
    random: () => 0,
  };
  return {
    ...stores,
    jobs,
    options,
    /** Failures of one object whose events fit by now, and a job about all of them. */
    async start(count: number, change: Partial<JobDraft> = {}): Promise<string> {
      const rawKey = newRawKey();
      const drafts = Array.from({ length: count }, (_, index) =>
        failureDraft(rawKey, { index, original: Buffer.from(`{"total":${index}}`) }),
      );
      await records.commit([outcome({ rawKey, failures: drafts })]);
      return (await jobs.create(jobDraft(change), auditDraft())).id;
    },
    /** The next message; null when there is none. */
    async take(): Promise<JobMessage | null> {
      const [message] = await queue.receive(1);
      if (message === undefined) return null;
      assert.ok(message.work.kind === "job");
      return { work: message.work, receives: message.receives };
    },
    async job(id: string) {
      const job = await jobs.get(tenant, id);
      assert.ok(job !== null);
      return job;
    },
    items: (id: string) => allRows((request) => jobs.items(tenant, id, { result: null, ...request }), 1_000),
  };
}

function withJob(name: string, body: (harness: Harness) => Promise<void>): void {
  test(name, async () => {
    const one = await harness();
    try {
      await body(one);
    } finally {
      await one.close();
    }
  });
}

/** A message that is there. */
async function taken({ take }: Harness): Promise<JobMessage> {
  const message = await take();
  assert.ok(message !== null);
  return message;
}

withJob("replays a job step by step to its end", async ({ start, take, job, items, options, counters }) => {
  const id = await start(230);
  let steps = 0;
  for (let message = await take(); message !== null; message = await take()) {
    const { results } = await runJobStep(message, false, options);
    assert.ok(results.every(({ applied }) => applied));
    steps++;
  }
  const { state, results, samples } = await job(id);
  assert.deepEqual([state, results, steps, samples.length], ["done", { recovered: 230 }, 3, 10]);
  assert.ok((await items(id)).every(({ recordId }) => recordId?.startsWith("evt_")));
  const { stored, quarantined } = await counters(tenant, stream);
  assert.deepEqual([stored, quarantined], [230, 0]);
});

for (const action of ["replay", "discard"] as const) {
  withJob(`says the same of a ${action} whose step was committed and not recorded`, async (one) => {
    const { start, job, items, options, jobs, counters } = one;
    const id = await start(3, { action });
    const message = await taken(one);
    const ended = { ...jobs, finishStep: async () => Promise.reject(new Error("out of time")) };
    await assert.rejects(runJobStep(message, false, { ...options, jobs: ended }), { message: "out of time" });
    await runJobStep({ ...message, receives: 2 }, false, options);
    const result = action === "replay" ? "recovered" : "discarded";
    const { state, results } = await job(id);
    assert.deepEqual([state, results], ["done", { [result]: 3 }]);
    if (action === "replay") assert.ok((await items(id)).every(({ recordId }) => recordId !== null));
    const { stored, dropped, quarantined } = await counters(tenant, stream);
    assert.deepEqual([stored + dropped, quarantined], [3, 0]);
  });
}

withJob("has one effect when a step runs twice at once", async (one) => {
  const { start, job, options, counters } = one;
  const id = await start(20);
  const message = await taken(one);
  await Promise.all([runJobStep(message, false, options), runJobStep(message, false, options)]);
  const { state, results } = await job(id);
  assert.deepEqual([state, results], ["done", { recovered: 20 }]);
  assert.equal((await counters(tenant, stream)).stored, 20);
});

withJob("writes nothing in a dry run, and says what a run would do", async (one) => {
  const { start, job, options, counters } = one;
  const id = await start(4, { mode: "dry-run" });
  assert.deepEqual(await runJobStep(await taken(one), false, options), { outcomes: [], results: [] });
  const { state, results } = await job(id);
  assert.deepEqual([state, results], ["done", { recovered: 4 }]);
  assert.equal((await counters(tenant, stream)).quarantined, 4);
});

withJob("computes fewer items again when detector states have changed meanwhile", async (one) => {
  const { start, job, options, records } = one;
  const id = await start(40);
  const sizes: number[] = [];
  const stale: JobStepOptions["records"] = {
    ...records,
    async commit(outcomes) {
      sizes.push(outcomes.length);
      if (outcomes.length > 5) throw new EventPulseError("STATE_STALE", "changed meanwhile");
      return records.commit(outcomes);
    },
  };
  await runJobStep(await taken(one), false, { ...options, records: stale });
  assert.deepEqual(sizes, [40, 25, 5]);
  const { state, results } = await job(id);
  assert.deepEqual([state, results], ["running", { recovered: 5 }]);
});

withJob("sets an item aside that ended the process twice when it was tried alone", async (one) => {
  const { start, job, items, options } = one;
  const id = await start(3);
  const message = await taken(one);
  for (let end = 0; end < 2; end++) await options.trials.begin(id, message.work.step);
  await runJobStep({ ...message, receives: 5 }, false, options);
  assert.deepEqual(
    (await items(id)).map(({ result }) => result),
    ["failing", null, null],
  );
  assert.equal(only([...(await job(id)).reasons]).code, "OBJECT_POISON");
  await runJobStep(await taken(one), false, options);
  assert.deepEqual((await job(id)).results, { failing: 1, recovered: 2 });
});

withJob("blames no item for errors that it did not make", async (one) => {
  const { start, job, options } = one;
  const id = await start(1);
  const message = await taken(one);
  const busy = async () => Promise.reject(new EventPulseError("TOO_BUSY", "later"));
  for (const receives of [1, 2, 3, 4]) {
    const failing = { ...options, failures: { ...options.failures, load: busy } };
    await assert.rejects(runJobStep({ ...message, receives }, false, failing), { code: "TOO_BUSY" });
  }
  await runJobStep({ ...message, receives: 5 }, false, options);
  assert.deepEqual((await job(id)).results, { recovered: 1 });
});

withJob("pauses a job that cannot be computed, and one that was tried too often", async (one) => {
  const { start, job, jobs, take, options } = one;
  const id = await start(2, { mending: { kind: "function", name: "none" } });
  await runJobStep(await taken(one), false, options);
  assert.deepEqual([(await job(id)).state, await take()], ["paused", null]);
  assert.match((await job(id)).stateReason ?? "", /no function "none"/);
  await jobs.change(tenant, id, null, "running", auditDraft());
  await runJobStep(await taken(one), true, options);
  assert.match((await job(id)).stateReason ?? "", /tried too often/);
});
