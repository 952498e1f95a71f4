import assert from "node:assert/strict";
import { test } from "node:test";
import { auditDraft } from "./audit-log.ts";
import { failureDraft, newRawKey, noon, only, outcome, stream, tenant } from "./outcome-samples.ts";
import { anyRecord, minute, totals } from "./record-table-trace.ts";
import { again, counts, rollupFields, sampleEvent, totalsOf } from "./replace-samples.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** What `replace` does with records, counters and rollups, and what it leaves alone; part of the record-table suite. */
export function recordReplacements(create: () => Promise<StoreHarness>): void {
  replacedRecords(create);
  replacedCounters(create);
  untouchedEvents(create);
  unmatchedEvents(create);
}

function replacedRecords(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "replaces data in place: the record keeps its id, its place and its times",
    store(async (harness) => {
      const { records } = harness;
      const one = sampleEvent("A", { client: true });
      const rawKey = newRawKey();
      await records.commit([outcome({ rawKey, records: one.records({ total: 1 }), rollupFields })]);
      const [before] = (await records.query(anyRecord)).rows;
      const result = only(await records.replace([again(rawKey, [one.becomes({ total: 2 })])], false));
      assert.deepEqual(counts(result), { changed: 1 });
      assert.deepEqual(result.samples, [{ index: 0, result: "changed", before: '{"total":1}', after: '{"total":2}' }]);
      assert.deepEqual((await records.query(anyRecord)).rows, [{ ...before, dataJson: '{"total":2}' }]);
      assert.deepEqual((await records.get(tenant, stream, "A"))?.dataJson, '{"total":2}');
    }),
  );

  test(
    "changes nothing the second time, nor in a dry run, which answers as the run does",
    store(async (harness) => {
      const { records } = harness;
      const [one, two, three] = [0, 1, 2].map((index) => sampleEvent(`E${index}`, { index, client: index === 1 }));
      assert.ok(one && two && three);
      const rawKey = newRawKey();
      const stored = [...one.records({ total: 1 }), ...two.records({ total: 2 })];
      await records.commit([outcome({ rawKey, records: stored, dropped: 1, rollupFields })]);
      const snapshot = async () => [
        await totalsOf(harness),
        (await records.series(totals)).points,
        await harness.counters(tenant, stream),
        await records.objectResult(rawKey),
      ];
      const before = await snapshot();
      const events = [one.becomes(), two.becomes({ total: 5 }, { total: 6 }), three.becomes({ total: 3 })];
      const tried = await records.replace([again(rawKey, events)], true);
      assert.deepEqual(await snapshot(), before);
      const done = await records.replace([again(rawKey, events)], false);
      assert.deepEqual(done, tried);
      assert.deepEqual(counts(only(done)), { changed: 1, added: 1, removed: 1 });
      const after = await snapshot();
      assert.notDeepEqual(after, before);
      assert.deepEqual(counts(only(await records.replace([again(rawKey, events)], false))), { same: 3 });
      assert.deepEqual(await snapshot(), after);
    }),
  );

  test(
    "adds and removes the further records of an event, which stays one event",
    store(async (harness) => {
      const { records, counters } = harness;
      for (const client of [false, true]) {
        const one = sampleEvent(`fan ${client}`, { client, time: noon + (client ? 2 * minute : 0) });
        const rawKey = newRawKey();
        await records.commit([outcome({ rawKey, records: one.records({ total: 1 }, { total: 2 }), rollupFields })]);
        const replace = async (...data: { total: number }[]) =>
          counts(only(await records.replace([again(rawKey, [one.becomes(...data)])], false)));
        const stored = async () => (await totalsOf(harness)).filter((total) => total < 100);
        assert.deepEqual(await replace({ total: 1 }, { total: 2 }, { total: 3 }, { total: 4 }), { changed: 1 });
        assert.deepEqual(await stored(), [1, 2, 3, 4]);
        assert.deepEqual(await replace({ total: 1 }, { total: 2 }, { total: 3 }, { total: 4 }), { same: 1 });
        assert.deepEqual(await replace({ total: 9 }), { changed: 1 });
        assert.deepEqual(await stored(), [9]);
        assert.equal((await records.objectResult(rawKey))?.stored, 1);
        assert.deepEqual(await replace({ total: 100 }), { changed: 1 });
      }
      assert.equal((await counters(tenant, stream)).stored, 2);
    }),
  );

  test(
    "lets an event that was removed be stored again when it is sent again",
    store(async (harness) => {
      const { records } = harness;
      const one = sampleEvent("A", { client: true });
      const rawKey = newRawKey();
      await records.commit([outcome({ rawKey, records: one.records({ total: 1 }, { total: 2 }), rollupFields })]);
      assert.deepEqual(counts(only(await records.replace([again(rawKey, [one.becomes()])], false))), { removed: 1 });
      assert.equal(await records.get(tenant, stream, "A"), null);
      const sent = await records.commit([outcome({ records: one.records({ total: 1 }, { total: 2 }), rollupFields })]);
      assert.equal(only(sent).stored, 1);
      assert.deepEqual(await totalsOf(harness), [1, 2]);
    }),
  );

  test(
    "counts the rollups of the minutes concerned again, minimum and maximum too",
    store(async (harness) => {
      const { records } = harness;
      const events = [10, 20, 30].map((_, index) => sampleEvent(`R${index}`, { index }));
      const far = sampleEvent("far", { index: 3, time: noon + 5 * minute });
      const rawKey = newRawKey();
      const stored = events.flatMap((one, index) => one.records({ total: 10 * (index + 1) }));
      await records.commit([outcome({ rawKey, records: [...stored, ...far.records({ total: 7 })], rollupFields })]);
      const [first, second, third] = events;
      assert.ok(first && second && third);
      const next = [
        first.becomes({ total: 15 }),
        second.becomes({ total: 20 }),
        third.becomes({ total: "none" }),
        far.becomes({ total: 7 }),
      ];
      await records.replace([again(rawKey, next)], false);
      const series = async (field: string) =>
        (await records.series({ ...totals, field })).points.map(({ count, min, max, avg }) => [count, min, max, avg]);
      assert.deepEqual(await series("total"), [
        [2, 15, 20, 17.5],
        [1, 7, 7, 7],
      ]);
      assert.deepEqual(
        (await series("")).map(([count]) => count),
        [3, 1],
      );
      await records.replace(
        [again(rawKey, [first.becomes(), second.becomes(), third.becomes(), next[3] as never])],
        false,
      );
      assert.deepEqual(await series("total"), [[1, 7, 7, 7]]);
      assert.deepEqual(
        (await series("")).map(([count]) => count),
        [1],
      );
    }),
  );
}

function replacedCounters(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "moves the counters of stream and object with each event that is added or removed",
    store(async (harness) => {
      const { records, counters } = harness;
      const events = [0, 1, 2, 3].map((index) => sampleEvent(`C${index}`, { index, client: index % 2 === 1 }));
      const rawKey = newRawKey();
      const stored = events.slice(0, 2).flatMap((one) => one.records({ total: one.index }));
      await records.commit([outcome({ rawKey, records: stored, dropped: 2, rollupFields })]);
      const next = events.map((one) => (one.index < 2 ? one.becomes() : one.becomes({ total: one.index })));
      assert.deepEqual(counts(only(await records.replace([again(rawKey, next)], false))), { added: 2, removed: 2 });
      const expected = { received: 4, stored: 2, dropped: 2, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };
      assert.deepEqual(await counters(tenant, stream), expected);
      const { stored: storedOf, dropped } = (await records.objectResult(rawKey)) ?? {};
      assert.deepEqual([storedOf, dropped], [2, 2]);
      assert.deepEqual(await totalsOf(harness), [2, 3]);
    }),
  );

  test(
    "adds an event that was dropped more than once only once, and not one whose identity has other content",
    store(async (harness) => {
      const { records, counters } = harness;
      const first = sampleEvent("A", { client: true });
      const twin = sampleEvent("A", { index: 1, client: true });
      const rawKey = newRawKey();
      await records.commit([outcome({ rawKey, dropped: 2 })]);
      const both = [first.becomes({ total: 1 }), twin.becomes({ total: 1 })];
      assert.deepEqual(counts(only(await records.replace([again(rawKey, both)], false))), { added: 1, same: 1 });
      const { stored, dropped, duplicates } = await counters(tenant, stream);
      assert.deepEqual([stored, dropped, duplicates], [1, 1, 0]);
      assert.deepEqual(counts(only(await records.replace([again(rawKey, both)], false))), { same: 2 });

      const other = sampleEvent("B", { client: true });
      const rival = sampleEvent("B", { index: 1, client: true });
      const otherKey = newRawKey();
      await records.commit([outcome({ rawKey: otherKey, dropped: 2 })]);
      const content = rival.becomes({ total: 2 });
      const rivalling = { ...content, records: content.records.map((draft) => ({ ...draft, contentHash: 77 })) };
      const result = only(await records.replace([again(otherKey, [other.becomes({ total: 1 }), rivalling])], false));
      assert.deepEqual(counts(result), { added: 1, failing: 1 });
      assert.equal(only(result.reasons).code, "IDENTITY_CONFLICT");
      assert.equal((await records.objectResult(otherKey))?.dropped, 1);
    }),
  );
}

function untouchedEvents(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "keeps the record of an event that would fail now, and says why, counted by cause",
    store(async (harness) => {
      const { records } = harness;
      const events = [0, 1, 2].map((index) => sampleEvent(`F${index}`, { index }));
      const rawKey = newRawKey();
      await records.commit([outcome({ rawKey, records: events.flatMap((one) => one.records({ total: 1 })) })]);
      const next = events.map((one) => one.fails(one.index === 2 ? "/other" : `/lines/${one.index}/total`));
      const result = only(await records.replace([again(rawKey, next)], false));
      assert.deepEqual(counts(result), { failing: 3 });
      assert.deepEqual(
        result.reasons.map(({ code, pointer, count, index }) => [code, pointer, count, index]),
        [
          ["CONTRACT_BROKEN", "/lines/*/total", 2, 0],
          ["CONTRACT_BROKEN", "/other", 1, 2],
        ],
      );
      assert.equal((await totalsOf(harness)).length, 3);
    }),
  );

  test(
    "leaves duplicates to their first copy, in another object or the same",
    store(async (harness) => {
      const { records, counters } = harness;
      const first = sampleEvent("A", { client: true });
      const twin = sampleEvent("A", { index: 1, client: true, time: noon + minute });
      const [rawKey, laterKey] = [newRawKey(), newRawKey()];
      await records.commit([
        outcome({ rawKey, records: [...first.records({ total: 1 }), ...twin.records({ total: 1 })] }),
      ]);
      await records.commit([outcome({ rawKey: laterKey, records: first.records({ total: 1 }) })]);
      const before = await counters(tenant, stream);
      assert.deepEqual([before.stored, before.duplicates], [1, 2]);
      const results = await records.replace(
        [
          again(laterKey, [first.becomes({ total: 5 })]),
          again(rawKey, [first.becomes({ total: 2 }), twin.becomes({ total: 2 })]),
        ],
        false,
      );
      assert.deepEqual(results.map(counts), [{ same: 1 }, { same: 1, changed: 1 }]);
      assert.deepEqual(await totalsOf(harness), [2]);
      assert.deepEqual(await counters(tenant, stream), before);
    }),
  );

  test(
    "leaves failures that wait and events that are to be tried again to their replay",
    store(async (harness) => {
      const { records, counters } = harness;
      const [failed, retried, dropped] = [0, 1, 2].map((index) => sampleEvent(`W${index}`, { index, client: true }));
      assert.ok(failed && retried && dropped);
      const rawKey = newRawKey();
      await records.commit([
        outcome({
          rawKey,
          failures: [failureDraft(rawKey)],
          retries: [{ index: 1, attempts: 1, delayMillis: 0 }],
          dropped: 1,
        }),
      ]);
      const next = [failed.becomes({ total: 1 }), retried.becomes({ total: 2 }), dropped.becomes({ total: 3 })];
      assert.deepEqual(counts(only(await records.replace([again(rawKey, next)], false))), { waiting: 2, added: 1 });
      assert.deepEqual(await totalsOf(harness), [3]);
      const { stored, quarantined, retrying } = await counters(tenant, stream);
      assert.deepEqual([stored, quarantined, retrying], [1, 1, 1]);
    }),
  );

  test(
    "leaves what somebody decided as it is: a discarded event stays so, and a mended one keeps its record",
    store(async (harness) => {
      const { records, failures } = harness;
      const [discarded, edited] = [0, 1].map((index) => sampleEvent(`K${index}`, { index, client: true }));
      assert.ok(discarded && edited);
      const rawKey = newRawKey();
      const [first, second] = [failureDraft(rawKey), failureDraft(rawKey, { index: 1 })];
      await records.commit([outcome({ rawKey, failures: [first, second] })]);
      await failures.discard(
        tenant,
        first.id,
        null,
        "a test",
        auditDraft({ action: "failure.discard", target: first.id }),
      );
      const edit = { patch: [], by: "tester", at: noon, reason: null, sha256: "0".repeat(64) };
      await failures.edit(tenant, second.id, null, edit, auditDraft({ action: "failure.edit", target: second.id }));
      await failures.retry(tenant, second.id, null, auditDraft({ action: "failure.retry", target: second.id }));
      const subject = { kind: "failure", failureId: second.id, attempt: 2, jobId: null } as const;
      await records.commit([outcome({ rawKey, subject, records: edited.records({ total: 7 }) })]);
      const next = [discarded.becomes({ total: 1 }), edited.becomes({ total: 2 })];
      assert.deepEqual(counts(only(await records.replace([again(rawKey, next)], false))), { kept: 2 });
      assert.deepEqual(await totalsOf(harness), [7]);
    }),
  );

  test(
    "leaves alone what has not been processed a first time",
    store(async (harness) => {
      const one = sampleEvent("A");
      const result = only(await harness.records.replace([again(newRawKey(), [one.becomes({ total: 1 })])], false));
      assert.deepEqual(counts(result), { waiting: 1 });
      assert.deepEqual(await totalsOf(harness), []);
    }),
  );

  test(
    "answers for each object in turn, and nothing for none",
    store(async ({ records }) => {
      const keys = [newRawKey(), newRawKey()];
      const events = keys.map((key) => sampleEvent(key));
      for (const [index, rawKey] of keys.entries()) {
        await records.commit([outcome({ rawKey, records: events[index]?.records({ total: 1 }) ?? [] })]);
      }
      const next = events.map((one, index) => again(keys[index] ?? "", [one.becomes({ total: index + 1 })]));
      const results = await records.replace(next.toReversed(), false);
      assert.deepEqual(
        results.map(({ rawKey, changed }) => [rawKey, changed]),
        [
          [keys[1], 1],
          [keys[0], 0],
        ],
      );
      assert.deepEqual(await records.replace([], false), []);
    }),
  );

  test(
    "keeps streams and tenants apart",
    store(async (harness) => {
      const { records } = harness;
      const one = sampleEvent("A");
      const rawKey = newRawKey();
      await records.commit([outcome({ rawKey, records: one.records({ total: 1 }) })]);
      for (const meta of [{ tenant: "other" }, { stream: "other" }]) {
        const result = only(await records.replace([again(rawKey, [one.becomes({ total: 2 })], meta)], false));
        assert.equal(result.changed + result.added, 0);
      }
      assert.deepEqual(await totalsOf(harness), [1]);
    }),
  );
}

function unmatchedEvents(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "adds nothing under a new key: events that were stored under another are unmatched, and all stays as it is",
    store(async (harness) => {
      const { records, counters } = harness;
      for (const [from, to] of [
        [true, true],
        [true, false],
        [false, true],
      ] as const) {
        const rawKey = newRawKey();
        const old = sampleEvent(`old ${from} ${to}`, { client: from });
        await records.commit([outcome({ rawKey, records: old.records({ total: 1 }), dropped: 1, rollupFields })]);
        const before = [await totalsOf(harness), await counters(tenant, stream)];
        const renamed = sampleEvent(`new ${from} ${to}`, { client: to });
        const dropped = sampleEvent(`was dropped ${from} ${to}`, { index: 1, client: to });
        const events = [renamed.becomes({ total: 1 }), dropped.becomes({ total: 2 })];
        assert.deepEqual(counts(only(await records.replace([again(rawKey, events)], false))), { unmatched: 2 });
        assert.deepEqual([await totalsOf(harness), await counters(tenant, stream)], before);
      }
    }),
  );

  test(
    "finds an event that the client identified under its old time, and leaves it there",
    store(async (harness) => {
      const { records } = harness;
      const rawKey = newRawKey();
      const old = sampleEvent("A", { client: true });
      const moved = sampleEvent("A", { client: true, time: noon + minute });
      const dropped = sampleEvent("B", { index: 1, client: true });
      await records.commit([outcome({ rawKey, records: old.records({ total: 1 }), dropped: 1 })]);
      const events = [moved.becomes({ total: 2 }), dropped.becomes({ total: 3 })];
      assert.deepEqual(counts(only(await records.replace([again(rawKey, events)], false))), { unmatched: 1, added: 1 });
      assert.deepEqual(await totalsOf(harness), [1, 3]);
    }),
  );

  test(
    "adds no second record for a duplicate whose first copy cannot be found any more",
    store(async (harness) => {
      const { records } = harness;
      const first = sampleEvent("A", { client: true });
      const [rawKey, laterKey] = [newRawKey(), newRawKey()];
      await records.commit([outcome({ rawKey, records: first.records({ total: 1 }) })]);
      await records.commit([outcome({ rawKey: laterKey, records: first.records({ total: 1 }) })]);
      const renamed = sampleEvent("another key", { client: true });
      const result = only(await records.replace([again(laterKey, [renamed.becomes({ total: 1 })])], false));
      assert.deepEqual(counts(result), { unmatched: 1 });
      assert.equal((await totalsOf(harness)).length, 1);
    }),
  );
}
