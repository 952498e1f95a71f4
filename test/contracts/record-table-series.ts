import assert from "node:assert/strict";
import { test } from "node:test";
import { anomalyDraft, noon, outcome, recordDraft } from "./outcome-samples.ts";
import { minute, totals } from "./record-table-trace.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** What series answer; part of the record-table suite. */
export function recordSeries(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  async function commitTotals({ records }: StoreHarness, points: readonly (readonly [number, number])[]) {
    const drafts = points.map(([minutes, total], index) =>
      recordDraft({ index, time: noon + minutes * minute, data: { total }, numbers: [total] }),
    );
    await records.commit([outcome({ rollupFields: ["total"], records: drafts })]);
  }

  test(
    "answers with count, min, max and avg in buckets of equal width, ascending and without empty ones",
    store(async (harness) => {
      await commitTotals(harness, [
        [0, 4],
        [1.5, 6],
        [1.9, -2],
        [2, 7],
        [59.9, 1],
        [-0.1, 99],
        [60, 99],
      ]);
      await harness.settle();
      assert.deepEqual(await harness.records.series({ ...totals, points: 30 }), {
        bucketMillis: 2 * minute,
        points: [
          { time: noon, count: 3, min: -2, max: 6, avg: 8 / 3 },
          { time: noon + 2 * minute, count: 1, min: 7, max: 7, avg: 7 },
          { time: noon + 58 * minute, count: 1, min: 1, max: 1, avg: 1 },
        ],
        anomalies: [],
      });
    }),
  );

  test(
    "has buckets of at least a minute, and at most as many as asked for",
    store(async (harness) => {
      await commitTotals(
        harness,
        Array.from({ length: 60 }, (_, index) => [index, index] as const),
      );
      await harness.settle();
      const fine = await harness.records.series({ ...totals, points: 2000 });
      assert.deepEqual([fine.bucketMillis, fine.points.length], [minute, 60]);
      const coarse = await harness.records.series({ ...totals, points: 7 });
      assert.ok(coarse.points.length <= 7);
      assert.equal(coarse.bucketMillis % minute, 0);
      assert.equal(
        coarse.points.reduce((sum, { count }) => sum + count, 0),
        60,
      );
      for (const { time } of coarse.points) assert.equal((time - noon) % coarse.bucketMillis, 0);
    }),
  );

  test(
    'counts events for the field "", with or without the number, over all commits',
    store(async (harness) => {
      await commitTotals(harness, [[0, 4]]);
      const drafts = [recordDraft({ index: 0, numbers: [Number.NaN] }), recordDraft({ index: 1, numbers: [5] })];
      await harness.records.commit([outcome({ rollupFields: ["total"], records: drafts })]);
      await harness.settle();
      const none = { min: null, max: null, avg: null };
      assert.deepEqual((await harness.records.series({ ...totals, field: "" })).points, [
        { time: noon, count: 3, ...none },
      ]);
      assert.deepEqual((await harness.records.series(totals)).points, [
        { time: noon, count: 2, min: 4, max: 5, avg: 4.5 },
      ]);
    }),
  );

  test(
    "includes every anomaly of the field in the range, however few the buckets",
    store(async ({ records, settle }) => {
      const drafts = Array.from({ length: 150 }, (_, index) => recordDraft({ index, time: noon + index * 1000 }));
      const anomalies = drafts.map(({ time, index }) => anomalyDraft({ id: `anom_${index}`, time, index }));
      const elsewhere = [
        recordDraft({ index: 150, time: noon - 1 }),
        recordDraft({ index: 151, time: totals.to }),
        recordDraft({ index: 152 }),
      ];
      const outside = elsewhere.map(({ time, index }) =>
        anomalyDraft({ id: `anom_${index}`, time, index, field: index === 152 ? "weight" : "total" }),
      );
      await records.commit([outcome({ records: [...drafts, ...elsewhere], anomalies: [...anomalies, ...outside] })]);
      await settle();
      const found = (await records.series({ ...totals, points: 1 })).anomalies;
      assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(anomalies.map(({ id }) => id)));
    }),
  );
}
