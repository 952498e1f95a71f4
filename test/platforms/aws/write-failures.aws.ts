import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FailureDraft } from "../../../src/model/failure.ts";
import { identityHash } from "../../../src/model/identity.ts";
import { readCounters } from "../../../src/platforms/aws/counters.ts";
import { writeFailures } from "../../../src/platforms/aws/failure-items.ts";
import { dynamoFailureLog } from "../../../src/platforms/aws/failure-log.ts";
import { IssueChanges } from "../../../src/platforms/aws/issue-changes.ts";
import { dynamoIssueLog } from "../../../src/platforms/aws/issue-log.ts";
import { recordItem } from "../../../src/platforms/aws/record-items.ts";
import { transaction } from "../../../src/platforms/aws/unit-of-work.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import {
  dayMillis,
  failureDraft,
  newRawKey,
  noon,
  only,
  rawMeta,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { testTable } from "./aws-services.ts";

const outbox = { add() {}, async dispatch() {} };
const expiresAt = noon + 7 * dayMillis;
const meta = rawMeta();

async function logs() {
  const time = { now: noon };
  const { table, remove } = await testTable(() => time.now);
  const objects = new Map<string, Uint8Array>();
  const bucket = {
    async put(key: string, body: Uint8Array) {
      const isNew = !objects.has(key);
      if (isNew) objects.set(key, body);
      return isNew ? ("created" as const) : ("exists" as const);
    },
    get: async (key: string) => objects.get(key) ?? null,
  };
  return {
    time,
    table,
    remove,
    objects,
    failures: dynamoFailureLog(table, { outbox, objects: bucket }),
    /** One try of a commit: writes the failures, and with `counted` its transaction. */
    async commit(rawKey: string, drafts: readonly FailureDraft[], counted: boolean) {
      const issues = new IssueChanges();
      const origin = { rawKey, meta, expiresAt, now: time.now };
      const answers = await writeFailures(table, drafts, origin, issues, bucket);
      if (counted) await transaction(table, (unit) => issues.write(unit, () => true));
      return answers;
    },
    async total(draft: FailureDraft) {
      return (await dynamoIssueLog(table).get(tenant, `iss_${draft.fingerprint}`))?.total ?? 0;
    },
  };
}

describe("failures that a commit writes", () => {
  test("are new in every try of the same commit, and counted by the one that succeeds", async () => {
    const { time, commit, failures, total, remove } = await logs();
    const rawKey = newRawKey();
    const event = { identity: 77, contentHash: 5, eventId: "A" };
    const drafts = [0, 1, 2].map((index) => failureDraft(rawKey, { index, ...(index < 2 && event) }));
    const [first] = drafts;
    assert.ok(first);
    assert.deepEqual(await commit(rawKey, drafts.slice(0, 1), false), ["new"]);
    assert.equal(await total(first), 0);
    time.now += 1000;
    // The second is the same event as the first, in the same object.
    assert.deepEqual(await commit(rawKey, drafts, true), ["new", "known", "new"]);
    assert.equal(await total(first), 2);
    assert.equal((await failures.get(tenant, first.id))?.firstSeenAt, noon);
    await remove();
  });

  test("say what the last try found, unless somebody has changed them since", async () => {
    const { commit, failures, remove } = await logs();
    const rawKey = newRawKey();
    const drafts = [0, 1].map((index) => failureDraft(rawKey, { index }));
    await commit(rawKey, drafts, false);
    const [one = "", other = ""] = drafts.map(({ id }) => id);
    await failures.discard(tenant, other, null, "no", auditDraft());
    const original = Buffer.from("whole");
    const given = drafts.map((draft) => ({ ...draft, state: "dead" as const, code: "PROCESS_ENDED", original }));
    assert.deepEqual(await commit(rawKey, given, true), ["new", "new"]);
    const changed = await failures.get(tenant, one);
    assert.deepEqual([changed?.state, changed?.code, changed?.payloadBytes], ["dead", "PROCESS_ENDED", 5]);
    assert.equal(Buffer.from((await failures.payload(tenant, one)) ?? []).toString(), "whole");
    assert.equal((await failures.get(tenant, other))?.state, "discarded");
    await remove();
  });

  test("may end before the commit that counts them has succeeded", async () => {
    const { commit, failures, total, table, remove } = await logs();
    const rawKey = newRawKey();
    const draft = failureDraft(rawKey);
    await commit(rawKey, [draft], false);
    await failures.discard(tenant, draft.id, null, "no", auditDraft());
    await commit(rawKey, [draft], true);
    assert.equal(await total(draft), 1);
    const issue = await dynamoIssueLog(table).get(tenant, `iss_${draft.fingerprint}`);
    assert.deepEqual([issue?.waiting, issue?.discarded], [0, 1]);
    await remove();
  });

  for (const source of ["", "https://shop.example/"]) {
    test(`are known when their event is stored as a record, ${source === "" ? "by its key" : "as a CloudEvent"}`, async () => {
      const { table, commit, remove } = await logs();
      const record = recordDraft({ eventId: "A", source });
      const origin = { tenant, stream, rawKey: newRawKey(), receivedAt: noon, expiresAt };
      await table.putAll([recordItem(record, origin)]);
      const { hash53: identity } = identityHash(tenant, stream, source, "A");
      const rawKey = newRawKey();
      const original = Buffer.from(JSON.stringify({ id: "A", source, data: {} }));
      const { contentHash } = record;
      const again = failureDraft(rawKey, { eventId: "A", identity, contentHash, original });
      const other = failureDraft(rawKey, { index: 1, eventId: "A", identity, contentHash: contentHash + 1, original });
      assert.deepEqual(await commit(rawKey, [again, other], true), ["known", "new"]);
      await remove();
    });
  }

  test("are not counted again where they were found outside an outcome before", async () => {
    const { table, commit, failures, total, remove } = await logs();
    const rawKey = newRawKey();
    const draft = failureDraft(rawKey);
    await commit(rawKey, [draft], false);
    for (const _ of [1, 2]) await failures.add(rawKey, meta, expiresAt, [draft]);
    assert.deepEqual(await commit(rawKey, [draft], true), ["known"]);
    assert.equal(await total(draft), 1);
    const counters = only([...(await readCounters(table, tenant, [stream])).values()]);
    assert.deepEqual([counters.received, counters.quarantined], [1, 1]);
    await remove();
  });

  test("keep a payload too big for an item in the bucket", async () => {
    const { commit, failures, objects, remove } = await logs();
    const rawKey = newRawKey();
    const original = Buffer.alloc(700_000, "abcdefg");
    const draft = failureDraft(rawKey, { original });
    await commit(rawKey, [draft], true);
    assert.deepEqual([...objects.keys()], [`failures/${draft.id}`]);
    assert.deepEqual(Buffer.from((await failures.payload(tenant, draft.id)) ?? []), original);
    assert.deepEqual(Buffer.from(only(await failures.load(tenant, [draft.id]))?.whole()?.payload ?? []), original);
    await remove();
  });
});
