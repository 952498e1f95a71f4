import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recordIdText } from "../../src/model/record.ts";
import {
  anomalyDraft,
  failureDraft,
  newRawKey,
  notificationDraft,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "./outcome-samples.ts";
import { recordIdentities } from "./record-table-identities.ts";
import { recordQueries } from "./record-table-queries.ts";
import { replayCommits } from "./record-table-replays.ts";
import { retryCommits } from "./record-table-retries.ts";
import { recordSeries } from "./record-table-series.ts";
import { anyAnomaly, anyRecord, nothing, trace } from "./record-table-trace.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** One test for each sentence of `src/ports/record-table.ts`. */
export function recordTableContract(create: () => Promise<StoreHarness>): void {
  describe("record-table", () => {
    commits(create);
    recordIdentities(create);
    retryCommits(create);
    replayCommits(create);
    recordQueries(create);
    states(create);
    recordSeries(create);
    results(create);
  });
}

/** Everything of an outcome that leaves a trace. */
function fullOutcome() {
  const rawKey = newRawKey();
  return outcome({
    rawKey,
    records: [recordDraft({ index: 0, data: { total: 9000 }, numbers: [9000] })],
    failures: [failureDraft(rawKey, { index: 1 })],
    dropped: 1,
    retries: [{ index: 3, attempts: 1, delayMillis: 0 }],
    anomalies: [anomalyDraft({ index: 0 })],
    states: [{ rule: "spend", key: "DE", version: 0, stateJson: '{"seen":1}' }],
    rollupFields: ["total"],
    notifications: [notificationDraft()],
  });
}

function commits(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "commits records, failures, anomalies, states, rollups, notifications, retries and the marker of an outcome",
    store(async (harness) => {
      const committed = fullOutcome();
      const result = only(await harness.records.commit([committed]));
      const counts = { stored: 1, dropped: 1, quarantined: 1, dead: 0, retrying: 1, duplicates: 0 };
      assert.deepEqual(result, { applied: true, ...counts, recordId: null });
      assert.deepEqual(await trace(harness), {
        records: 1,
        failures: 1,
        anomalies: 1,
        states: ['{"seen":1}'],
        rollups: [9000],
        notifications: 1,
        retries: ["event"],
        received: 4,
      });
      assert.deepEqual(await harness.counters(tenant, stream), { received: 4, ...counts });
      assert.notEqual(await harness.records.objectResult(committed.rawKey), null);
    }),
  );

  test(
    "commits none of the outcomes, nor a part of one, when a state is stale, and throws STATE_STALE",
    store(async (harness) => {
      const stale = { ...fullOutcome(), states: [{ rule: "spend", key: "DE", version: 4, stateJson: "{}" }] };
      const good = outcome({ records: [recordDraft()] });
      await assert.rejects(harness.records.commit([good, stale]), { code: "STATE_STALE" });
      assert.deepEqual(await trace(harness), nothing);
      assert.equal(await harness.records.objectResult(good.rawKey), null);
      assert.equal(only(await harness.records.commit([good])).applied, true);
    }),
  );

  test(
    "commits outcomes in the order given",
    store(async ({ records, settle }) => {
      const [first, second] = [{ total: 1 }, { total: 2 }].map((data) =>
        outcome({ records: [recordDraft({ eventId: "A", data })] }),
      );
      assert.ok(first && second);
      const results = await records.commit([first, second]);
      assert.deepEqual(
        results.map(({ stored, quarantined }) => [stored, quarantined]),
        [
          [1, 0],
          [0, 1],
        ],
      );
      await settle();
      assert.equal((await records.get(tenant, stream, "A"))?.rawKey, first.rawKey);
    }),
  );

  test(
    "changes nothing for an outcome whose marker exists, and says `applied: false`",
    store(async (harness) => {
      const committed = { ...fullOutcome(), states: [] };
      await harness.records.commit([committed]);
      const before = await trace(harness);
      const again = only(await harness.records.commit([committed]));
      assert.equal(again.applied, false);
      assert.deepEqual(await trace(harness), { ...before, retries: [] });
    }),
  );

  test(
    "keeps anomalies of stored records only",
    store(async ({ records, anomalies, settle }) => {
      await records.commit([outcome({ records: [recordDraft({ eventId: "A" })] })]);
      const again = recordDraft({ eventId: "A", index: 0 });
      const fresh = recordDraft({ index: 1 });
      await records.commit([
        outcome({
          records: [again, fresh],
          anomalies: [anomalyDraft({ id: "anom_a", index: 0 }), anomalyDraft({ id: "anom_b", index: 1 })],
        }),
      ]);
      await settle();
      const kept = only((await anomalies.query(anyAnomaly)).rows);
      assert.deepEqual([kept.id, kept.recordId], ["anom_b", recordIdText(fresh.id)]);
    }),
  );

  test(
    "isolates rows by tenant and stream",
    store(async ({ records, settle }) => {
      const others = [
        { tenant: "rival", stream },
        { tenant, stream: "refunds" },
      ];
      const sample = { eventId: "A", data: { total: 1 } };
      await records.commit([outcome({ records: [recordDraft(sample)] })]);
      for (const place of others) {
        const draft = recordDraft({ ...sample, ...place, data: { total: 2 } });
        const result = only(await records.commit([outcome({ meta: place, records: [draft] })]));
        assert.equal(result.stored, 1, "the same event id elsewhere is another event");
      }
      await settle();
      for (const [place, total] of [[{ tenant, stream }, 1] as const, ...others.map((place) => [place, 2] as const)]) {
        assert.equal((await records.get(place.tenant, place.stream, "A"))?.dataJson, `{"total":${total}}`);
        assert.equal((await records.query({ ...anyRecord, ...place })).rows.length, 1);
      }
      assert.equal((await records.query({ ...anyRecord, tenant: "nobody" })).rows.length, 0);
    }),
  );
}

function states(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    'loads the states asked for, version 0 and "null" for those that have none',
    store(async ({ records, settle }) => {
      const first = { rule: "spend", key: "DE", version: 0, stateJson: '{"seen":1}' };
      await records.commit([outcome({ states: [first] })]);
      await records.commit([outcome({ states: [{ ...first, version: 1, stateJson: '{"seen":2}' }] })]);
      await settle();
      const keys = [
        { rule: "spend", key: "FR" },
        { rule: "spend", key: "DE" },
        { rule: "other", key: "DE" },
      ];
      const loaded = await records.loadStates(tenant, keys);
      assert.deepEqual(new Set(loaded.map((state) => JSON.stringify(Object.entries(state).sort()))).size, 3);
      for (const { rule, key, version, stateJson } of loaded) {
        const stored = rule === "spend" && key === "DE";
        assert.deepEqual([version, stateJson], stored ? [2, '{"seen":2}'] : [0, "null"]);
      }
      assert.deepEqual(
        (await records.loadStates("rival", [{ rule: "spend", key: "DE" }])).map(({ version }) => version),
        [0],
      );
    }),
  );

  test(
    "refuses a state that was computed from another version than the stored one, older or newer",
    store(async ({ records, settle }) => {
      const first = { rule: "spend", key: "DE", version: 0, stateJson: '"0"' };
      await records.commit([outcome({ states: [first] })]);
      await records.commit([outcome({ states: [{ ...first, version: 1, stateJson: '"1"' }] })]);
      for (const version of [0, 1, 3]) {
        const stale = outcome({ states: [{ ...first, version, stateJson: '"stale"' }] });
        await assert.rejects(records.commit([stale]), { code: "STATE_STALE" });
      }
      await settle();
      assert.equal(only(await records.loadStates(tenant, [first])).stateJson, '"1"');
    }),
  );
}

function results(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "tells what became of a raw object, null until its outcome is committed",
    store(async ({ records, settle, now }) => {
      const committed = outcome({ records: [recordDraft({ index: 0 }), recordDraft({ index: 1 })], dropped: 3 });
      assert.equal(await records.objectResult(committed.rawKey), null);
      const result = only(await records.commit([committed]));
      await settle();
      const kept = await records.objectResult(committed.rawKey);
      assert.ok(kept !== null && Math.abs(kept.committedAt - now()) < 60_000);
      const { committedAt: _, ...counts } = kept;
      assert.deepEqual(counts, result);
      assert.equal(counts.stored, 2);
      assert.equal(await records.objectResult(newRawKey()), null);
    }),
  );
}
