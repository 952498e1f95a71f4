import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import type { Project } from "../../../src/model/definition.ts";
import { computeStep, type JobContext } from "../../../src/pipeline/failures/compute-step.ts";
import { compileContract } from "../../../src/pipeline/process/compile-contract.ts";
import { sqliteFailureLog } from "../../../src/platforms/embedded/failure-log.ts";
import { sqliteJobLog } from "../../../src/platforms/embedded/job-log.ts";
import { commitStep } from "../../../src/platforms/embedded/job-loop.ts";
import { sqliteOutcomes } from "../../../src/platforms/embedded/outcomes.ts";
import { sweep } from "../../../src/platforms/embedded/retention.ts";
import { sqliteWorkQueue } from "../../../src/platforms/embedded/work-queue.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import { byFilter, jobDraft } from "../../contracts/job-log-harness.ts";
import { dayMillis, failureDraft, newRawKey, outcome, stream, tenant } from "../../contracts/outcome-samples.ts";
import { streamOf } from "../../pipeline/stream-of.ts";
import { embeddedStores } from "./store-folder.ts";

const perObject = 10;
const stepItems = 5;

test("a replay whose failures expire meanwhile recovers the rest, says which are gone, and the balance stays exact", async () => {
  const stores = await embeddedStores();
  try {
    const { database, now } = stores;
    const start = now();
    for (const failuresEnd of [start + 10 * 60_000, start + 7 * dayMillis]) {
      const rawKey = newRawKey();
      const end = start + 7 * dayMillis;
      const failures = Array.from({ length: perObject }, (_, index) =>
        failureDraft(rawKey, { index, original: Buffer.from(`{"total":${index}}`) }),
      );
      const expiresAt = { records: end, failures: failuresEnd, raw: end };
      await stores.records.commit([outcome({ rawKey, failures, expiresAt })]);
      await stores.wait(1);
    }
    const [jobs, queue] = [sqliteJobLog(database, now), sqliteWorkQueue(database, now)];
    const failures = sqliteFailureLog(database, now);
    const { id } = await jobs.create(jobDraft({ selection: byFilter(), ratePerSecond: stepItems }), auditDraft());
    const definition = streamOf(z.object({ total: z.number() }), { name: stream });
    const project: Project = {
      name: "replaying",
      streams: new Map([[stream, definition]]),
      anomalies: [],
      alerts: [],
      sources: [],
      recipes: new Map(),
    };
    const context: JobContext = {
      project,
      contracts: new Map([[stream, compileContract(definition)]]),
      readRaw: async () => null,
      records: stores.records,
      failures,
      jobs,
      suspected: () => false,
      remember: () => undefined,
      clock: now,
      random: () => 0,
    };
    const written = { database, outcomes: sqliteOutcomes(database, now), failures, jobs, queue, project };
    for (let step = 0; step < 10; step++) {
      const [message] = await queue.receive(1);
      if (message === undefined) break;
      assert.ok(message.work.kind === "job");
      const computed = await computeStep(message.work, context);
      assert.ok(computed !== null);
      commitStep(written, computed, message);
      await stores.wait(1_000);
      // After the first five: the other five of their object expire, too.
      if (step === 0) sweep(database, start + 20 * 60_000, { rowsMax: 1_000 });
    }
    const job = await jobs.get(tenant, id);
    assert.equal(job?.state, "done");
    assert.deepEqual(job?.results, { recovered: perObject + stepItems, gone: perObject - stepItems });
    const counters = await stores.counters(tenant, stream);
    assert.deepEqual(
      [counters.received, counters.stored, counters.quarantined],
      [2 * perObject, perObject + stepItems, perObject - stepItems],
      "an event whose failure has expired stays counted where it was",
    );
    const count = database.get<{ n: number }>("SELECT count(*) AS n FROM records")?.n;
    assert.equal(count, counters.stored);
  } finally {
    await stores.close();
  }
});
