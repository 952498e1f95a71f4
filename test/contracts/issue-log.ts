import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Issue } from "../../src/model/issue.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import type { IssueQuery } from "../../src/ports/issue-log.ts";
import { auditDraft } from "./audit-log.ts";
import { fail, first, firstId, issueChanges, issueOf, second, secondId } from "./issue-log-changes.ts";
import { failureDraft, newRawKey, only, outcome, rawMeta, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { listed } from "./record-table-trace.ts";
import { allRows, type StoreHarness, withStore } from "./store-harness.ts";

const anyIssue: IssueQuery = { ...listed, state: null, code: null };
const hour = 3_600_000;

/** One test for each sentence of `src/ports/issue-log.ts`, and of the states in `src/model/issue.ts`. */
export function issueLogContract(create: () => Promise<StoreHarness>): void {
  describe("issue-log", () => {
    counting(create);
    moving(create);
    listing(create);
    issueChanges(create);
  });
}

/** Replays a failure; `parts` is what becomes of it. */
async function replay({ records, failures, settle }: StoreHarness, id: string, parts: Partial<Outcome>) {
  const failure = await failures.get(tenant, id);
  assert.ok(failure);
  const subject = { kind: "failure", failureId: id, attempt: failure.attempts + 1, jobId: "job_1" } as const;
  assert.equal(only(await records.commit([outcome({ rawKey: failure.rawKey, subject, ...parts })])).applied, true);
  await settle();
}

/** State, total, waiting, recovered and discarded. */
async function standing(harness: StoreHarness, id = firstId) {
  const { state, total, waiting, recovered, discarded } = await issueOf(harness, id);
  return [state, total, waiting, recovered, discarded];
}

function counting(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "opens one issue for all failures with one cause, and tells that cause",
    store(async (harness) => {
      const { issues, wait, now } = harness;
      const errors = [
        { pointer: "/items/12/total/3", code: "type", detail: "must be a number" },
        { pointer: "/id", code: "required", detail: "is missing" },
      ];
      const started = now();
      await fail(harness, 2, { errors });
      await wait(1000);
      const later = [{ pointer: "/items/7/total/0", code: "type", detail: "must be another number" }];
      const [latest] = await fail(harness, 1, { errors: later, class: "bug" });
      await fail(harness, 1, { fingerprint: second, errors: [] });
      assert.equal((await issues.query(anyIssue)).rows.length, 2);
      const { firstSeenAt, lastSeenAt, ...issue } = await issueOf(harness);
      assert.deepEqual(issue, {
        id: firstId,
        tenant,
        stream,
        fingerprint: first,
        class: "invalid",
        stage: "validate",
        code: "CONTRACT_BROKEN",
        pointer: "/items/*/total/*",
        detail: "must be a number",
        contractVersion: "a1b2c3d4e5f6",
        state: "open",
        owner: null,
        note: null,
        total: 3,
        waiting: 3,
        recovered: 0,
        discarded: 0,
        exampleId: latest,
        version: 1,
      });
      assert.ok(firstSeenAt >= started && lastSeenAt >= firstSeenAt + 1000 && lastSeenAt <= now());
      const { pointer, detail } = await issueOf(harness, secondId);
      assert.deepEqual([pointer, detail], ["", ""]);
      assert.equal(await issues.get(tenant, "iss_none"), null);
      assert.equal(await issues.get("rival", firstId), null);
    }),
  );

  test(
    "counts failures where they are, through retries, replays, edits and discards",
    store(async (harness) => {
      const { failures } = harness;
      const [retried = "", replayed = "", discarded = "", edited = "", left = "", last = ""] = await fail(harness, 6);
      await failures.retry(tenant, retried, null, auditDraft());
      await failures.edit(tenant, edited, null, null, auditDraft());
      assert.deepEqual(await standing(harness), ["open", 6, 6, 0, 0]);
      await replay(harness, replayed, { records: [recordDraft()] });
      assert.deepEqual(await standing(harness), ["open", 6, 5, 1, 0]);
      await failures.discard(tenant, discarded, null, "", auditDraft());
      assert.deepEqual(await standing(harness), ["open", 6, 4, 1, 1]);
      assert.deepEqual(await failures.discardAll(tenant, [edited, left, discarded], ""), [
        "discarded",
        "discarded",
        "skipped",
      ]);
      assert.deepEqual(await standing(harness), ["open", 6, 2, 1, 3]);
      await replay(harness, last, { retries: [{ index: 0, attempts: 2, delayMillis: 0 }] });
      assert.deepEqual(await standing(harness), ["open", 6, 2, 1, 3]);
      assert.equal((await issueOf(harness)).version, 1);
    }),
  );

  test(
    "counts failures that were found outside an outcome, once",
    store(async (harness) => {
      const { failures, now } = harness;
      const rawKey = newRawKey();
      const drafts = [0, 1].map((index) => failureDraft(rawKey, { index, fingerprint: first }));
      for (const _ of [1, 2]) await failures.add(rawKey, rawMeta({ events: 2 }), now() + hour, drafts);
      assert.deepEqual(await standing(harness), ["open", 2, 2, 0, 0]);
    }),
  );

  test(
    "counts a failing event that comes again while it waits once, and has seen it",
    store(async (harness) => {
      const { wait } = harness;
      const event = { identity: 77, contentHash: 5, eventId: "A" };
      await fail(harness, 1, event);
      const before = await issueOf(harness);
      await wait(1000);
      await fail(harness, 1, event);
      const after = await issueOf(harness);
      assert.deepEqual(after, { ...before, lastSeenAt: after.lastSeenAt });
      assert.ok(after.lastSeenAt >= before.lastSeenAt + 1000);
    }),
  );

  test(
    "counts nothing of what is not committed",
    store(async (harness) => {
      const { records, issues } = harness;
      const rawKey = newRawKey();
      const failing = outcome({ rawKey, failures: [failureDraft(rawKey)] });
      const states = [{ rule: "spend", key: "DE", version: 9, stateJson: "1" }];
      await records.judge([failing]);
      await assert.rejects(records.commit([failing, outcome({ states })]), { code: "STATE_STALE" });
      await harness.settle();
      assert.deepEqual((await issues.query(anyIssue)).rows, []);
    }),
  );

  test(
    "keeps the issues of two tenants apart",
    store(async (harness) => {
      await fail(harness, 2);
      await fail(harness, 3, {}, "rival");
      assert.deepEqual(await standing(harness), ["open", 2, 2, 0, 0]);
      assert.equal(only((await harness.issues.query({ ...anyIssue, tenant: "rival" })).rows).total, 3);
    }),
  );
}

function moving(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);
  const recover = { records: [recordDraft()] };

  async function setState({ issues }: StoreHarness, state: Issue["state"]) {
    await issues.change(tenant, firstId, null, { state }, auditDraft());
  }

  for (const state of ["open", "acknowledged", "regressed"] as const) {
    test(
      `resolves an issue that is ${state} by itself when its last failure is recovered or discarded`,
      store(async (harness) => {
        const [one = "", other = ""] = await fail(harness, 2);
        await setState(harness, state);
        const { version } = await issueOf(harness);
        await replay(harness, one, { records: [recordDraft()] });
        assert.deepEqual(await standing(harness), [state, 2, 1, 1, 0]);
        await harness.failures.discard(tenant, other, null, "", auditDraft());
        assert.deepEqual(await standing(harness), ["resolved", 2, 0, 1, 1]);
        assert.equal((await issueOf(harness)).version, version + 1);
      }),
    );
  }

  test(
    "turns a resolved issue into `regressed` by a new failure, not by one that comes again or fails again",
    store(async (harness) => {
      const event = { identity: 77, contentHash: 5, eventId: "A" };
      const [id = ""] = await fail(harness, 1, event);
      await setState(harness, "resolved");
      await fail(harness, 1, event);
      await replay(harness, id, { failures: [failureDraft("", { fingerprint: first })] });
      assert.deepEqual(await standing(harness), ["resolved", 1, 1, 0, 0]);
      const { version } = await issueOf(harness);
      await fail(harness, 1);
      assert.deepEqual(await standing(harness), ["regressed", 2, 2, 0, 0]);
      assert.equal((await issueOf(harness)).version, version + 1);
    }),
  );

  test(
    "leaves an ignored issue ignored, and an acknowledged one acknowledged, whatever comes",
    store(async (harness) => {
      const [id = ""] = await fail(harness);
      await setState(harness, "ignored");
      await replay(harness, id, recover);
      assert.deepEqual(await standing(harness), ["ignored", 1, 0, 1, 0]);
      await fail(harness);
      assert.deepEqual(await standing(harness), ["ignored", 2, 1, 1, 0]);
      await setState(harness, "acknowledged");
      await fail(harness);
      assert.deepEqual(await standing(harness), ["acknowledged", 3, 2, 1, 0]);
    }),
  );

  test(
    "moves a failure that fails for another cause now from one issue to the other, with the hour it was first seen",
    store(async (harness) => {
      const { issues, wait } = harness;
      const [two = "", one = ""] = await fail(harness, 2);
      const seen = (await issueOf(harness)).firstSeenAt;
      await wait(2 * hour);
      const other = failureDraft("", { fingerprint: second, code: "TRANSFORM_THREW", stage: "transform" });
      await replay(harness, one, { failures: [other] });
      assert.deepEqual(await standing(harness), ["open", 1, 1, 0, 0]);
      assert.deepEqual(await standing(harness, secondId), ["open", 1, 1, 0, 0]);
      const moved = await issueOf(harness, secondId);
      assert.deepEqual(
        [moved.code, moved.stage, moved.exampleId, moved.firstSeenAt],
        ["TRANSFORM_THREW", "transform", one, seen],
      );
      assert.ok(moved.lastSeenAt >= seen + 2 * hour);
      assert.equal((await issueOf(harness)).exampleId, two);
      await replay(harness, two, { failures: [other] });
      assert.deepEqual(await standing(harness), ["resolved", 0, 0, 0, 0]);
      assert.deepEqual((await issues.trend(tenant, firstId, 0)).hours, []);
      const time = Math.floor(seen / hour) * hour;
      assert.deepEqual((await issues.trend(tenant, secondId, 0)).hours, [{ time, count: 2 }]);
      await replay(harness, two, { failures: [failureDraft("", { fingerprint: first })] });
      assert.deepEqual(await standing(harness), ["regressed", 1, 1, 0, 0]);
      assert.deepEqual(await standing(harness, secondId), ["open", 1, 1, 0, 0]);
    }),
  );
}

function listing(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "answers descending by (last seen, id), page by page, narrowed by stream, state and code",
    store(async (harness) => {
      const { issues, records, wait } = harness;
      for (let number = 0; number < 9; number++) {
        const ofStream = number === 8 ? "refunds" : stream;
        const rawKey = newRawKey(ofStream);
        const code = number < 3 ? "TRANSFORM_THREW" : "CONTRACT_BROKEN";
        const draft = failureDraft(rawKey, { fingerprint: String(number).padStart(16, "0"), code });
        await records.commit([outcome({ rawKey, meta: { stream: ofStream }, failures: [draft] })]);
        if (number % 3 === 2) await wait(1000);
      }
      await harness.settle();
      await issues.change(tenant, "iss_0000000000000001", null, { state: "ignored" }, auditDraft());
      const all = (await issues.query(anyIssue)).rows;
      assert.equal(all.length, 9);
      const sorted = all.toSorted((left, right) => right.lastSeenAt - left.lastSeenAt || (right.id > left.id ? 1 : -1));
      assert.deepEqual(all, sorted);
      for (const limit of [1, 2, 4, 9]) {
        assert.deepEqual(await allRows((request) => issues.query({ ...anyIssue, ...request }), limit), all);
      }
      const expected: readonly (readonly [Partial<IssueQuery>, number])[] = [
        [{ stream: "refunds" }, 1],
        [{ stream: "unknown" }, 0],
        [{ state: "ignored" }, 1],
        [{ state: "open" }, 8],
        [{ code: "TRANSFORM_THREW" }, 3],
        [{ code: "TRANSFORM_THREW", state: "open", stream }, 2],
        [{ tenant: "rival" }, 0],
      ];
      for (const [change, count] of expected) {
        assert.equal((await issues.query({ ...anyIssue, ...change })).rows.length, count, JSON.stringify(change));
      }
      for (const cursor of ["", "x", "WyJpc3N1ZXMiXQ"]) {
        await assert.rejects(issues.query({ ...anyIssue, cursor }), { code: "CURSOR_INVALID" });
      }
    }),
  );

  test(
    "tells failures by the hour they were first seen, ascending, without empty hours, from `since` on",
    store(async (harness) => {
      const { issues, wait, now } = harness;
      const counts = new Map<number, number>();
      for (const [count, pause] of [
        [2, 1.2],
        [1, 0.1],
        [3, 5.5],
        [1, 0],
      ] as const) {
        const time = Math.floor(now() / hour) * hour;
        counts.set(time, (counts.get(time) ?? 0) + count);
        await fail(harness, count);
        await wait(pause * hour);
      }
      const hours = [...counts].map(([time, count]) => ({ time, count }));
      assert.ok(hours.length >= 3);
      assert.deepEqual(await issues.trend(tenant, firstId, 0), { hours });
      const last = hours.at(-1);
      assert.deepEqual((await issues.trend(tenant, firstId, last?.time ?? 0)).hours, [last]);
      for (const [ofTenant, id] of [
        ["rival", firstId],
        [tenant, "iss_none"],
      ] as const) {
        assert.deepEqual((await issues.trend(ofTenant, id, 0)).hours, []);
      }
    }),
  );
}
