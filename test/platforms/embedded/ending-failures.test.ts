import assert from "node:assert/strict";
import { test } from "node:test";
import { findEnding } from "../../../src/platforms/embedded/ending-failures.ts";
import { sqliteFailureLog } from "../../../src/platforms/embedded/failure-log.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import { failureDraft, newRawKey, only, outcome, recordDraft, tenant } from "../../contracts/outcome-samples.ts";
import { embeddedStores } from "./store-folder.ts";

type Stores = Awaited<ReturnType<typeof embeddedStores>>;

/** Commits failures of one raw object; answers with its key, their ids, and the outcome of a replay of one. */
async function failed({ records }: Stores, count: number) {
  const rawKey = newRawKey();
  const drafts = Array.from({ length: count }, (_, index) => failureDraft(rawKey, { index }));
  await records.commit([outcome({ rawKey, failures: drafts })]);
  const ids = drafts.map(({ id }) => id);
  const replayed = (index: number, attempt = 2) =>
    outcome({
      rawKey,
      subject: { kind: "failure", failureId: ids[index] ?? "", attempt, jobId: "job_1" },
      records: [recordDraft({ index })],
    });
  return { ids, replayed };
}

async function withStores(body: (stores: Stores) => Promise<void>): Promise<void> {
  const stores = await embeddedStores();
  try {
    await body(stores);
  } finally {
    await stores.close();
  }
}

test("a commit finds the failures that were loaded for it without reading them again", () =>
  withStores(async (stores) => {
    const { database, now } = stores;
    const { ids } = await failed(stores, 3);
    const log = sqliteFailureLog(database, now);
    const read = findEnding(database, ids);
    assert.deepEqual(
      read.map((one) => one?.id),
      ids,
    );
    await log.load(tenant, ids.slice(0, 2));
    await log.load(tenant, ids.slice(2));
    const [first = "", second = "", third = ""] = ids;
    const { arrays } = database;
    Object.assign(database, { arrays: () => assert.fail("must not read") });
    assert.deepEqual(findEnding(database, ids), read);
    assert.deepEqual(findEnding(database, [first, null, third, null]), [read[0], undefined, read[2], undefined]);
    assert.throws(() => findEnding(database, [second, first]), /must not read/);
    Object.assign(database, { arrays });
    assert.deepEqual(findEnding(database, [second, "fail_none", first, second]), [
      read[1],
      undefined,
      read[0],
      read[1],
    ]);
  }));

test("what was loaded counts no longer when anything was written since", () =>
  withStores(async (stores) => {
    const { database, now, records } = stores;
    const { ids, replayed } = await failed(stores, 2);
    const log = sqliteFailureLog(database, now);
    await log.load(tenant, ids);
    await log.discard(tenant, ids[0] ?? "", null, "not needed", auditDraft());
    const results = await records.commit([replayed(0), replayed(1)]);
    assert.deepEqual(
      results.map(({ applied, stored }) => [applied, stored]),
      [
        [false, 0],
        [true, 1],
      ],
    );
    assert.equal((await log.get(tenant, ids[0] ?? ""))?.state, "discarded");
  }));

test("of two outcomes of one failure in one commit the second finds what the first has made of it", () =>
  withStores(async (stores) => {
    const { database, now, records } = stores;
    const { ids, replayed } = await failed(stores, 1);
    await sqliteFailureLog(database, now).load(tenant, ids);
    const results = await records.commit([replayed(0), replayed(0), replayed(0, 3)]);
    assert.deepEqual(
      results.map(({ applied }) => applied),
      [true, false, false],
    );
    const failure = await sqliteFailureLog(database, now).get(tenant, only(ids));
    assert.deepEqual([failure?.state, failure?.attempts], ["recovered", 2]);
  }));
