import assert from "node:assert/strict";
import { test } from "node:test";
import { recordIdText, type StoredRecord } from "../../../src/model/record.ts";
import { itemKeys } from "../../../src/platforms/aws/item-keys.ts";
import type { RecordTable } from "../../../src/ports/record-table.ts";
import { dayMillis, noon, outcome, recordDraft, stream, tenant } from "../../contracts/outcome-samples.ts";
import { rawKeyQueries } from "../../contracts/record-table-raw-keys.ts";
import { anyRecord } from "../../contracts/record-table-trace.ts";
import { allRows } from "../../contracts/store-harness.ts";
import { awsStores } from "./aws-stores.ts";
import { countedTable } from "./counted-table.ts";

rawKeyQueries(awsStores);

/** Batches of 100, one a second: ten of them share a span of the index. */
async function fill(records: RecordTable, batches: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const drafts = Array.from({ length: 100 }, (_, index) =>
      recordDraft({ index, time: noon + batch * 1000 + ((index * 37) % 1000), data: { batch, index } }),
    );
    await records.commit([outcome({ records: drafts })]);
    times.push(...drafts.map(({ time }) => time));
  }
  return times;
}

test("reads for a page of 100 of 10,000 records the days, one piece of each shard of the index, and the records", async (t) => {
  const { records, calls, remove } = await countedTable(() => noon + dayMillis);
  t.after(remove);
  const times = (await fill(records, 100)).toSorted((left, right) => left - right);
  for (const order of ["asc", "desc"] as const) {
    calls.clear();
    const { rows, next } = await records.query({ ...anyRecord, order });
    assert.deepEqual(
      [...calls],
      [
        ["Query", 5],
        ["BatchGetItem", 1],
      ],
      order,
    );
    assert.notEqual(next, null);
    const expected = order === "asc" ? times.slice(0, 100) : times.slice(-100).toReversed();
    assert.deepEqual(
      rows.map(({ time }) => time),
      expected,
    );
  }
  calls.clear();
  const rare = [{ field: "batch", operator: "eq", value: "77" }] as const;
  const found = await allRows((request) => records.query({ ...anyRecord, where: rare, ...request }), 100);
  assert.equal(found.length, 100);
  t.diagnostic(`calls of a query that looks at all 10,000 records: ${JSON.stringify([...calls])}`);
});

test("finds every record once, page by page, whatever the size of the pages", async (t) => {
  const { records, remove } = await countedTable(() => noon + dayMillis);
  t.after(remove);
  const times = await fill(records, 12);
  for (const order of ["asc", "desc"] as const) {
    for (const limit of [7, 100, 1000]) {
      const rows: StoredRecord[] = await allRows(
        (request) => records.query({ ...anyRecord, order, ...request }),
        limit,
      );
      assert.equal(new Set(rows.map(({ id }) => id)).size, times.length);
      const sorted = times.toSorted((left, right) => (order === "asc" ? left - right : right - left));
      assert.deepEqual(
        rows.map(({ time }) => time),
        sorted,
      );
    }
  }
});

test("passes over records that have expired, also where others of their time have not", async (t) => {
  let now = noon;
  const { records, remove } = await countedTable(() => now);
  t.after(remove);
  const expiresAt = (days: number) => ({ records: noon + days * dayMillis, failures: noon, raw: noon + 9 * dayMillis });
  await records.commit([
    outcome({ records: [recordDraft({ index: 0 })], expiresAt: expiresAt(1) }),
    outcome({ records: [recordDraft({ index: 1, time: noon + 1 })], expiresAt: expiresAt(3) }),
  ]);
  assert.equal((await records.query(anyRecord)).rows.length, 2);
  now = noon + 2 * dayMillis;
  for (const order of ["asc", "desc"] as const) {
    assert.deepEqual(
      (await records.query({ ...anyRecord, order })).rows.map(({ rawIndex }) => rawIndex),
      [1],
    );
  }
  now = noon + 4 * dayMillis;
  assert.deepEqual(await records.query(anyRecord), { rows: [], next: null });
});

test("ends a page of large records early, with a cursor", async (t) => {
  const { records, remove } = await countedTable(() => noon);
  t.after(remove);
  const drafts = Array.from({ length: 40 }, (_, index) =>
    recordDraft({ index, time: noon + index, data: { text: "x".repeat(200_000) } }),
  );
  await records.commit([outcome({ records: drafts })]);
  const { rows, next } = await records.query(anyRecord);
  assert.ok(rows.length > 10 && rows.length < 40, `${rows.length}`);
  assert.notEqual(next, null);
  const all = await allRows((request) => records.query({ ...anyRecord, ...request }), 100);
  assert.deepEqual(
    all.map(({ rawIndex }) => rawIndex),
    drafts.map(({ index }) => index),
  );
});

test("answers as a sorted list would, for random times, ranges, pages and removals", async (t) => {
  const seed = Number(process.env["EVENTPULSE_SEED"] ?? Date.now() % 1_000_000);
  t.diagnostic(`EVENTPULSE_SEED=${seed}`);
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
  const { records, table, remove } = await countedTable(() => noon + dayMillis);
  t.after(remove);
  const spread = [1, 20_000, 3_600_000, 40 * dayMillis];
  const stored: { readonly id: string; readonly time: number }[] = [];
  for (let batch = 0; batch < 30; batch++) {
    const start = noon - random(40) * dayMillis;
    const width = spread[random(spread.length)] ?? 1;
    const drafts = Array.from({ length: 1 + random(30) }, (_, index) =>
      recordDraft({ index, time: start + random(width) }),
    );
    await records.commit([outcome({ records: drafts })]);
    const gone = drafts.filter(() => random(5) === 0);
    await table.deleteAll(gone.map(({ id }) => itemKeys.record(tenant, stream, id.subarray(6))));
    stored.push(...drafts.filter((one) => !gone.includes(one)).map(({ id, time }) => ({ id: recordIdText(id), time })));
  }
  for (let query = 0; query < 60; query++) {
    const order = random(2) === 0 ? "asc" : "desc";
    const some = () => (random(3) === 0 ? null : (stored[random(stored.length)]?.time ?? 0) + random(3) - 1);
    const [from, to] = [some(), some()];
    const found = await allRows((page) => records.query({ ...anyRecord, order, from, to, ...page }), 1 + random(200));
    const expected = stored
      .filter(({ time }) => (from === null || time >= from) && (to === null || time < to))
      .map(({ id }) => id)
      .sort();
    assert.deepEqual(
      found.map(({ id }) => id),
      order === "asc" ? expected : expected.reverse(),
      `${order} ${from} ${to}`,
    );
  }
});
