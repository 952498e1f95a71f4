import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import type { FailureEdit } from "../../src/model/failure.ts";
import { anyEntry, auditDraft } from "./audit-log.ts";
import { commitFailure, failureQueries } from "./failure-log-queries.ts";
import { dayMillis, failureDraft, newRawKey, only, outcome, rawMeta, stream, tenant } from "./outcome-samples.ts";
import { anyFailure } from "./record-table-trace.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** One test for each sentence of `src/ports/failure-log.ts`. */
export function failureLogContract(create: () => Promise<StoreHarness>): void {
  describe("failure-log", () => {
    failureQueries(create);
    reading(create);
    moving(create);
    refusing(create);
    editing(create);
    discardingAll(create);
    adding(create);
  });
}

function reading(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "gets one failure with all that is known of it, null when there is none",
    store(async (harness) => {
      const { records, failures, settle, now } = harness;
      const rawKey = newRawKey();
      const {
        index,
        original,
        identity: _,
        contentHash: __,
        ...draft
      } = failureDraft(rawKey, { index: 4, eventId: "A" });
      const committed = outcome({ rawKey, failures: [failureDraft(rawKey, { index: 4, eventId: "A", id: draft.id })] });
      await records.commit([committed]);
      await settle();
      const failure = await failures.get(tenant, draft.id);
      assert.ok(failure);
      const { firstSeenAt, lastSeenAt, expiresAt, ...rest } = failure;
      const { meta } = committed;
      assert.deepEqual(rest, {
        ...draft,
        tenant,
        stream,
        door: meta.door,
        traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
        principal: meta.principal,
        rawKey,
        rawIndex: index,
        contentType: meta.contentType,
        headers: meta.headers,
        payloadBytes: original.byteLength,
        payloadSha256: hash("sha256", original, "hex"),
        edit: null,
        jobId: null,
        recordId: null,
        note: null,
        version: 1,
      });
      assert.ok(Math.abs(firstSeenAt - now()) < 60_000 && lastSeenAt === firstSeenAt);
      assert.ok(expiresAt >= committed.expiresAt.failures && expiresAt < committed.expiresAt.failures + 60_000);
      assert.equal(await failures.get(tenant, "fail_none"), null);
      assert.equal(await failures.get("rival", draft.id), null);
    }),
  );

  test(
    "gives the bytes as they were sent, null when there is no such failure",
    store(async (harness) => {
      const { failures } = harness;
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const id = await commitFailure(harness, { original: bytes.subarray(1, 255) });
      assert.deepEqual(Buffer.from((await failures.payload(tenant, id)) ?? []), bytes.subarray(1, 255));
      const empty = await commitFailure(harness, { original: new Uint8Array(0) });
      assert.equal((await failures.payload(tenant, empty))?.byteLength, 0);
      assert.equal(await failures.payload(tenant, "fail_none"), null);
      assert.equal(await failures.payload("rival", id), null);
    }),
  );

  test(
    "loads each of the given failures that is there at its place, with its bytes",
    store(async (harness) => {
      const { failures } = harness;
      const ids = [
        await commitFailure(harness, { original: Buffer.from("one") }),
        await commitFailure(harness, { original: Buffer.from("two") }),
        await commitFailure(harness),
      ];
      const [first = "", second = ""] = ids;
      const asked = ["fail_none", second, first, second];
      const loaded = await failures.load(tenant, asked);
      const texts = loaded.map((one) => one && Buffer.from(one.whole()?.payload ?? []).toString());
      assert.deepEqual(texts, [null, "two", "one", "two"]);
      for (const [place, one] of loaded.entries()) {
        const failure = await failures.get(tenant, asked[place] ?? "");
        assert.deepEqual(one?.whole()?.failure ?? null, failure);
        assert.deepEqual(one && { ...failure, ...one.head }, failure);
      }
      assert.deepEqual(await failures.load("rival", ids), [null, null, null]);
      assert.deepEqual(await failures.load(tenant, []), []);
    }),
  );
}

/** What the log says was done to a target, in order. */
async function audited({ audit, settle }: StoreHarness, target: string): Promise<string[]> {
  await settle();
  return (await audit.query({ ...anyEntry, target })).rows.map(({ actor, action }) => `${actor} ${action}`);
}

const retryAudit = (target: string) => auditDraft({ action: "failure.retry", target });
const discardAudit = (target: string) => auditDraft({ action: "failure.discard", target });
const editAudit = (target: string) => auditDraft({ action: "failure.edit", target });

function moving(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  for (const from of ["quarantined", "dead"] as const) {
    test(
      `moves a failure from ${from} to \`retrying\` and enqueues its retry`,
      store(async (harness) => {
        const { failures, queue, counters, settle } = harness;
        const id = await commitFailure(harness, { state: from, attempts: 3 });
        const retried = await failures.retry(tenant, id, 1, retryAudit(id));
        assert.deepEqual([retried?.state, retried?.version, retried?.attempts], ["retrying", 2, 3]);
        await settle();
        assert.deepEqual(await failures.get(tenant, id), retried);
        const { work } = only(await queue.receive(10));
        assert.deepEqual(work, { kind: "failure", tenant, stream, failureId: id, attempt: 4 });
        assert.deepEqual(await audited(harness, id), ["ana failure.retry"]);
        const counts = await counters(tenant, stream);
        assert.deepEqual([counts[from], counts.retrying, counts.received], [0, 1, 1]);
      }),
    );

    test(
      `moves a failure from ${from} to \`discarded\` with its note, counted as dropped`,
      store(async (harness) => {
        const { failures, counters, settle } = harness;
        const id = await commitFailure(harness, { state: from });
        const discarded = await failures.discard(tenant, id, 1, "not ours (ana)", discardAudit(id));
        assert.deepEqual([discarded?.state, discarded?.note, discarded?.version], ["discarded", "not ours (ana)", 2]);
        await settle();
        assert.deepEqual(await failures.get(tenant, id), discarded);
        const counts = await counters(tenant, stream);
        assert.deepEqual([counts[from], counts.dropped, counts.received], [0, 1, 1]);
        assert.deepEqual(await audited(harness, id), ["ana failure.discard"]);
      }),
    );
  }
}

/** Every change that somebody may ask for. */
function changes({ failures }: StoreHarness, id: string, version: number | null, ofTenant = tenant) {
  return [
    () => failures.retry(ofTenant, id, version, retryAudit(id)),
    () => failures.discard(ofTenant, id, version, "", discardAudit(id)),
    () => failures.edit(ofTenant, id, version, edit, editAudit(id)),
    () => failures.edit(ofTenant, id, version, null, editAudit(id)),
  ];
}

function refusing(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "refuses every change from another state with STATE_CONFLICT; then nothing is enqueued, counted or audited",
    store(async (harness) => {
      const { failures, queue, counters } = harness;
      const [retrying, discarded] = [await commitFailure(harness), await commitFailure(harness)];
      await failures.retry(tenant, retrying, null, retryAudit(""));
      await failures.discard(tenant, discarded, null, "", discardAudit(""));
      for (const message of await queue.receive(10)) await queue.acknowledge(message);
      const before = await counters(tenant, stream);
      for (const id of [retrying, discarded]) {
        for (const change of changes(harness, id, null)) await assert.rejects(change, { code: "STATE_CONFLICT" });
        assert.deepEqual(await audited(harness, id), []);
      }
      assert.deepEqual(await queue.receive(10), []);
      assert.deepEqual(await counters(tenant, stream), before);
    }),
  );

  test(
    "refuses every change of another version with ETAG_STALE; then nothing is enqueued or audited",
    store(async (harness) => {
      const { failures, queue } = harness;
      const id = await commitFailure(harness);
      const before = await failures.get(tenant, id);
      for (const version of [0, 2]) {
        for (const change of changes(harness, id, version)) await assert.rejects(change, { code: "ETAG_STALE" });
      }
      assert.deepEqual(await queue.receive(10), []);
      assert.deepEqual(await failures.get(tenant, id), before);
      assert.deepEqual(await audited(harness, id), []);
    }),
  );

  test(
    "answers null for a failure that is not there, or is another tenant's",
    store(async (harness) => {
      const id = await commitFailure(harness);
      const absent = [...changes(harness, "fail_none", null), ...changes(harness, id, null, "rival")];
      for (const change of absent) assert.equal(await change(), null);
      assert.deepEqual(await audited(harness, id), []);
      assert.equal((await harness.failures.get(tenant, id))?.version, 1);
    }),
  );
}

const edit: FailureEdit = {
  patch: [
    { op: "replace", path: "/total", value: 7 },
    { op: "remove", path: "/naïve" },
  ],
  by: "ana",
  at: 1_790_000_000_000,
  reason: null,
  sha256: "c".repeat(64),
};

function editing(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  for (const state of ["quarantined", "dead"] as const) {
    test(
      `keeps an edit of a failure that is ${state} beside the original, in place of the one before; null takes it away`,
      store(async (harness) => {
        const { failures, counters, settle } = harness;
        const id = await commitFailure(harness, { state });
        await settle();
        const before = await failures.get(tenant, id);
        const counts = await counters(tenant, stream);
        const original = await failures.payload(tenant, id);
        assert.ok(before);
        const other = { ...edit, by: "bo", patch: [], reason: "a typo" };
        for (const [index, one] of [edit, other, null].entries()) {
          const edited = await failures.edit(tenant, id, index + 1, one, editAudit(id));
          assert.deepEqual(edited, { ...before, edit: one, version: index + 2 });
          await settle();
          assert.deepEqual(await failures.get(tenant, id), edited);
        }
        assert.deepEqual(await failures.payload(tenant, id), original);
        assert.deepEqual(await counters(tenant, stream), counts);
        assert.deepEqual(await audited(harness, id), new Array(3).fill("ana failure.edit"));
      }),
    );
  }

  test(
    "keeps the edit when the failure is retried",
    store(async (harness) => {
      const { failures } = harness;
      const id = await commitFailure(harness);
      await failures.edit(tenant, id, null, edit, editAudit(id));
      assert.deepEqual((await failures.retry(tenant, id, null, retryAudit(id)))?.edit, edit);
    }),
  );
}

function discardingAll(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "discards each one that is `quarantined` or `dead`, counted as dropped, and answers for each id in turn",
    store(async (harness) => {
      const { failures, records, counters, settle } = harness;
      const rawKey = newRawKey();
      const drafts = [0, 1, 2].map((index) =>
        failureDraft(rawKey, { index, state: index === 1 ? "dead" : "quarantined" }),
      );
      await records.commit([outcome({ rawKey, failures: drafts })]);
      const [first = "", dead = "", retrying = ""] = drafts.map(({ id }) => id);
      const refund = await commitFailure(harness, {}, "refunds");
      await failures.retry(tenant, retrying, null, retryAudit(retrying));
      const ids = [first, "fail_none", retrying, refund, dead, first];
      assert.deepEqual(await failures.discardAll("rival", ids, "no"), new Array(6).fill("gone"));
      assert.deepEqual(await failures.discardAll(tenant, ids, "job_7: old"), [
        "discarded",
        "gone",
        "skipped",
        "discarded",
        "discarded",
        "skipped",
      ]);
      await settle();
      for (const id of [first, refund, dead]) {
        const failure = await failures.get(tenant, id);
        assert.deepEqual([failure?.state, failure?.note, failure?.version], ["discarded", "job_7: old", 2]);
      }
      assert.equal((await failures.get(tenant, retrying))?.state, "retrying");
      const { quarantined, dead: deadCount, dropped, retrying: left } = await counters(tenant, stream);
      assert.deepEqual([quarantined, deadCount, dropped, left], [0, 0, 2, 1]);
      assert.equal((await counters(tenant, "refunds")).dropped, 1);
      const result = await records.objectResult(rawKey);
      assert.deepEqual([result?.quarantined, result?.dead, result?.dropped, result?.retrying], [0, 0, 2, 1]);
    }),
  );
}

function adding(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "writes failures found outside an outcome, counted as accepted with it; an id that exists changes nothing",
    store(async ({ failures, counters, settle, now }) => {
      const rawKey = newRawKey();
      const drafts = [failureDraft(rawKey, { state: "dead", class: "poison" }), failureDraft(rawKey, { index: 1 })];
      const expiresAt = now() + dayMillis;
      await failures.add(rawKey, rawMeta({ events: 2 }), expiresAt, drafts);
      await settle();
      const before = (await failures.query(anyFailure)).rows;
      assert.deepEqual(before.map(({ id }) => id).sort(), drafts.map(({ id }) => id).sort());
      const more = failureDraft(rawKey, { index: 2 });
      const changed = drafts.map((draft) => ({ ...draft, code: "OTHER", state: "quarantined" as const }));
      await failures.add(rawKey, rawMeta({ events: 3 }), expiresAt, [...changed, more]);
      await settle();
      for (const failure of before) assert.deepEqual(await failures.get(tenant, failure.id), failure);
      assert.deepEqual(await counters(tenant, stream), {
        received: 3,
        stored: 0,
        dropped: 0,
        quarantined: 2,
        dead: 1,
        retrying: 0,
        duplicates: 0,
      });
    }),
  );
}
