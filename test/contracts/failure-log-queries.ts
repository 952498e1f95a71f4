import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureDraft } from "../../src/model/failure.ts";
import type { ConditionOperator } from "../../src/model/page.ts";
import type { FailureQuery } from "../../src/ports/failure-log.ts";
import { failureDraft, newRawKey, outcome, stream, tenant } from "./outcome-samples.ts";
import { anyFailure } from "./record-table-trace.ts";
import { allRows, type StoreHarness, withStore } from "./store-harness.ts";

/** What lists of failures hold, and in which order; part of the failure-log suite. */
export function failureQueries(create: () => Promise<StoreHarness>): void {
  listing(create);
  filtering(create);
}

/** Commits one failure; answers with its id. */
export async function commitFailure(
  { records, settle }: StoreHarness,
  change: Partial<FailureDraft> = {},
  ofStream = stream,
) {
  const rawKey = newRawKey(ofStream);
  const draft = failureDraft(rawKey, change);
  await records.commit([outcome({ rawKey, meta: { stream: ofStream }, failures: [draft] })]);
  await settle();
  return draft.id;
}

function listing(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  test(
    "answers by (last seen, id), descending or ascending, page by page",
    store(async (harness) => {
      const { failures, wait } = harness;
      for (let number = 0; number < 9; number++) {
        await commitFailure(harness);
        if (number % 3 === 2) await wait(1000);
      }
      const all = (await failures.query(anyFailure)).rows;
      const sorted = all.toSorted((left, right) => right.lastSeenAt - left.lastSeenAt || (right.id > left.id ? 1 : -1));
      assert.deepEqual(all, sorted);
      assert.equal(new Set(all.map(({ lastSeenAt }) => lastSeenAt)).size >= 3, true);
      for (const limit of [1, 2, 4, 9]) {
        assert.deepEqual(await allRows((request) => failures.query({ ...anyFailure, ...request }), limit), all);
        const ascending = await allRows(
          (request) => failures.query({ ...anyFailure, order: "asc", ...request }),
          limit,
        );
        assert.deepEqual(ascending.toReversed(), all);
      }
    }),
  );

  test(
    "narrows by stream, state, class, code, fingerprint and last seen",
    store(async (harness) => {
      const { failures, wait } = harness;
      const ids = [
        await commitFailure(harness, {}, "refunds"),
        await commitFailure(harness, { state: "dead", class: "bug", code: "TRANSFORM_THREW" }),
        await commitFailure(harness, { fingerprint: "ffffffffffffffff" }),
      ];
      await wait(1000);
      ids.push(await commitFailure(harness));
      const last = await failures.get(tenant, ids[3] ?? "");
      assert.ok(last);
      const expected: readonly (readonly [Partial<FailureQuery>, readonly number[]])[] = [
        [{}, [0, 1, 2, 3]],
        [{ stream: "refunds" }, [0]],
        [{ stream: "unknown" }, []],
        [{ state: "dead" }, [1]],
        [{ class: "bug" }, [1]],
        [{ class: "poison" }, []],
        [{ code: "CONTRACT_BROKEN" }, [0, 2, 3]],
        [{ fingerprint: "ffffffffffffffff" }, [2]],
        [{ from: last.lastSeenAt }, [3]],
        [{ to: last.lastSeenAt }, [0, 1, 2]],
        [{ stream, state: "quarantined", class: "invalid", code: "CONTRACT_BROKEN", to: last.lastSeenAt }, [2]],
        [{ tenant: "rival" }, []],
      ];
      for (const [change, numbers] of expected) {
        const found = await allRows((request) => failures.query({ ...anyFailure, ...change, ...request }), 2);
        assert.deepEqual(found.map(({ id }) => ids.indexOf(id)).sort(), numbers, JSON.stringify(change));
      }
    }),
  );

  test(
    "throws CURSOR_INVALID for a cursor that is none",
    store(async ({ failures }) => {
      for (const cursor of ["", "x", "WyJmYWlsdXJlcyJd"]) {
        await assert.rejects(failures.query({ ...anyFailure, cursor }), { code: "CURSOR_INVALID" });
      }
    }),
  );
}

/** Payloads by a name for the test. */
const payloads: Readonly<Record<string, Uint8Array>> = {
  plain: Buffer.from('{"total":7,"customer":{"name":"Ana"}}'),
  text: Buffer.from('{"total":"7","customer":{"name":"Jürgen"}}'),
  big: Buffer.from('{"total":123456789012345678}'),
  array: Buffer.from('[{"total":7}]'),
  line: Buffer.from("7,Ana,Jürgen"),
  bytes: Buffer.from([0xff, 0x00, 0x7b, 0xfe]),
  empty: Buffer.from(""),
};

function filtering(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  async function found(harness: StoreHarness, change: Partial<FailureQuery>): Promise<string[]> {
    const rows = await allRows((request) => harness.failures.query({ ...anyFailure, ...change, ...request }), 2);
    return rows.map(({ eventId }) => eventId ?? "").sort();
  }

  test(
    "narrows by the fields of the event as sent; a payload that is no JSON object has none",
    store(async (harness) => {
      for (const [eventId, original] of Object.entries(payloads)) await commitFailure(harness, { eventId, original });
      const others = ["array", "bytes", "empty", "line"];
      const expected: readonly (readonly [field: string, operator: ConditionOperator, value: string, string[]])[] = [
        ["total", "eq", "7", ["plain", "text"]],
        ["total", "ne", "7", [...others, "big"].sort()],
        ["total", "gt", "7", ["big"]],
        ["total", "eq", "123456789012345678", ["big"]],
        ["total", "eq", "123456789012345677", []],
        ["total", "exists", "true", ["big", "plain", "text"]],
        ["total", "exists", "false", others],
        ["customer.name", "contains", "ürg", ["text"]],
        ["customer.name", "eq", "Ana", ["plain"]],
        ["0", "exists", "true", []],
        ['a"b', "eq", "' OR 1", []],
      ];
      for (const [field, operator, value, names] of expected) {
        assert.deepEqual(await found(harness, { where: [{ field, operator, value }] }), names, `${field} ${operator}`);
      }
      const both = [
        { field: "total", operator: "exists", value: "true" },
        { field: "customer.name", operator: "ne", value: "Ana" },
      ] as const;
      assert.deepEqual(await found(harness, { where: both }), ["big", "text"]);
      assert.deepEqual(await found(harness, { where: both, stream: "unknown" }), []);
    }),
  );

  test(
    "narrows by a text that the payload contains, byte for byte, together with everything else",
    store(async (harness) => {
      for (const [eventId, original] of Object.entries(payloads)) await commitFailure(harness, { eventId, original });
      assert.deepEqual(await found(harness, { contains: "Jürgen" }), ["line", "text"]);
      assert.deepEqual(await found(harness, { contains: "jürgen" }), []);
      assert.deepEqual(await found(harness, { contains: "{" }), ["array", "big", "bytes", "plain", "text"]);
      assert.deepEqual(await found(harness, { contains: "\u0000" }), ["bytes"]);
      assert.deepEqual(await found(harness, { contains: "%" }), []);
      assert.deepEqual(await found(harness, { contains: "Ana", order: "asc", state: "quarantined" }), [
        "line",
        "plain",
      ]);
      assert.deepEqual(await found(harness, { contains: "Ana", state: "dead" }), []);
      const name = { field: "customer.name", operator: "exists", value: "true" } as const;
      assert.deepEqual(await found(harness, { contains: "Ana", where: [name] }), ["plain"]);
    }),
  );
}
