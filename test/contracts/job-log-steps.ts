import assert from "node:assert/strict";
import { test } from "node:test";
import type { ItemResult, Job, JobReason, JobSample } from "../../src/model/job.ts";
import type { JobStepResult } from "../../src/ports/job-log.ts";
import { changeJob } from "./job-log-changes.ts";
import { failMany, itemsOf, type JobLogHarness, startJob, stepWork, takeWork, withJobs } from "./job-log-harness.ts";
import { tenant } from "./outcome-samples.ts";
import { allRows } from "./store-harness.ts";

/** Finishes a step with the next items, one for each result. */
async function finish(
  harness: JobLogHarness,
  { id }: Pick<Job, "id">,
  step: number,
  results: readonly ItemResult[],
  change: Partial<JobStepResult> = {},
): Promise<Job> {
  const todo = await harness.jobs.todo(tenant, id, Math.max(1, results.length));
  const items = results.map((result, index) => {
    const item = todo[index];
    assert.ok(item, "there is an item for each result");
    return { ...item, result, detail: `${result} it is`, recordId: result === "recovered" ? `evt_${index}` : null };
  });
  const rest = { reasons: [], samples: [], pauseReason: null, delayMillis: 0, ...change };
  await harness.jobs.finishStep({ tenant, jobId: id, step, items, ...rest });
  await harness.settle();
  const job = await harness.jobs.get(tenant, id);
  assert.ok(job);
  return job;
}

/** The steps of a job: part of `jobLogContract`. */
export function jobSteps(create: () => Promise<JobLogHarness>): void {
  results(create);
  endings(create);
  interruptions(create);
}

function results(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "records what became of the items, and enqueues the next step after its delay",
    jobs(async (harness) => {
      const ids = await failMany(harness, 5);
      const job = await startJob(harness);
      await takeWork(harness);
      const after = await finish(harness, job, 1, ["recovered", "failing", "failing"], { delayMillis: 5000 });
      assert.deepEqual(after, { ...job, results: { recovered: 1, failing: 2 }, step: 2 });
      assert.deepEqual(await takeWork(harness), []);
      await harness.wait(5000);
      assert.deepEqual(await takeWork(harness), [stepWork(job, 2)]);
      const items = await itemsOf(harness, job);
      assert.deepEqual(items[0], {
        position: 1,
        target: ids[0],
        result: "recovered",
        detail: "recovered it is",
        recordId: "evt_0",
      });
      const todo = await harness.jobs.todo(tenant, job.id, 10);
      assert.deepEqual(todo, items.slice(3));
      assert.deepEqual(await harness.jobs.todo(tenant, job.id, 1), items.slice(3, 4));
      const further = await finish(harness, job, 2, ["failing"]);
      assert.deepEqual(further.results, { recovered: 1, failing: 3 });
    }),
  );

  test(
    "lists items ascending, page by page, narrowed by result",
    jobs(async (harness) => {
      await failMany(harness, 6);
      const job = await startJob(harness);
      await finish(harness, job, 1, ["failing", "recovered", "failing", "gone"]);
      const positions = async (result: ItemResult | "todo" | null, limit: number) => {
        const items = await allRows((request) => harness.jobs.items(tenant, job.id, { result, ...request }), limit);
        return items.map(({ position }) => position);
      };
      for (const limit of [1, 2, 10]) {
        assert.deepEqual(await positions(null, limit), [1, 2, 3, 4, 5, 6]);
        assert.deepEqual(await positions("failing", limit), [1, 3]);
        assert.deepEqual(await positions("todo", limit), [5, 6]);
        assert.deepEqual(await positions("skipped", limit), []);
      }
    }),
  );

  test(
    "adds reasons by code and pointer, most frequent first, with the first example; shows 20",
    jobs(async (harness) => {
      await failMany(harness, 4);
      const job = await startJob(harness);
      const reason = (pointer: string, count: number, example: string): JobReason => ({
        code: "CONTRACT_BROKEN",
        pointer,
        detail: `of ${example}`,
        count,
        exampleId: example,
      });
      const many = Array.from({ length: 30 }, (_, number) => reason(`/${number}`, 1, "fail_1"));
      const first = await finish(harness, job, 1, ["failing"], { reasons: many });
      assert.deepEqual(first.reasons, many.slice(0, 20));
      await finish(harness, job, 2, ["failing"], { reasons: [reason("/29", 3, "fail_2"), reason("/3", 1, "fail_2")] });
      const { reasons } = await finish(harness, job, 3, ["failing"], { reasons: [reason("/29", 1, "fail_3")] });
      assert.equal(reasons.length, 20);
      assert.deepEqual(reasons.slice(0, 3), [
        reason("/29", 5, "fail_1"),
        reason("/3", 2, "fail_1"),
        reason("/0", 1, "fail_1"),
      ]);
    }),
  );

  test(
    "keeps the first 10 samples",
    jobs(async (harness) => {
      await failMany(harness, 4);
      const job = await startJob(harness);
      const samples = (from: number, to: number): JobSample[] =>
        Array.from({ length: to - from }, (_, index) => ({
          target: `fail_${from + index}`,
          result: "failing",
          before: '{"total":"seven"}',
          after: null,
          output: null,
        }));
      await finish(harness, job, 1, ["failing"], { samples: samples(0, 4) });
      const second = await finish(harness, job, 2, ["failing"], { samples: samples(4, 14) });
      assert.deepEqual(second.samples, samples(0, 10));
      assert.deepEqual((await finish(harness, job, 3, [], { samples: samples(20, 21) })).samples, samples(0, 10));
    }),
  );

  test(
    "changes nothing for a step that is not the job's current one",
    jobs(async (harness) => {
      await failMany(harness, 3);
      const job = await startJob(harness);
      const after = await finish(harness, job, 1, ["failing"]);
      await takeWork(harness);
      const items = await itemsOf(harness, job);
      for (const step of [1, 3, 0]) {
        assert.deepEqual(await finish(harness, job, step, ["recovered"], { pauseReason: "no" }), after);
      }
      assert.deepEqual(await itemsOf(harness, job), items);
      assert.deepEqual(await takeWork(harness), []);
      await harness.jobs.finishStep({
        tenant: "rival",
        jobId: job.id,
        step: 2,
        items: [],
        reasons: [],
        samples: [],
        pauseReason: null,
        delayMillis: 0,
      });
      assert.deepEqual(await harness.jobs.get(tenant, job.id), after);
    }),
  );
}

function endings(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "ends the job when nothing is left, without another step",
    jobs(async (harness) => {
      await failMany(harness, 2);
      const job = await startJob(harness);
      await takeWork(harness);
      await finish(harness, job, 1, ["recovered"]);
      await harness.wait(1000);
      await takeWork(harness);
      const done = await finish(harness, job, 2, ["recovered"], { pauseReason: "a canary" });
      assert.deepEqual([done.state, done.stateReason, done.finishedAt], ["done", null, harness.now()]);
      assert.deepEqual([done.results, done.step, done.version], [{ recovered: 2 }, 3, 2]);
      assert.deepEqual(await takeWork(harness), []);
      assert.deepEqual(await finish(harness, job, 3, []), done);
    }),
  );

  test(
    "makes a scheduled job running with its first step",
    jobs(async (harness) => {
      await failMany(harness, 2);
      const job = await startJob(harness, { graceMillis: 1000 });
      await harness.wait(1000);
      await takeWork(harness);
      const running = await finish(harness, job, 1, ["failing"]);
      assert.deepEqual([running.state, running.version], ["running", 2]);
      assert.deepEqual(await takeWork(harness), [stepWork(job, 2)]);
    }),
  );

  test(
    "pauses a job for the reason of its step, without another step",
    jobs(async (harness) => {
      await failMany(harness, 3);
      const job = await startJob(harness);
      await takeWork(harness);
      const paused = await finish(harness, job, 1, ["failing"], { pauseReason: "not all were recovered" });
      assert.deepEqual([paused.state, paused.stateReason, paused.version], ["paused", "not all were recovered", 2]);
      assert.deepEqual(paused.results, { failing: 1 });
      assert.deepEqual(await takeWork(harness), []);
      const empty = await finish(harness, job, 2, [], { pauseReason: "tried too often" });
      assert.deepEqual([empty.state, empty.stateReason, empty.step], ["paused", "not all were recovered", 3]);
    }),
  );
}

function interruptions(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  for (const to of ["paused", "cancelled"] as const) {
    test(
      `keeps a job ${to} that became so while its step ran, without another step; resumed, it goes on with what is left`,
      jobs(async (harness) => {
        await failMany(harness, 3);
        const job = await startJob(harness);
        await takeWork(harness);
        await changeJob(harness, job, to);
        const after = await finish(harness, job, 1, ["recovered"], { pauseReason: "a canary" });
        assert.deepEqual([after.state, after.results, after.step], [to, { recovered: 1 }, 2]);
        assert.equal(after.stateReason, "the country was missing");
        assert.deepEqual(await takeWork(harness), []);
        await changeJob(harness, job, "running");
        assert.deepEqual(await takeWork(harness), [stepWork(job, 2)]);
        assert.deepEqual(
          (await harness.jobs.todo(tenant, job.id, 10)).map(({ position }) => position),
          [2, 3],
        );
        const done = await finish(harness, job, 2, ["failing", "recovered"]);
        assert.deepEqual([done.state, done.results], ["done", { recovered: 2, failing: 1 }]);
      }),
    );
  }

  test(
    "ends a job that was cancelled while its last step ran: nothing of it is left",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness);
      await changeJob(harness, job, "cancelled");
      assert.equal((await finish(harness, job, 1, ["discarded"])).state, "done");
    }),
  );

  test(
    "finds a job where it was after a crash, with the message for its step",
    jobs(async (harness) => {
      await failMany(harness, 3);
      const job = await startJob(harness);
      await takeWork(harness);
      const before = await finish(harness, job, 1, ["recovered"]);
      const restarted = await harness.restart();
      assert.deepEqual(await restarted.get(tenant, job.id), before);
      assert.equal((await restarted.todo(tenant, job.id, 10)).length, 2);
      assert.deepEqual(await takeWork(harness), [stepWork(job, 2)]);
    }),
  );
}
