import assert from "node:assert/strict";
import { test } from "node:test";
import { failureDraft, newRawKey, noon, only, outcome, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { anyFailure, anyRecord, minute, totals, trace } from "./record-table-trace.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** What commits do with events that come twice; part of the record-table suite. */
export function recordIdentities(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "counts an event with the same identity and content as a duplicate and changes nothing",
    store(async (harness) => {
      const { records, counters } = harness;
      const sample = { eventId: "A", data: { total: 1 }, numbers: [1] };
      const first = outcome({ rollupFields: ["total"], records: [recordDraft(sample)] });
      const later = recordDraft({ ...sample, time: noon + minute });
      const twice = [recordDraft({ ...sample, index: 0 }), { ...later, index: 1 }];
      await records.commit([first]);
      const before = await trace(harness);
      const result = only(await records.commit([outcome({ rollupFields: ["total"], records: twice })]));
      assert.deepEqual([result.stored, result.duplicates], [0, 2]);
      assert.deepEqual(await trace(harness), { ...before, received: 3 });
      assert.equal((await counters(tenant, stream)).duplicates, 2);
      assert.equal((await records.get(tenant, stream, "A"))?.rawKey, first.rawKey);
    }),
  );

  test(
    "keeps an event with the same identity and other content as a failure with its bytes; the first stays",
    store(async ({ records, failures, settle }) => {
      await records.commit([outcome({ records: [recordDraft({ eventId: "A", data: { total: 1 } })] })]);
      const other = recordDraft({ eventId: "A", data: { total: 2 } });
      const result = only(await records.commit([outcome({ records: [other] })]));
      assert.deepEqual([result.stored, result.quarantined], [0, 1]);
      await settle();
      const failure = only((await failures.query(anyFailure)).rows);
      assert.deepEqual(
        [failure.code, failure.class, failure.stage, failure.state, failure.eventId, failure.recoverable],
        ["IDENTITY_CONFLICT", "conflict", "store", "quarantined", "A", true],
      );
      assert.deepEqual(Buffer.from((await failures.payload(tenant, failure.id)) ?? []), other.original);
      assert.equal((await records.get(tenant, stream, "A"))?.dataJson, '{"total":1}');
    }),
  );

  test(
    "tells identities apart whose 53-bit hash is the same",
    store(async ({ records, settle }) => {
      const drafts = ["A", "B", "C"].map((eventId, index) => ({
        ...recordDraft({ eventId, index, data: { eventId } }),
        identity: 2 ** 53 - 1,
      }));
      assert.equal(only(await records.commit([outcome({ records: drafts })])).stored, 3);
      assert.equal(only(await records.commit([outcome({ records: drafts })])).duplicates, 3);
      await settle();
      assert.equal((await records.query(anyRecord)).rows.length, 3);
    }),
  );

  test(
    "counts a failing event that waits as a failure already, or is stored already, as a duplicate",
    store(async ({ records, failures, settle, wait, counters }) => {
      const { identity, contentHash, eventId } = recordDraft({ eventId: "A", data: "first" });
      const failing = () => {
        const rawKey = newRawKey();
        return outcome({ rawKey, failures: [failureDraft(rawKey, { identity, contentHash, eventId })] });
      };
      assert.equal(only(await records.commit([failing()])).quarantined, 1);
      await settle();
      const before = only((await failures.query(anyFailure)).rows);
      await wait(1000);
      assert.equal(only(await records.commit([failing()])).duplicates, 1);
      await settle();
      const seenAgain = only((await failures.query(anyFailure)).rows);
      assert.ok(seenAgain.lastSeenAt >= before.lastSeenAt + 1000);
      assert.deepEqual({ ...seenAgain, lastSeenAt: 0 }, { ...before, lastSeenAt: 0 });

      await records.commit([outcome({ records: [recordDraft({ eventId: "B", data: "stored" })] })]);
      const stored = recordDraft({ eventId: "B", data: "stored" });
      const rawKey = newRawKey();
      const late = failureDraft(rawKey, { identity: stored.identity, contentHash: stored.contentHash });
      assert.equal(only(await records.commit([outcome({ rawKey, failures: [late] })])).duplicates, 1);
      assert.equal((await counters(tenant, stream)).quarantined, 1);
    }),
  );

  test(
    "counts an event that a transform turned into several records once, and stores all or none of them",
    store(async ({ records, settle }) => {
      const parts = (data: unknown, index: number) =>
        ["A", "A/1", "A/2"].map((eventId) => recordDraft({ eventId, index, data: { eventId, data } }));
      const result = only(await records.commit([outcome({ records: [...parts(1, 0), recordDraft({ index: 1 })] })]));
      assert.equal(result.stored, 2);
      await settle();
      assert.equal((await records.query(anyRecord)).rows.length, 4);
      assert.equal(only(await records.commit([outcome({ records: parts(1, 0) })])).duplicates, 1);
      assert.equal(only(await records.commit([outcome({ records: parts(2, 0) })])).quarantined, 1);
      const half = [recordDraft({ eventId: "D", data: 1 }), recordDraft({ eventId: "A/1", data: "taken" })];
      assert.equal(only(await records.commit([outcome({ records: half })])).quarantined, 1);
      await settle();
      assert.equal((await records.query(anyRecord)).rows.length, 4);
      const events = await records.series({ ...totals, field: "" });
      assert.deepEqual(
        events.points.map(({ count }) => count),
        [2],
      );
    }),
  );
}
