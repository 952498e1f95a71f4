import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FailureDraft } from "../../../src/model/failure.ts";
import { expireFailures } from "../../../src/platforms/aws/expire-failures.ts";
import { endFailure, findFailure } from "../../../src/platforms/aws/failure-items.ts";
import { dynamoFailureLog } from "../../../src/platforms/aws/failure-log.ts";
import { IssueChanges } from "../../../src/platforms/aws/issue-changes.ts";
import { dynamoIssueLog } from "../../../src/platforms/aws/issue-log.ts";
import { transaction } from "../../../src/platforms/aws/unit-of-work.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import { dayMillis, failureDraft, newRawKey, noon, rawMeta, tenant } from "../../contracts/outcome-samples.ts";
import { anyFailure } from "../../contracts/record-table-trace.ts";
import { testTable } from "./aws-services.ts";

const outbox = { add() {}, async dispatch() {} };
const expiresAt = noon + 3 * dayMillis;
const fingerprint = "1111111111111111";

/** A failure log whose clock a test sets. */
async function logs() {
  const time = { now: noon };
  const { table, remove } = await testTable(() => time.now);
  const failures = dynamoFailureLog(table, { outbox });
  const issues = dynamoIssueLog(table);
  return {
    time,
    table,
    failures,
    remove,
    async fail(count: number, change: Partial<FailureDraft> = {}, until = expiresAt) {
      const rawKey = newRawKey();
      const drafts = Array.from({ length: count }, (_, index) =>
        failureDraft(rawKey, { fingerprint, index, ...change }),
      );
      await failures.add(rawKey, rawMeta({ events: count }), until, drafts);
      return drafts.map(({ id }) => id);
    },
    async standing(of = fingerprint) {
      const issue = await issues.get(tenant, `iss_${of}`);
      return issue && [issue.state, issue.total, issue.waiting, issue.recovered, issue.discarded];
    },
    exampleId: async () => (await issues.get(tenant, `iss_${fingerprint}`))?.exampleId,
  };
}

describe("expiry of failures", () => {
  test("leaves an expired failure out of every answer at once, and out of the counts after a sweep", async () => {
    const { time, table, failures, remove, fail, standing, exampleId } = await logs();
    const [discarded = "", gone = ""] = await fail(3);
    await failures.discard(tenant, discarded, null, "", auditDraft());
    time.now += 1000;
    const [younger = ""] = await fail(1, {}, expiresAt + dayMillis);
    const [latest = ""] = await fail(1);
    assert.equal(await exampleId(), latest);

    time.now = expiresAt;
    assert.equal(await failures.get(tenant, gone), null);
    assert.equal(await failures.payload(tenant, gone), null);
    assert.equal(await failures.discard(tenant, gone, null, "", auditDraft()), null);
    assert.deepEqual(await failures.discardAll(tenant, [gone], ""), ["gone"]);
    assert.deepEqual(await failures.load(tenant, [gone]), [null]);
    assert.deepEqual(
      (await failures.query(anyFailure)).rows.map(({ id }) => id),
      [younger],
    );
    assert.equal(await expireFailures(table, time.now, 100), 0);
    assert.deepEqual(await standing(), ["open", 5, 4, 0, 1]);

    time.now += 5 * 60_000 + 1;
    const sweeps = await Promise.all([expireFailures(table, time.now, 100), expireFailures(table, time.now, 100)]);
    assert.equal(sweeps[0] + sweeps[1], 4);
    assert.deepEqual(await standing(), ["open", 5, 1, 0, 0]);
    assert.equal(await exampleId(), younger);
    assert.equal(await expireFailures(table, time.now, 100), 0);
    await remove();
  });

  test("waits for a failure that is being retried", async () => {
    const { time, table, failures, remove, fail, standing } = await logs();
    const [retrying = ""] = await fail(2);
    await failures.retry(tenant, retrying, null, auditDraft());
    time.now = expiresAt + 10 * 60_000;
    assert.equal((await failures.get(tenant, retrying))?.state, "retrying");
    assert.equal(await expireFailures(table, time.now, 100), 1);
    assert.equal(await expireFailures(table, time.now, 100), 0);
    assert.deepEqual(await standing(), ["open", 2, 1, 0, 0]);
    time.now += dayMillis;
    assert.equal(await expireFailures(table, time.now, 100), 1);
    assert.deepEqual(await standing(), ["open", 2, 0, 0, 0]);
    await remove();
  });

  test("keeps a failure whose replay failed, with its payload, until its later expiry", async () => {
    const { time, table, failures, remove, fail, standing } = await logs();
    const [id = ""] = await fail(1, { identity: 77, contentHash: 5, eventId: "A" });
    const later = expiresAt + 4 * dayMillis;
    const draft = failureDraft("", { fingerprint });
    await transaction(table, async (unit) => {
      const failure = await findFailure(unit, id);
      assert.ok(failure);
      const issues = new IssueChanges();
      const end = { state: "quarantined", recordId: null, draft, expiresAt: later, jobId: "job_1" } as const;
      endFailure(unit, failure, end, time.now, issues);
      await issues.write(unit, () => true);
    });
    time.now = expiresAt + 10 * 60_000;
    for (const _ of [1, 2]) assert.equal(await expireFailures(table, time.now, 100), 0);
    time.now = later - 1;
    assert.equal((await failures.payload(tenant, id))?.byteLength, draft.original.byteLength);
    assert.deepEqual(await standing(), ["open", 1, 1, 0, 0]);
    time.now = later + 10 * 60_000;
    assert.equal(await expireFailures(table, time.now, 100), 1);
    assert.deepEqual(await standing(), ["open", 1, 0, 0, 0]);
    await remove();
  });

  test("counts out failures of more causes than one transaction holds, a part at a time", async () => {
    const { time, table, failures, remove, standing } = await logs();
    const rawKey = newRawKey();
    const cause = (index: number) => String(index).padStart(16, "0");
    const drafts = Array.from({ length: 230 }, (_, index) =>
      failureDraft(rawKey, { index, fingerprint: cause(index) }),
    );
    await failures.add(rawKey, rawMeta({ events: 230 }), expiresAt, drafts);
    time.now = expiresAt + dayMillis;
    let expired = 0;
    for (let sweep = 0; sweep < 20; sweep++) expired += await expireFailures(table, time.now, 40);
    assert.equal(expired, 230);
    for (const index of [0, 100, 229]) assert.deepEqual(await standing(cause(index)), ["open", 1, 0, 0, 0]);
    await remove();
  });
});
