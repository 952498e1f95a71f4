import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReprocessedEvent } from "../../../src/model/replacement.ts";
import { readCounters } from "../../../src/platforms/aws/counters.ts";
import type { RecordTable } from "../../../src/ports/record-table.ts";
import {
  dayMillis,
  newRawKey,
  noon,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { recordReplacements } from "../../contracts/record-table-replace.ts";
import { anyRecord, minute, totals } from "../../contracts/record-table-trace.ts";
import { again, counts, rollupFields, sampleEvent } from "../../contracts/replace-samples.ts";
import { allRows } from "../../contracts/store-harness.ts";
import { awsStores } from "./aws-stores.ts";
import { countedTable } from "./counted-table.ts";

recordReplacements(awsStores);

const eventsCount = 250;

/** An object of 250 events over four minutes: 150 stored, 100 dropped; and what they would be now. */
async function committedObject(records: RecordTable) {
  const events = Array.from({ length: eventsCount }, (_, index) =>
    sampleEvent(`event ${index}`, { index, client: index % 3 === 0, time: noon + (index % 4) * minute }),
  );
  const rawKey = newRawKey();
  const stored = events.slice(0, 150).flatMap((one) => one.records({ total: one.index }));
  await records.commit([outcome({ rawKey, records: stored, dropped: 100, rollupFields })]);
  // The first 50 go, the next 100 change, one more stays dropped, the rest is added; some as two records.
  const becomes = (one: (typeof events)[number]): ReprocessedEvent => {
    if (one.index < 50 || one.index === 150) return one.becomes();
    const total = { total: one.index + 1000 };
    return one.index % 20 === 0 ? one.becomes(total, { total: 5000 }) : one.becomes(total);
  };
  return again(rawKey, events.map(becomes));
}

/** All that a replacement changes, as readers see it. */
async function state({ records, table }: Awaited<ReturnType<typeof countedTable>>, rawKey: string) {
  const rows = await allRows((request) => records.query({ ...anyRecord, ...request }), 1000);
  const series = await Promise.all(["total", ""].map((field) => records.series({ ...totals, field })));
  return {
    rows: rows.map(({ id, rawIndex, dataJson }) => `${id} ${rawIndex} ${dataJson}`),
    series: series.map(({ points }) => points),
    counters: (await readCounters(table, tenant, [stream])).get(stream),
    object: { ...(await records.objectResult(rawKey)), committedAt: null },
  };
}

const expectedCounts = { removed: 50, changed: 100, same: 1, added: 99 };

test("replaces what fits no transaction in several, and says what became of each event", async (t) => {
  const store = await countedTable(() => noon + dayMillis);
  t.after(store.remove);
  const { records } = store;
  const one = await committedObject(records);
  assert.deepEqual(counts(only(await records.replace([one], true))), expectedCounts);
  store.calls.clear();
  assert.deepEqual(counts(only(await records.replace([one], false))), expectedCounts);
  t.diagnostic(`calls: ${JSON.stringify([...store.calls])}`);
  const { rows, series, counters } = await state(store, one.rawKey);
  const further = one.events.filter(({ records: drafts }) => drafts.length === 2).length;
  assert.equal(rows.length, 199 + further);
  assert.deepEqual([counters?.stored, counters?.dropped, counters?.received], [199, 51, 250]);
  assert.equal(
    series[1]?.reduce((sum, { count }) => sum + count, 0),
    199,
  );
  assert.equal(
    series[0]?.reduce((sum, { count }) => sum + count, 0),
    199 + further,
  );
});

test("ends as it would have without a crash, whichever call was the last before it, when it is done again", async (t) => {
  const reference = await countedTable(() => noon + dayMillis);
  t.after(reference.remove);
  const whole = await committedObject(reference.records);
  reference.calls.clear();
  await reference.records.replace([whole], false);
  const writes = ["TransactWriteItems", "BatchWriteItem", "PutItem"].flatMap((name) =>
    Array.from({ length: reference.calls.get(name) ?? 0 }, (_, index) => [name, index + 1] as const),
  );
  const expected = await state(reference, whole.rawKey);
  assert.ok(writes.length > 10);
  for (const [name, last] of writes) {
    const store = await countedTable(() => noon + dayMillis);
    const { records, calls, failing } = store;
    const one = await committedObject(records);
    calls.clear();
    failing.before = (call, count) => {
      if (call === name && count >= last) throw new Error("crashed");
    };
    await assert.rejects(records.replace([one], false), /crashed/);
    failing.before = () => {};
    await records.replace([one], false);
    assert.deepEqual(await state(store, one.rawKey), { ...expected }, `${name} ${last}`);
    assert.deepEqual(counts(only(await records.replace([one], false))), { same: eventsCount });
    await store.remove();
  }
});

test("has one effect when it runs twice at once, and says of each event once what became of it", async (t) => {
  const store = await countedTable(() => noon + dayMillis);
  t.after(store.remove);
  const { records } = store;
  const one = await committedObject(records);
  const results = await Promise.all([records.replace([one], false), records.replace([one], false)]);
  const [first, second] = results.map((result) => only(result));
  assert.ok(first && second);
  for (const what of ["removed", "changed", "added"] as const) {
    assert.equal(first[what] + second[what], expectedCounts[what], what);
  }
  const { counters } = await state(store, one.rawKey);
  assert.deepEqual([counters?.stored, counters?.dropped, counters?.received], [199, 51, 250]);
});

test("loses no record and no count of what is committed to the same minutes meanwhile", async (t) => {
  const store = await countedTable(() => noon + dayMillis);
  t.after(store.remove);
  const { records } = store;
  const one = await committedObject(records);
  const commits = Array.from({ length: 12 }, async (_, number) => {
    const drafts = Array.from({ length: 10 }, (_, index) =>
      recordDraft({ index, time: noon + index * minute, data: { total: 7000 + number }, numbers: [7000 + number] }),
    );
    await records.commit([outcome({ records: drafts, rollupFields })]);
  });
  await Promise.all([...commits, records.replace([one], false)]);
  const { rows, series } = await state(store, one.rawKey);
  const numbers = rows.length;
  assert.equal(numbers, 199 + 120 + one.events.filter(({ records: drafts }) => drafts.length === 2).length);
  assert.equal(
    series[0]?.reduce((sum, { count }) => sum + count, 0),
    numbers,
  );
  assert.equal(
    series[1]?.reduce((sum, { count }) => sum + count, 0),
    199 + 120,
  );
});

test("keeps records in the index that a page shared with one that was removed and is added again", async (t) => {
  const { records, remove } = await countedTable(() => noon + dayMillis);
  t.after(remove);
  const events = [0, 1, 2].map((index) => sampleEvent(`index ${index}`, { index }));
  const rawKey = newRawKey();
  await records.commit([outcome({ rawKey, records: events.flatMap((one) => one.records({ total: one.index })) })]);
  for (const gone of [0, 1, 2, null]) {
    const next = events.map((one) => (one.index === gone ? one.becomes() : one.becomes({ total: one.index })));
    await records.replace([again(rawKey, next)], false);
    const { rows } = await records.query(anyRecord);
    assert.deepEqual(
      rows.map(({ rawIndex }) => rawIndex).sort(),
      [0, 1, 2].filter((index) => index !== gone),
    );
  }
});
