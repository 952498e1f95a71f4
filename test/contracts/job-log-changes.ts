import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../../src/model/job.ts";
import { auditDraft } from "./audit-log.ts";
import { auditsOf, failMany, type JobLogHarness, startJob, stepWork, takeWork, withJobs } from "./job-log-harness.ts";
import { tenant } from "./outcome-samples.ts";

const actions = { paused: "job.pause", running: "job.resume", cancelled: "job.cancel" } as const;

/** A change by hand, of whatever version. */
export async function changeJob(harness: JobLogHarness, { id }: Pick<Job, "id">, to: keyof typeof actions) {
  const changed = await harness.jobs.change(tenant, id, null, to, auditDraft({ action: actions[to], target: id }));
  await harness.settle();
  return changed;
}

/** Pause, resume and cancel: part of `jobLogContract`. */
export function jobChanges(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "pauses, resumes and cancels; resuming enqueues the step, and each writes its audit entry",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness);
      await takeWork(harness);
      const states: unknown[] = [];
      for (const to of ["paused", "running", "cancelled", "running", "paused", "cancelled"] as const) {
        const changed = await changeJob(harness, job, to);
        assert.deepEqual(await harness.jobs.get(tenant, job.id), changed);
        states.push([changed?.state, changed?.version, await takeWork(harness)]);
      }
      const resumed = [stepWork(job, 1)];
      assert.deepEqual(states, [
        ["paused", 2, []],
        ["running", 3, resumed],
        ["cancelled", 4, []],
        ["running", 5, resumed],
        ["paused", 6, []],
        ["cancelled", 7, []],
      ]);
      const written = ["start", "pause", "resume", "cancel", "resume", "pause", "cancel"];
      assert.deepEqual(
        await auditsOf(harness),
        written.map((action) => [`job.${action}`, job.id]),
      );
    }),
  );

  test(
    "says of a job that was paused or cancelled why, in the actor's words",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness);
      const reason = "the schema is wrong";
      const audit = auditDraft({ reason });
      assert.equal((await harness.jobs.change(tenant, job.id, null, "paused", audit))?.stateReason, reason);
      assert.equal((await harness.jobs.change(tenant, job.id, null, "running", audit))?.stateReason, null);
      assert.equal((await harness.jobs.change(tenant, job.id, null, "cancelled", audit))?.stateReason, reason);
    }),
  );

  test(
    "keeps the grace period of a job that is paused and resumed within it",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness, { action: "discard", graceMillis: 60_000 });
      assert.equal((await changeJob(harness, job, "paused"))?.state, "paused");
      const resumed = await changeJob(harness, job, "running");
      assert.deepEqual([resumed?.state, resumed?.startsAt], ["scheduled", job.startsAt]);
      assert.deepEqual(await takeWork(harness), []);
      await harness.wait(60_000);
      assert.deepEqual((await takeWork(harness)).at(-1), stepWork(job, 1));
    }),
  );

  test(
    "throws STATE_CONFLICT from a state that does not allow it, and changes nothing",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness);
      const refused = async (to: keyof typeof actions) => {
        const before = await harness.jobs.get(tenant, job.id);
        await assert.rejects(changeJob(harness, job, to), { code: "STATE_CONFLICT" });
        assert.deepEqual(await harness.jobs.get(tenant, job.id), before);
      };
      await takeWork(harness);
      await refused("running");
      await changeJob(harness, job, "paused");
      await refused("paused");
      await changeJob(harness, job, "cancelled");
      await refused("paused");
      await refused("cancelled");
      await changeJob(harness, job, "running");
      const items = (await harness.jobs.todo(tenant, job.id, 1)).map((item) => ({ ...item, result: "gone" as const }));
      const rest = { reasons: [], samples: [], pauseReason: null, delayMillis: 0 };
      await harness.jobs.finishStep({ tenant, jobId: job.id, step: 1, items, ...rest });
      await harness.settle();
      for (const to of ["paused", "running", "cancelled"] as const) await refused(to);
      assert.equal((await auditsOf(harness)).length, 4);
    }),
  );

  test(
    "throws ETAG_STALE for another version, and changes nothing; null when there is no such job",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness);
      const audit = auditDraft({ action: "job.pause", target: job.id });
      for (const version of [0, 2]) {
        const stale = harness.jobs.change(tenant, job.id, version, "paused", audit);
        await assert.rejects(stale, { code: "ETAG_STALE" });
      }
      assert.equal(await harness.jobs.change(tenant, "job_none", null, "paused", audit), null);
      assert.equal(await harness.jobs.change("rival", job.id, 1, "paused", audit), null);
      await harness.settle();
      assert.deepEqual(await harness.jobs.get(tenant, job.id), job);
      assert.equal((await auditsOf(harness)).length, 1);
      assert.equal((await harness.jobs.change(tenant, job.id, 1, "paused", audit))?.version, 2);
    }),
  );
}
