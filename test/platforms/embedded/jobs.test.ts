import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { auditProblem } from "../../../src/model/audit.ts";
import { limits } from "../../../src/model/limits.ts";
import { sqliteAuditLog } from "../../../src/platforms/embedded/audit-log.ts";
import { type Database, openDatabase } from "../../../src/platforms/embedded/database.ts";
import { sqliteFailureLog } from "../../../src/platforms/embedded/failure-log.ts";
import { sqliteJobLog, sweepJobs } from "../../../src/platforms/embedded/job-log.ts";
import { sqliteRecordTable } from "../../../src/platforms/embedded/record-table.ts";
import { sqliteWorkQueue } from "../../../src/platforms/embedded/work-queue.ts";
import type { JobLog } from "../../../src/ports/job-log.ts";
import {
  type AuditLogHarness,
  anyEntry,
  auditDraft,
  auditLogContract,
  auditProblems,
} from "../../contracts/audit-log.ts";
import { jobLogContract } from "../../contracts/job-log.ts";
import {
  byFilter,
  fail,
  failMany,
  itemsOf,
  type JobLogHarness,
  jobDraft,
  startJob,
  withJobs,
} from "../../contracts/job-log-harness.ts";
import { dayMillis, failureDraft, rawMeta, tenant } from "../../contracts/outcome-samples.ts";
import { allRows } from "../../contracts/store-harness.ts";
import { storeFolder } from "./store-folder.ts";

auditLogContract(auditHarness);
jobLogContract(jobHarness);

/** Connections to one new file, each as another process would open it. */
async function files() {
  const folder = await storeFolder();
  const databases: Database[] = [];
  return {
    ...folder,
    open(mode: "write" | "read" = "write"): Database {
      const database = openDatabase(folder.path, { mode });
      databases.push(database);
      return database;
    },
    settle: async () => {},
    async close() {
      for (const database of databases) database.close();
      await folder.remove();
    },
  };
}

async function auditHarness(): Promise<AuditLogHarness & { readonly database: Database }> {
  const { open, clock, wait, settle, close } = await files();
  const database = open();
  return {
    database,
    audit: sqliteAuditLog(database, clock),
    other: sqliteAuditLog(open(), clock),
    now: clock,
    wait,
    settle,
    restart: async () => sqliteAuditLog(open(), clock),
    close,
  };
}

async function jobHarness(): Promise<JobLogHarness & { readonly database: Database; open(mode: "read"): Database }> {
  const { open, clock, wait, settle, close } = await files();
  const database = open();
  return {
    database,
    open,
    jobs: sqliteJobLog(database, clock),
    audit: sqliteAuditLog(database, clock),
    failures: sqliteFailureLog(database, clock),
    records: sqliteRecordTable(database, clock),
    queue: sqliteWorkQueue(database, clock),
    now: clock,
    wait,
    settle,
    restart: async () => sqliteJobLog(open(), clock),
    close,
  };
}

describe("the audit log in the embedded database", () => {
  const hash = "c".repeat(64);
  const changes = {
    "an entry whose actor was changed": "UPDATE audit SET actor = 'bo' WHERE sequence = 3",
    "an entry whose time was changed": "UPDATE audit SET at = at + 1 WHERE sequence = 3",
    "an entry whose details were changed": `UPDATE audit SET details = '{"operations":1}' WHERE sequence = 3`,
    "an entry whose reason was taken away": "UPDATE audit SET reason = NULL WHERE sequence = 3",
    "an entry whose hash was changed": `UPDATE audit SET hash = '${hash}' WHERE sequence = 3`,
    "an entry that was removed": "DELETE FROM audit WHERE sequence = 3",
    "the first entry removed": "DELETE FROM audit WHERE sequence = 1",
    "an entry that was removed, with the rest moved up":
      "DELETE FROM audit WHERE sequence = 3; UPDATE audit SET sequence = sequence - 1 WHERE sequence > 3",
    "two entries that changed places": `UPDATE audit SET sequence = 99 WHERE sequence = 3;
       UPDATE audit SET sequence = 3 WHERE sequence = 4; UPDATE audit SET sequence = 4 WHERE sequence = 99`,
    "an entry of another tenant": "UPDATE audit SET tenant = 'acme', sequence = 6 WHERE tenant = 'rival'",
  };
  for (const [what, sql] of Object.entries(changes)) {
    test(`shows ${what}`, async () => {
      const { audit, database, close } = await auditHarness();
      try {
        for (let number = 0; number < 5; number++) await audit.append(auditDraft({ target: `fail_${number}` }));
        await audit.append(auditDraft({ tenant: "rival" }));
        assert.deepEqual(auditProblems((await audit.query(anyEntry)).rows), []);
        for (const one of sql.split(";")) database.run(one);
        assert.notDeepEqual(auditProblems((await audit.query(anyEntry)).rows), []);
      } finally {
        await close();
      }
    });
  }

  test("shows an entry that was written anew with a hash that fits it", async () => {
    const { audit, close } = await auditHarness();
    try {
      const [first, second] = [await audit.append(auditDraft()), await audit.append(auditDraft())];
      const { audit: forger, close: closeForger } = await auditHarness();
      const forged = await forger.append(auditDraft({ actor: "bo" }));
      await closeForger();
      assert.equal(auditProblem(null, first), null);
      assert.equal(auditProblem(null, forged), null);
      assert.match(auditProblem(forged, second) ?? "", /^Entry 2 does not follow entry 1/);
    } finally {
      await close();
    }
  });
});

describe("the job log in the embedded database", () => {
  const jobs = withJobs(jobHarness);
  const wholeStep = { reasons: [], samples: [], pauseReason: null, delayMillis: 0 };

  test(
    "has no more items than a job may have, and says so",
    jobs(async (harness) => {
      await failMany(harness, 5);
      const few = sqliteJobLog(harness.database, harness.now, { itemsMax: 3 });
      const job = await few.create(jobDraft(), auditDraft());
      assert.equal(job.items, 3);
      assert.match(job.stateReason ?? "", /another job/);
    }),
  );

  test(
    "answers on a reading connection what the writer answers",
    jobs(async (harness) => {
      await failMany(harness, 3);
      const { id } = await startJob(harness);
      const reader = sqliteJobLog(harness.open("read"), harness.now);
      const page = { result: null, limit: 2, cursor: null };
      const list = { tenant, state: null, action: null, limit: 2, cursor: null };
      for (const read of [
        (log: JobLog) => log.plan(tenant, byFilter({ contains: "seven" })),
        (log: JobLog) => log.get(tenant, id),
        (log: JobLog) => log.query(list),
        (log: JobLog) => log.items(tenant, id, page),
      ]) {
        assert.deepEqual(await read(reader), await read(harness.jobs));
      }
    }),
  );

  test(
    "expects a duplicate wherever among the places of its hash the record stands, and only there",
    jobs(async (harness) => {
      const { database } = harness;
      // The largest first place of 53 bits; its neighbours' places must not count.
      const place = 2 ** 53 - 32;
      for (const [index, contentHash] of [1, 2, 3, 4, 5].entries()) {
        await fail(harness, { index, identity: place + 3, contentHash });
      }
      const rows = [
        ["identities", place, 1],
        ["identities_recent", place + 15, 2],
        ["identities", place + 16, 3],
        ["identities", place - 1, 4],
        ["identities", place + 1, 6],
      ] as const;
      for (const [table, hash, content] of rows) {
        database.run(`INSERT INTO ${table} VALUES (?, 1, x'00', ?)`, hash, content);
      }
      const plan = await harness.jobs.plan(tenant, byFilter());
      assert.deepEqual([plan.items, plan.duplicatesExpected], [5, 2]);
    }),
  );

  // On two cores: 100,000 failures planned in 0.25 s, frozen in 0.1 s, taken through 100 steps in 0.5 s (10 ms the slowest).
  test(
    "plans, freezes and steps through 100,000 failures, each exactly once",
    jobs(async (harness) => {
      const count = 100_000;
      for (let start = 0; start < count; start += 10_000) {
        const rawKey = `raw/orders/2026/11/16/${start}`;
        const drafts = Array.from({ length: 10_000 }, (_, index) => failureDraft(rawKey, { index }));
        await harness.failures.add(rawKey, rawMeta({ events: 10_000 }), harness.now() + dayMillis, drafts);
      }
      const plan = await harness.jobs.plan(tenant, byFilter());
      assert.deepEqual([plan.items, plan.replayable, plan.issues.length], [count, count, 1]);
      const job = await startJob(harness);
      const seen = new Set<string>();
      for (let step = 1; ; step++) {
        const todo = await harness.jobs.todo(tenant, job.id, limits.jobStepItemsMax);
        if (todo.length === 0) break;
        for (const { target } of todo) seen.add(target);
        const items = todo.map((item) => ({ ...item, result: "recovered" as const }));
        await harness.jobs.finishStep({ tenant, jobId: job.id, step, items, ...wholeStep });
      }
      const done = await harness.jobs.get(tenant, job.id);
      assert.deepEqual([done?.state, done?.results, seen.size], ["done", { recovered: count }, count]);
      const rest = await allRows(
        (request) => harness.jobs.items(tenant, job.id, { result: "recovered", ...request }),
        999,
      );
      assert.deepEqual(
        rest.map(({ target }) => target),
        [...seen],
      );
      assert.deepEqual(
        rest.map(({ position }) => position),
        rest.map((_, index) => index + 1),
      );
    }),
  );

  test(
    "forgets jobs that are over 30 days after their creation, with their items, a part at a time",
    jobs(async (harness) => {
      const { database, now, wait } = harness;
      await failMany(harness, 5);
      const [done, cancelled, running] = [await startJob(harness), await startJob(harness), await startJob(harness)];
      const items = (await harness.jobs.todo(tenant, done.id, 10)).map((item) => ({
        ...item,
        result: "same" as const,
      }));
      await harness.jobs.finishStep({ tenant, jobId: done.id, step: 1, items, ...wholeStep });
      await harness.jobs.change(tenant, cancelled.id, null, "cancelled", auditDraft());
      const sweep = (max: number) => database.transaction(() => sweepJobs(database, now(), max));
      await wait(30 * dayMillis - 1);
      assert.equal(sweep(100), 0);
      await wait(1);
      assert.equal(sweep(1), 1);
      assert.equal((await harness.jobs.get(tenant, done.id))?.state, "done");
      assert.deepEqual(await itemsOf(harness, done), []);
      assert.equal(sweep(2), 2);
      assert.equal(await harness.jobs.get(tenant, done.id), null);
      assert.deepEqual([sweep(100), sweep(100)], [2, 0]);
      assert.equal(await harness.jobs.get(tenant, cancelled.id), null);
      assert.equal((await itemsOf(harness, running)).length, 5);
      const rows = ["job_items", "job_steps"].map((table) => database.all(`SELECT DISTINCT job FROM ${table}`).length);
      assert.deepEqual(rows, [1, 0]);
    }),
  );
});
