import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Job, JobSelection } from "../../src/model/job.ts";
import { limits } from "../../src/model/limits.ts";
import type { JobQuery } from "../../src/ports/job-log.ts";
import { anyEntry, auditDraft } from "./audit-log.ts";
import { jobChanges } from "./job-log-changes.ts";
import {
  auditsOf,
  byFilter,
  fail,
  failMany,
  itemsOf,
  type JobLogHarness,
  jobDraft,
  startJob,
  stepWork,
  takeWork,
  withJobs,
} from "./job-log-harness.ts";
import { jobSteps } from "./job-log-steps.ts";
import { noon, only, outcome, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { allRows } from "./store-harness.ts";

const anyJob: JobQuery = { tenant, state: null, action: null, limit: 100, cursor: null };

/** One test for each sentence of `src/ports/job-log.ts`. */
export function jobLogContract(create: () => Promise<JobLogHarness>): void {
  describe("job-log", () => {
    planning(create);
    freezing(create);
    creating(create);
    reading(create);
    jobChanges(create);
    jobSteps(create);
  });
}

function planning(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "plans with exact counts over all that the selection matches, by stream, state and issue",
    jobs(async (harness) => {
      const { failures, now, wait } = harness;
      const firstAt = now();
      const first = await fail(harness, { original: Buffer.from("1234567") });
      await wait(1000);
      const pointer = { pointer: "/lines/12/total", code: "type", detail: "must be a number" };
      const other = { fingerprint: "ffff", code: "KEY_MISSING", errors: [pointer], original: Buffer.from("12") };
      const second = await fail(harness, other);
      const third = await fail(harness, { ...other, state: "dead" }, "refunds");
      await failures.discard(tenant, first, null, "not ours", auditDraft());
      await harness.settle();
      const whole = await harness.jobs.plan(tenant, { kind: "ids", ids: [first, second, third] });
      assert.deepEqual(whole, {
        items: 3,
        bytes: 11,
        oldestAt: firstAt,
        newestAt: firstAt + 1000,
        firstExpiresAt: (await failures.get(tenant, first))?.expiresAt,
        streams: { orders: 2, refunds: 1 },
        states: { discarded: 1, quarantined: 1, dead: 1 },
        issues: [
          { id: "iss_ffff", code: "KEY_MISSING", pointer: "/lines/*/total", count: 2 },
          { id: "iss_0011223344556677", code: "CONTRACT_BROKEN", pointer: "/total", count: 1 },
        ],
        edited: 0,
        duplicatesExpected: 0,
        replayable: 2,
        unrecoverable: 0,
      });
      const waiting = await harness.jobs.plan(tenant, byFilter());
      assert.deepEqual(
        [waiting.items, waiting.states],
        [2, { quarantined: 1, dead: 1 }],
        "without a state: what waits",
      );
      const narrow = await harness.jobs.plan(tenant, byFilter({ stream: "refunds", contains: "12" }));
      assert.deepEqual([narrow.items, narrow.streams, narrow.states], [1, { refunds: 1 }, { dead: 1 }]);
      const ids = [first, "fail_none", first];
      const byIds = await harness.jobs.plan(tenant, { kind: "ids", ids });
      assert.deepEqual([byIds.items, byIds.bytes, byIds.replayable], [1, 7, 0]);
      const rival = await harness.jobs.plan("rival", { kind: "ids", ids });
      assert.deepEqual([rival.items, rival.oldestAt, rival.newestAt, rival.firstExpiresAt], [0, null, null, null]);
    }),
  );

  test(
    "plans which failures a replay takes, which it cannot recover, and which are stored already",
    jobs(async (harness) => {
      const known = { eventId: "order-7", data: { total: 7 } };
      const { identity, contentHash } = recordDraft(known);
      await fail(harness, { eventId: "order-7", identity, contentHash });
      await fail(harness, { eventId: "order-7", identity, contentHash: contentHash + 1 });
      await fail(harness, { recoverable: false });
      await fail(harness, { attempts: limits.replaysMax });
      await harness.records.commit([outcome({ records: [recordDraft(known)] })]);
      await harness.settle();
      const plan = await harness.jobs.plan(tenant, byFilter());
      assert.deepEqual([plan.items, plan.replayable, plan.unrecoverable, plan.duplicatesExpected], [4, 2, 2, 1]);
    }),
  );

  test(
    "plans how many have an edit",
    jobs(async (harness) => {
      const [, second = ""] = await failMany(harness, 3);
      const edit = { patch: [], by: "ana", at: harness.now(), reason: null, sha256: "0".repeat(64) };
      await harness.failures.edit(tenant, second, null, edit, auditDraft());
      await harness.settle();
      assert.equal((await harness.jobs.plan(tenant, byFilter())).edited, 1);
    }),
  );

  test(
    "plans raw objects of a stream by received time, `from` inclusive and `to` exclusive",
    jobs(async (harness) => {
      await commitObjects(harness);
      const plan = await harness.jobs.plan(tenant, { kind: "raw", stream, from: noon + 1000, to: noon + 3000 });
      assert.deepEqual([plan.items, plan.replayable, plan.streams], [2, 2, { orders: 2 }]);
      assert.deepEqual([plan.oldestAt, plan.newestAt], [noon + 1000, noon + 2000]);
      const none = await harness.jobs.plan(tenant, { kind: "raw", stream: "order", from: 0, to: noon * 2 });
      assert.deepEqual([none.items, none.streams], [0, {}]);
    }),
  );
}

/** Four raw objects, a second apart, the latest first; one of a stream whose name begins the same, and one of another tenant. */
async function commitObjects({ records, settle }: JobLogHarness): Promise<string[]> {
  const keys: string[] = [];
  for (const second of [3, 2, 1, 0]) {
    const one = outcome({ meta: { receivedAt: noon + second * 1000 }, records: [recordDraft()] });
    keys.unshift(one.rawKey);
    await records.commit([one]);
  }
  const other = { stream: "orders-eu", receivedAt: noon + 1000 };
  await records.commit([outcome({ meta: other, records: [recordDraft({ stream: other.stream })] })]);
  const rival = { tenant: "rival", receivedAt: noon + 1000 };
  await records.commit([outcome({ meta: rival, records: [recordDraft({ tenant: rival.tenant })] })]);
  await settle();
  return keys;
}

function freezing(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "freezes all that the filter matches at this moment, by last seen",
    jobs(async (harness) => {
      const ids = await failMany(harness, 30);
      const job = await startJob(harness);
      await failMany(harness, 2);
      assert.equal(job.items, 30);
      const items = ids.map((target, index) => ({ position: index + 1, target, result: null, detail: null }));
      assert.deepEqual(
        await itemsOf(harness, job),
        items.map((item) => ({ ...item, recordId: null })),
      );
    }),
  );

  test(
    "freezes the failures that are named, in the order given, each once, and those that are there",
    jobs(async (harness) => {
      const [first = "", second = "", third = ""] = await failMany(harness, 3);
      const ids = [third, first, "fail_none", third, second, ""];
      const job = await startJob(harness, { selection: { kind: "ids", ids } });
      const targets = (await itemsOf(harness, job)).map(({ target }) => target);
      assert.deepEqual(targets, [third, first, second]);
      const rival = jobDraft({ tenant: "rival", selection: { kind: "ids", ids } });
      await assert.rejects(harness.jobs.create(rival, auditDraft({ tenant: "rival" })), { code: "SELECTION_EMPTY" });
    }),
  );

  test(
    "freezes raw objects by received time",
    jobs(async (harness) => {
      const keys = await commitObjects(harness);
      const selection: JobSelection = { kind: "raw", stream, from: noon, to: noon + 3000 };
      const job = await startJob(harness, { action: "reprocess", selection });
      const targets = (await itemsOf(harness, job)).map(({ target }) => target);
      assert.deepEqual(targets, keys.slice(0, 3));
    }),
  );

  test(
    "lets two jobs have the same failures, each with its own results",
    jobs(async (harness) => {
      const ids = await failMany(harness, 2);
      const [first, second] = [await startJob(harness), await startJob(harness)];
      const [item] = await harness.jobs.todo(tenant, first.id, 1);
      assert.ok(item);
      const rest = { reasons: [], samples: [], pauseReason: null, delayMillis: 0 };
      const items = [{ ...item, result: "recovered" as const }];
      await harness.jobs.finishStep({ tenant, jobId: first.id, step: 1, items, ...rest });
      await harness.settle();
      assert.equal((await harness.jobs.todo(tenant, first.id, 10)).length, 1);
      assert.deepEqual(
        (await harness.jobs.todo(tenant, second.id, 10)).map(({ target }) => target),
        ids,
      );
      assert.deepEqual((await harness.jobs.get(tenant, second.id))?.results, {});
    }),
  );
}

function creating(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "starts a job at once, with a message for its first step and its audit entry, and keeps all that was asked for",
    jobs(async (harness) => {
      await failMany(harness, 2);
      const recipe = { name: "de", description: "", steps: [{ do: "remove", path: "/a" }] } as const;
      const given = { mending: { kind: "recipe", recipe }, canary: 10, ratePerSecond: 0.5, reason: "fixed" } as const;
      const draft = jobDraft({ ...given, action: "replay", mode: "dry-run", selection: byFilter({ stream }) });
      const audit = auditDraft({ action: "job.start", target: draft.id, details: { mode: "dry-run" } });
      const job = await harness.jobs.create(draft, audit);
      const { graceMillis: _, ...kept } = draft;
      const now = harness.now();
      const fresh = { state: "running", stateReason: null, results: {}, reasons: [], samples: [], finishedAt: null };
      assert.deepEqual(job, { ...kept, ...fresh, items: 2, createdAt: now, startsAt: now, step: 1, version: 1 });
      await harness.settle();
      assert.deepEqual(await harness.jobs.get(tenant, draft.id), job);
      assert.deepEqual(await takeWork(harness), [stepWork(job, 1)]);
      const entry = only((await harness.audit.query(anyEntry)).rows);
      assert.deepEqual([entry.action, entry.target, entry.actor], ["job.start", draft.id, audit.actor]);
      assert.deepEqual(entry.details, { mode: "dry-run", items: 2 });
    }),
  );

  test(
    "starts a job with a grace period when that is over",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const job = await startJob(harness, { action: "discard", graceMillis: 60_000 });
      assert.deepEqual([job.state, job.startsAt - job.createdAt], ["scheduled", 60_000]);
      assert.deepEqual(await takeWork(harness), []);
      await harness.wait(60_000);
      assert.deepEqual(await takeWork(harness), [stepWork(job, 1)]);
    }),
  );

  test(
    "answers with the job when its id exists, and changes nothing",
    jobs(async (harness) => {
      await failMany(harness, 2);
      const job = await startJob(harness);
      const again = await startJob(harness, { id: job.id, action: "discard", selection: { kind: "ids", ids: [] } });
      assert.deepEqual(again, job);
      assert.deepEqual(await takeWork(harness), [stepWork(job, 1)]);
      assert.deepEqual(await auditsOf(harness), [["job.start", job.id]]);
      assert.equal((await itemsOf(harness, job)).length, 2);
    }),
  );

  test(
    "throws SELECTION_EMPTY when nothing matches, and leaves nothing behind",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const empty: JobSelection[] = [
        byFilter({ stream: "unknown" }),
        { kind: "ids", ids: ["fail_none"] },
        { kind: "ids", ids: [] },
        { kind: "raw", stream, from: 5, to: 5 },
        { kind: "raw", stream: "unknown", from: 0, to: noon * 2 },
      ];
      for (const selection of empty)
        await assert.rejects(startJob(harness, { selection }), { code: "SELECTION_EMPTY" });
      assert.deepEqual((await harness.jobs.query(anyJob)).rows, []);
      assert.deepEqual(await takeWork(harness), []);
      assert.deepEqual(await auditsOf(harness), []);
    }),
  );
}

function reading(create: () => Promise<JobLogHarness>): void {
  const jobs = withJobs(create);

  test(
    "lists jobs newest first, page by page, narrowed by state and action",
    jobs(async (harness) => {
      const { wait } = harness;
      await failMany(harness, 1);
      const all: Job[] = [];
      for (let number = 0; number < 9; number++) {
        all.unshift(
          await startJob(harness, { action: number % 3 === 0 ? "discard" : "replay", graceMillis: number % 2 }),
        );
        if (number % 2 === 1) await wait(1000);
      }
      const list = (change: Partial<JobQuery>, limit: number) =>
        allRows((request) => harness.jobs.query({ ...anyJob, ...change, ...request }), limit);
      const having = (wanted: Partial<Job>) =>
        all.filter((job) => Object.entries(wanted).every(([name, value]) => job[name as keyof Job] === value));
      for (const limit of [1, 4, 9]) {
        assert.deepEqual(await list({}, limit), all);
        assert.deepEqual(await list({ action: "discard" }, limit), having({ action: "discard" }));
        assert.deepEqual(await list({ state: "scheduled" }, limit), having({ state: "scheduled" }));
        const both = { state: "running", action: "replay" } as const;
        assert.deepEqual(await list(both, limit), having(both));
      }
      assert.deepEqual(await list({ tenant: "rival" }, 10), []);
      assert.deepEqual(await list({ state: "done" }, 10), []);
    }),
  );

  test(
    "answers null and nothing for a job that is not there, or is another tenant's",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const { id } = await startJob(harness);
      const page = { result: null, limit: 10, cursor: null };
      for (const [of, wanted] of [
        [tenant, "job_none"],
        ["rival", id],
      ] as const) {
        assert.equal(await harness.jobs.get(of, wanted), null);
        assert.deepEqual(await harness.jobs.items(of, wanted, page), { rows: [], next: null });
        assert.deepEqual(await harness.jobs.todo(of, wanted, 10), []);
      }
    }),
  );

  test(
    "throws CURSOR_INVALID for a cursor that is none",
    jobs(async (harness) => {
      await failMany(harness, 1);
      const { id } = await startJob(harness);
      for (const cursor of ["", "x", "WyJqb2JzIl0", "WyJpdGVtcyJd"]) {
        await assert.rejects(harness.jobs.query({ ...anyJob, cursor }), { code: "CURSOR_INVALID" });
        const request = { result: null, limit: 10, cursor };
        await assert.rejects(harness.jobs.items(tenant, id, request), { code: "CURSOR_INVALID" });
      }
    }),
  );
}
