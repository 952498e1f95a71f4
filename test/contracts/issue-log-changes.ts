import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureDraft } from "../../src/model/failure.ts";
import type { Issue, IssueNotice } from "../../src/model/issue.ts";
import { anyEntry, auditDraft } from "./audit-log.ts";
import { failureDraft, newRawKey, notificationDraft, only, outcome, tenant } from "./outcome-samples.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** What people change, and what owners are told of; part of the issue-log suite. */
export function issueChanges(create: () => Promise<StoreHarness>): void {
  changing(create);
  noticing(create);
}

/** Fingerprints of two causes. */
export const [first, second] = ["1111111111111111", "2222222222222222"];
export const firstId = `iss_${first}`;
export const secondId = `iss_${second}`;

/** Commits a raw object with so many failures of one cause; answers with their ids. */
export async function fail(harness: StoreHarness, count = 1, change: Partial<FailureDraft> = {}, ofTenant = tenant) {
  const rawKey = newRawKey();
  const drafts = Array.from({ length: count }, (_, index) =>
    failureDraft(rawKey, { fingerprint: first, index, ...change }),
  );
  await harness.records.commit([outcome({ rawKey, meta: { tenant: ofTenant }, failures: drafts })]);
  await harness.settle();
  return drafts.map(({ id }) => id);
}

export async function issueOf({ issues, settle }: StoreHarness, id = firstId): Promise<Issue> {
  await settle();
  const issue = await issues.get(tenant, id);
  assert.ok(issue);
  return issue;
}

function changing(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);
  const audit = () => auditDraft({ action: "issue.change", target: firstId });
  const entries = async ({ audit: log, settle }: StoreHarness) => {
    await settle();
    return (await log.query({ ...anyEntry, target: firstId })).rows.length;
  };

  test(
    "changes what is given and leaves the rest, with a new version and an audit entry",
    store(async (harness) => {
      const { issues } = harness;
      await fail(harness);
      let expected = await issueOf(harness);
      for (const change of [
        { owner: "ana" },
        { state: "acknowledged", note: "the export of Friday" },
        { owner: null },
        { state: "resolved" },
        { state: "open", owner: "bo", note: null },
      ] as const) {
        expected = { ...expected, ...change, version: expected.version + 1 };
        assert.deepEqual(await issues.change(tenant, firstId, expected.version - 1, change, audit()), expected);
        assert.deepEqual(await issueOf(harness), expected);
      }
      assert.equal(await entries(harness), 5);
    }),
  );

  test(
    "refuses another version with ETAG_STALE, and answers null where there is no issue; then nothing is audited",
    store(async (harness) => {
      const { issues } = harness;
      await fail(harness);
      const before = await issueOf(harness);
      await assert.rejects(issues.change(tenant, firstId, 2, { owner: "ana" }, audit()), { code: "ETAG_STALE" });
      assert.equal(await issues.change(tenant, "iss_none", null, { owner: "ana" }, audit()), null);
      assert.equal(await issues.change("rival", firstId, null, { owner: "ana" }, audit()), null);
      assert.deepEqual(await issueOf(harness), before);
      assert.equal(await entries(harness), 0);
    }),
  );
}

function noticing(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);
  const notice = ({ state, total }: Issue, kind: IssueNotice["kind"], at: number): IssueNotice => ({
    kind,
    state,
    total,
    at,
  });

  test(
    "shows an issue with new failures or a new state until its notice is settled, with the notice before",
    store(async (harness) => {
      const { issues, failures, settle } = harness;
      const [id = ""] = await fail(harness, 2);
      let before: IssueNotice | null = null;
      const steps: readonly (() => Promise<unknown>)[] = [
        async () => {},
        () => fail(harness),
        () => issues.change(tenant, firstId, null, { state: "acknowledged" }, auditDraft()),
        () => failures.discardAll(tenant, [id], ""),
      ];
      for (const [index, step] of steps.entries()) {
        await step();
        await settle();
        const unnoticed = await issues.unnoticed(0, 10);
        // One failure less is no news while others wait.
        if (index === 3) {
          assert.deepEqual(unnoticed, []);
          continue;
        }
        const { issue, notice: last } = only(unnoticed);
        assert.deepEqual([issue, last], [await issueOf(harness), before]);
        before = notice(issue, "new", index);
        await issues.settleNotice(issue, before, []);
        await settle();
        assert.deepEqual(await issues.unnoticed(0, 10), []);
      }
      await issues.change(tenant, firstId, null, { owner: "ana" }, auditDraft());
      await settle();
      assert.deepEqual(await issues.unnoticed(0, 10), []);
    }),
  );

  test(
    "settles a notice and its notifications in one commit; an issue that changed meanwhile stays unnoticed",
    store(async (harness) => {
      const { issues, notifications, settle } = harness;
      await fail(harness);
      const { issue } = only(await issues.unnoticed(0, 10));
      await fail(harness);
      const decided = notice(issue, "new", 5);
      await issues.settleNotice(issue, decided, [notificationDraft({ topic: "failures" })]);
      await settle();
      assert.equal((await notifications.due(10)).length, 1);
      const again = only(await issues.unnoticed(0, 10));
      assert.deepEqual([again.notice, again.issue.total], [decided, 2]);
      await issues.settleNotice(again.issue, null, []);
      await settle();
      assert.deepEqual(await issues.unnoticed(0, 10), []);
    }),
  );

  test(
    "shows an issue that was noticed and has not been seen for long, until it is noticed as stopped",
    store(async (harness) => {
      const { issues, settle, wait, now } = harness;
      await fail(harness);
      await fail(harness, 1, { fingerprint: second });
      for (const { issue } of await issues.unnoticed(0, 10)) {
        await issues.settleNotice(issue, issue.id === firstId ? notice(issue, "threshold", 1) : null, []);
      }
      await settle();
      const { lastSeenAt } = await issueOf(harness);
      assert.deepEqual(await issues.unnoticed(lastSeenAt, 10), []);
      const quiet = only(await issues.unnoticed(lastSeenAt + 1, 10));
      assert.deepEqual([quiet.issue.id, quiet.notice?.kind], [firstId, "threshold"]);
      await issues.settleNotice(quiet.issue, notice(quiet.issue, "stopped", 2), []);
      await wait(1000);
      assert.deepEqual(await issues.unnoticed(now(), 10), []);
      await fail(harness);
      assert.equal(only(await issues.unnoticed(0, 10)).notice?.kind, "stopped");
    }),
  );

  test(
    "shows at most as many as are asked for, of every tenant",
    store(async (harness) => {
      const { issues } = harness;
      await fail(harness);
      await fail(harness, 1, { fingerprint: second });
      await fail(harness, 1, {}, "rival");
      assert.equal((await issues.unnoticed(0, 2)).length, 2);
      const all = await issues.unnoticed(0, 10);
      assert.deepEqual(all.map(({ issue }) => `${issue.tenant} ${issue.id}`).sort(), [
        `acme ${firstId}`,
        `acme ${secondId}`,
        `rival ${firstId}`,
      ]);
    }),
  );
}
