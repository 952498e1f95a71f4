import assert from "node:assert/strict";
import { test } from "node:test";
import { dayMillis, newRawKey, noon, outcome, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** Where raw objects are found by their time; part of the record-table suite. */
export function rawKeyQueries(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);
  const all = { tenant, stream, from: null, to: null, startAt: null, limit: 100 };

  /** Three objects a day for three days, and their keys, the newest first. */
  async function filled({ records, settle }: StoreHarness): Promise<readonly string[]> {
    const keys: string[] = [];
    for (let number = 0; number < 9; number++) {
      const receivedAt = noon + Math.floor(number / 3) * dayMillis + number * 1000;
      const day = new Date(receivedAt).toISOString().slice(0, 10).replaceAll("-", "/");
      const rawKey = `raw/${stream}/${day}/${String(number).padStart(8, "0")}`;
      await records.commit([outcome({ rawKey, meta: { receivedAt }, records: [recordDraft()] })]);
      keys.unshift(rawKey);
    }
    await settle();
    return keys;
  }

  test(
    "lists the keys of processed objects, the newest first, and on from a given one",
    store(async (harness) => {
      const keys = await filled(harness);
      const { records } = harness;
      assert.deepEqual(await records.rawKeys(all), keys);
      assert.deepEqual(await records.rawKeys({ ...all, limit: 4 }), keys.slice(0, 4));
      assert.deepEqual(await records.rawKeys({ ...all, startAt: keys[3] ?? "", limit: 4 }), keys.slice(3, 7));
    }),
  );

  test(
    "lists those that were received in a range of time, from inclusive and to exclusive",
    store(async (harness) => {
      const keys = await filled(harness);
      const { records } = harness;
      const received = (number: number) => noon + Math.floor(number / 3) * dayMillis + number * 1000;
      const range = { ...all, from: received(1), to: received(7) };
      assert.deepEqual(await records.rawKeys(range), keys.slice(2, 8));
      assert.deepEqual(await records.rawKeys({ ...range, startAt: keys[4] ?? "" }), keys.slice(4, 8));
      assert.deepEqual(await records.rawKeys({ ...all, from: received(8) + 1 }), []);
      // The day of an upload is that of its link.
      const rawKey = `raw/${stream}/2026/11/15/upl_20261115_${stream}_00`;
      const outOfDay = outcome({ rawKey, meta: { receivedAt: received(0) + 500 }, records: [recordDraft()] });
      await records.commit([outOfDay]);
      assert.deepEqual(await records.rawKeys({ ...all, from: received(0), to: received(1) }), [keys[8], rawKey]);
    }),
  );

  test(
    "keeps streams apart, also when one name begins like another, and tenants, also on one stream",
    store(async (harness) => {
      const keys = await filled(harness);
      const { records } = harness;
      const longer = `${stream}-eu`;
      const rawKey = `raw/${longer}/2026/11/16/00000000`;
      await records.commit([outcome({ rawKey, meta: { stream: longer }, records: [recordDraft({ stream: longer })] })]);
      assert.deepEqual(await records.rawKeys(all), keys);
      assert.deepEqual(await records.rawKeys({ ...all, stream: longer }), [rawKey]);
      assert.deepEqual(await records.rawKeys({ ...all, tenant: "other" }), []);
      const theirs = newRawKey();
      await records.commit([
        outcome({ rawKey: theirs, meta: { tenant: "other" }, records: [recordDraft({ tenant: "other" })] }),
      ]);
      assert.deepEqual(await records.rawKeys(all), keys);
      assert.deepEqual(await records.rawKeys({ ...all, tenant: "other" }), [theirs]);
    }),
  );
}
