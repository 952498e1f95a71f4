import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredRecord } from "../../../src/model/record.ts";
import type { RecordTable } from "../../../src/ports/record-table.ts";
import { dayMillis, noon, outcome, recordDraft } from "../../contracts/outcome-samples.ts";
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
