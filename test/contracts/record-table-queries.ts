import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition, Order } from "../../src/model/page.ts";
import { recordIdText, type StoredRecord } from "../../src/model/record.ts";
import type { RecordTable } from "../../src/ports/record-table.ts";
import { noon, outcome, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { anyAnomaly, anyFailure } from "./record-table-trace.ts";
import { allRows, type StoreHarness, withStore } from "./store-harness.ts";

const anyRecord = { tenant, stream, from: null, to: null, where: [], limit: 100, cursor: null } as const;

/** What queries answer; part of the record-table suite. */
export function recordQueries(create: () => Promise<StoreHarness>): void {
  pages(create);
  conditions(create);
  singleRecords(create);
}

function pages(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);
  const times = [5, 1, 4, 4, 4, 2, 3, -noon - 1000, 0].map((offset) => noon + offset);

  async function everyRecord(records: RecordTable, order: Order, limit: number): Promise<StoredRecord[]> {
    return allRows((request) => records.query({ ...anyRecord, order, ...request }), limit);
  }

  test(
    "answers in order of (time, id), ascending or descending, page by page",
    store(async ({ records, settle }) => {
      const drafts = times.map((time, index) => recordDraft({ index, time }));
      await records.commit([outcome({ records: drafts })]);
      await settle();
      // Ids begin with the time, and times before 1970 sort first.
      const ascending = drafts.map(({ id }) => recordIdText(id)).sort();
      for (const limit of [1, 2, 4, 9, 100]) {
        assert.deepEqual(
          (await everyRecord(records, "asc", limit)).map(({ id }) => id),
          ascending,
        );
        assert.deepEqual(
          (await everyRecord(records, "desc", limit)).map(({ id }) => id),
          ascending.toReversed(),
        );
      }
      const times2 = (await everyRecord(records, "asc", 100)).map(({ time }) => time);
      assert.deepEqual(
        times2,
        times.toSorted((left, right) => left - right),
      );
    }),
  );

  test(
    "takes `from` as inclusive and `to` as exclusive, null as no bound",
    store(async ({ records, settle }) => {
      await records.commit([outcome({ records: times.map((time, index) => recordDraft({ index, time })) })]);
      await settle();
      for (const order of ["asc", "desc"] as const) {
        for (const [from, to] of [
          [noon + 1, noon + 4],
          [null, noon],
          [noon + 4, null],
          [-1000, -999],
          [noon + 9, noon + 10],
        ] as const) {
          const query = { ...anyRecord, order, from, to };
          const found = await allRows((request) => records.query({ ...query, ...request }), 2);
          const inRange = times.filter((time) => (from === null || time >= from) && (to === null || time < to));
          const sorted = inRange.toSorted((left, right) => (order === "asc" ? left - right : right - left));
          assert.deepEqual(
            found.map(({ time }) => time),
            sorted,
          );
        }
      }
    }),
  );

  test(
    "never repeats or skips what was there at the start of a page, whatever is inserted meanwhile",
    store(async ({ records, settle }) => {
      const drafts = Array.from({ length: 20 }, (_, index) => recordDraft({ index, time: noon + index * 10 }));
      await records.commit([outcome({ records: drafts })]);
      await settle();
      for (const order of ["asc", "desc"] as const) {
        let inserted = 0;
        const rows = await allRows(async (request) => {
          const page = await records.query({ ...anyRecord, order, ...request });
          const between = [-5, 5, 55, 105, 500].map((offset, index) => recordDraft({ index, time: noon + offset }));
          await records.commit([outcome({ records: between })]);
          await settle();
          inserted += between.length;
          return page;
        }, 3);
        const found = rows.map(({ id }) => id);
        assert.equal(new Set(found).size, found.length);
        assert.ok(inserted > 0);
        for (const { id } of drafts) assert.ok(found.includes(recordIdText(id)));
      }
    }),
  );

  test(
    "throws CURSOR_INVALID for a cursor that is none, is changed or comes from another list",
    store(async ({ records, anomalies, failures, settle }) => {
      await records.commit([outcome({ records: [0, 1, 2].map((index) => recordDraft({ index })) })]);
      await settle();
      const { next } = await records.query({ ...anyRecord, order: "asc", limit: 1 });
      assert.ok(next !== null);
      for (const cursor of ["", "x", "\u0000", `${next}A`, next.slice(0, -4), next.toUpperCase(), `${next} `]) {
        await assert.rejects(records.query({ ...anyRecord, order: "asc", cursor }), { code: "CURSOR_INVALID" }, cursor);
      }
      await assert.rejects(anomalies.query({ ...anyAnomaly, cursor: next }), { code: "CURSOR_INVALID" });
      await assert.rejects(failures.query({ ...anyFailure, cursor: next }), { code: "CURSOR_INVALID" });
    }),
  );
}

/** Values of the field `v` (absent in the first), by a name for the test. */
const samples: Readonly<Record<string, unknown>> = {
  missing: {},
  null: { v: null },
  true: { v: true },
  5: { v: 5 },
  10: { v: 10 },
  1.5: { v: 1.5 },
  big: { v: 9007199254740991 },
  "text 5": { v: "5" },
  "text b": { v: "b" },
  empty: { v: "" },
  array: { v: [5] },
  nested: { v: { w: 5 }, "v.w": 6 },
};

const cases: readonly (readonly [Condition["operator"], string, readonly string[], string?])[] = [
  ["eq", "5", ["5", "text 5"]],
  ["eq", "5.0", ["5"]],
  ["eq", "9007199254740991", ["big"]],
  ["eq", "9007199254740990", []],
  ["eq", "true", ["true"]],
  ["eq", "1", []],
  ["eq", "null", ["null"]],
  ["eq", "", ["empty"]],
  ["eq", "b", ["text b"]],
  ["eq", "[5]", ["array"]],
  ["ne", "5", Object.keys(samples).filter((name) => name !== "5" && name !== "text 5")],
  ["gt", "5", ["10", "big", "true", "null", "text b", "array", "nested"]],
  ["gte", "5", ["5", "10", "big", "text 5", "true", "null", "text b", "array", "nested"]],
  ["lt", "5", ["1.5", "empty"]],
  ["lte", "5", ["1.5", "5", "text 5", "empty"]],
  ["gt", "a", ["text b", "true", "null", "nested"]],
  ["contains", "5", ["5", "1.5", "text 5", "array", "nested", "big"]],
  ["contains", "B", []],
  ["exists", "true", Object.keys(samples).filter((name) => name !== "missing")],
  ["exists", "false", ["missing"]],
  ["eq", "5", ["nested"], "v.w"],
  ["exists", "false", Object.keys(samples).filter((name) => name !== "nested"), "v.w"],
];

function conditions(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  async function matching(records: RecordTable, where: readonly Condition[]): Promise<StoredRecord[]> {
    return allRows((request) => records.query({ ...anyRecord, order: "asc", where, ...request }), 3);
  }

  test(
    "compares numbers as numbers and all else as text; a missing field satisfies only `ne` and `exists=false`",
    store(async ({ records, settle }) => {
      const names = Object.keys(samples);
      const drafts = names.map((name, index) => recordDraft({ index, time: noon + index, data: samples[name] }));
      await records.commit([outcome({ records: drafts })]);
      await settle();
      for (const [operator, value, expected, field = "v"] of cases) {
        const found = await matching(records, [{ field, operator, value }]);
        const foundNames = found.map(({ rawIndex }) => names[rawIndex]);
        assert.deepEqual(foundNames.sort(), [...expected].sort(), `${field} ${operator} ${value}`);
      }
    }),
  );

  test(
    "answers with records for which all conditions hold",
    store(async ({ records, settle }) => {
      const drafts = Array.from({ length: 30 }, (_, index) =>
        recordDraft({ index, time: noon + index, data: { n: index, kind: index % 2 === 0 ? "even" : "odd" } }),
      );
      await records.commit([outcome({ records: drafts })]);
      await settle();
      const where: Condition[] = [
        { field: "kind", operator: "eq", value: "even" },
        { field: "n", operator: "gte", value: "7" },
        { field: "n", operator: "lt", value: "12" },
      ];
      assert.deepEqual(
        (await matching(records, where)).map(({ rawIndex }) => rawIndex),
        [8, 10],
      );
    }),
  );

  test(
    "takes every field name and value as it is, whatever characters it has",
    store(async ({ records, settle }) => {
      const names = [
        'a"b',
        "a'b",
        "a\\b",
        "a b",
        "$",
        "*",
        "[0]",
        "#-1",
        "1",
        "\n",
        "é😀",
        "?",
        "$path0",
        "' OR 1=1 --",
      ];
      const drafts = names.map((name, index) =>
        recordDraft({ index, time: noon + index, data: { [name]: { x: name } } }),
      );
      await records.commit([outcome({ records: [...drafts, recordDraft({ index: names.length, time: noon - 1 })] })]);
      await settle();
      for (const [index, name] of names.entries()) {
        const found = await matching(records, [{ field: `${name}.x`, operator: "eq", value: name }]);
        assert.deepEqual(
          found.map(({ rawIndex }) => rawIndex),
          [index],
          JSON.stringify(name),
        );
      }
      for (const field of ["", ".", "..", "x') OR 1=1 --", '"', "\\", "\u0000", "$[*]"]) {
        assert.deepEqual(await matching(records, [{ field, operator: "eq", value: "' OR '1'='1" }]), [], field);
      }
    }),
  );
}

function singleRecords(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "gets a record by its id and by the id that the client gave, null when there is none",
    store(async ({ records, settle }) => {
      const drafts = ["A", "B", null].map((eventId, index) => recordDraft({ index, eventId }));
      await records.commit([outcome({ records: drafts })]);
      await settle();
      for (const { id, index } of drafts) {
        assert.equal((await records.get(tenant, stream, recordIdText(id)))?.rawIndex, index);
      }
      assert.equal((await records.get(tenant, stream, "B"))?.rawIndex, 1);
      for (const id of ["C", "", "evt_", `evt_${"0".repeat(32)}`, "#", "A#", "#A"]) {
        assert.equal(await records.get(tenant, stream, id), null, id);
      }
      assert.equal(await records.get(tenant, "refunds", "A"), null);
      assert.equal(await records.get("rival", stream, recordIdText(drafts[0]?.id ?? new Uint8Array())), null);
    }),
  );

  test(
    "gets a CloudEvent by its source and id",
    store(async ({ records, settle }) => {
      const sources = ["https://example.com/a", "https://example.com/#b"];
      const drafts = sources.map((source, index) => recordDraft({ index, source, eventId: "7" }));
      await records.commit([outcome({ records: [...drafts, recordDraft({ index: 2, eventId: "x#7" })] })]);
      await settle();
      for (const [index, source] of sources.entries()) {
        assert.equal((await records.get(tenant, stream, `${source}#7`))?.rawIndex, index);
      }
      assert.equal(await records.get(tenant, stream, "7"), null);
      assert.equal((await records.get(tenant, stream, "x#7"))?.rawIndex, 2);
    }),
  );

  test(
    "gives back exactly what was committed",
    store(async ({ records, settle }) => {
      const data = {
        text: "\u0000 \u2028 é 😀 \ufeff '\"\\",
        n: 1e21,
        deep: { a: [null, true, {}] },
        ["__proto__"]: 1,
      };
      const draft = recordDraft({ index: 3, eventId: "é 😀 'quoted'", source: "https://example.com/#a", data });
      const committed = outcome({ meta: { events: 1 }, records: [draft] });
      await records.commit([committed]);
      await settle();
      assert.deepEqual(await records.get(tenant, stream, recordIdText(draft.id)), {
        id: recordIdText(draft.id),
        stream,
        time: draft.time,
        receivedAt: committed.meta.receivedAt,
        eventId: draft.eventId,
        attributesJson: draft.attributesJson,
        dataJson: draft.dataJson,
        rawKey: committed.rawKey,
        rawIndex: 3,
      });
    }),
  );
}
