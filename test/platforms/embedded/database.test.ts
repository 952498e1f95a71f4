import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { limits } from "../../../src/model/limits.ts";
import type { Condition } from "../../../src/model/page.ts";
import { recordIdText } from "../../../src/model/record.ts";
import { openDatabase } from "../../../src/platforms/embedded/database.ts";
import { sqliteOutcomes } from "../../../src/platforms/embedded/outcomes.ts";
import { sqliteRecordTable } from "../../../src/platforms/embedded/record-table.ts";
import { sqliteWorkQueue } from "../../../src/platforms/embedded/work-queue.ts";
import { noon, outcome, recordDraft, stream, tenant } from "../../contracts/outcome-samples.ts";
import { allRows } from "../../contracts/store-harness.ts";
import { type StoreFolder, storeFolder } from "./store-folder.ts";

const anyRecord = { tenant, stream, from: null, to: null, order: "asc", where: [], limit: 100, cursor: null } as const;

const inFolder = (body: (folder: StoreFolder) => void | Promise<void>) => async () => {
  const folder = await storeFolder();
  try {
    await body(folder);
  } finally {
    await folder.remove();
  }
};

describe("database", () => {
  test(
    "keeps what a transaction wrote, also for the next opening, and nothing of one that threw",
    inFolder(({ path }) => {
      const database = openDatabase(path, { mode: "write" });
      database.transaction(() => database.meta.set("place", "1"));
      const failed = () =>
        database.transaction(() => {
          database.meta.set("place", "2");
          throw new Error("stop");
        });
      assert.throws(failed, /stop/);
      database.close();
      const again = openDatabase(path, { mode: "write" });
      assert.equal(again.meta.get("place"), "1");
      assert.equal(again.meta.get("other"), null);
      again.close();
    }),
  );

  test(
    "ends a transaction with an error inside it, also when that is caught",
    inFolder(({ path }) => {
      const database = openDatabase(path, { mode: "write" });
      const outer = () =>
        database.transaction(() => {
          database.meta.set("outer", "1");
          const inner = () =>
            database.transaction(() => {
              throw new Error("stop");
            });
          assert.throws(inner, /stop/);
        });
      assert.throws(outer, /nothing in it may catch the error/);
      assert.equal(database.meta.get("outer"), null);
      database.transaction(() => database.meta.set("outer", "2"));
      assert.equal(database.meta.get("outer"), "2", "the next one is not concerned");
      database.close();
    }),
  );

  test(
    "takes back what a rehearsal wrote, alone and inside a transaction, and answers with what it saw",
    inFolder(({ path }) => {
      const database = openDatabase(path, { mode: "write" });
      const rehearsed = () =>
        database.rehearse(() => {
          database.transaction(() => database.meta.set("place", "2"));
          return database.meta.get("place");
        });
      database.meta.set("place", "1");
      assert.deepEqual([rehearsed(), database.meta.get("place")], ["2", "1"]);
      database.transaction(() => {
        database.meta.set("outer", "1");
        assert.equal(rehearsed(), "2");
      });
      assert.deepEqual([database.meta.get("outer"), database.meta.get("place")], ["1", "1"]);
      database.close();
    }),
  );

  test(
    "composes a commit, work and a checkpoint into one transaction",
    inFolder(({ path, clock }) => {
      const database = openDatabase(path, { mode: "write" });
      const outcomes = sqliteOutcomes(database, clock);
      const queue = sqliteWorkQueue(database, clock);
      const rows = () =>
        database.get<{ n: number }>("SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM work) AS n")?.n;
      const all = (fail: boolean) =>
        database.transaction(() => {
          outcomes.commitSync([outcome({ records: [recordDraft()] })]);
          queue.enqueueSync([{ kind: "failure", tenant, stream, failureId: "fail_1", attempt: 2 }]);
          database.meta.set("checkpoint", "17");
          if (fail) throw new Error("stop");
        });
      assert.throws(() => all(true), /stop/);
      assert.deepEqual([rows(), database.meta.get("checkpoint")], [0, null]);
      all(false);
      assert.deepEqual([rows(), database.meta.get("checkpoint")], [2, "17"]);
      database.close();
    }),
  );

  test(
    "answers queries on a reading connection while the writer writes, and writes nothing there",
    inFolder(async ({ path, clock }) => {
      assert.throws(() => openDatabase(path, { mode: "read" }), "no writer has made it yet");
      const database = openDatabase(path, { mode: "write" });
      const writer = sqliteRecordTable(database, clock);
      const reading = openDatabase(path, { mode: "read" });
      const reader = sqliteRecordTable(reading, clock);
      await writer.commit([outcome({ records: [recordDraft({ eventId: "A" })] })]);
      assert.equal((await reader.query(anyRecord)).rows.length, 1);
      assert.equal((await reader.get(tenant, stream, "A"))?.eventId, "A");
      database.transaction(() => {
        sqliteOutcomes(database, clock).commitSync([outcome({ records: [recordDraft()] })]);
        const seen = reading.get<{ n: number }>("SELECT count(*) AS n FROM records");
        assert.equal(seen?.n, 1, "what is not committed is not seen");
      });
      assert.equal((await reader.query(anyRecord)).rows.length, 2);
      await assert.rejects(reader.commit([outcome({ records: [recordDraft()] })]), /readonly|query_only/);
      reading.close();
      database.close();
    }),
  );

  test(
    "flushes every commit and keeps a write-ahead log",
    inFolder(({ path }) => {
      const database = openDatabase(path, { mode: "write" });
      const pragma = (name: string) => Object.values(database.get<Record<string, unknown>>(`PRAGMA ${name}`) ?? {})[0];
      assert.deepEqual([pragma("journal_mode"), pragma("synchronous"), pragma("page_size")], ["wal", 2, 8192]);
      database.close();
    }),
  );

  test(
    "refuses a file of a newer version with SETTING_INVALID",
    inFolder(({ path }) => {
      openDatabase(path, { mode: "write" }).close();
      const raw = new DatabaseSync(path);
      raw.exec("PRAGMA user_version = 99");
      raw.close();
      assert.throws(() => openDatabase(path, { mode: "write" }), { code: "SETTING_INVALID" });
    }),
  );

  test(
    "refuses an outcome that does not account for every event of its object, and commits none of it",
    inFolder(async ({ path, clock }) => {
      const database = openDatabase(path, { mode: "write" });
      const records = sqliteRecordTable(database, clock);
      const wrong = outcome({ records: [recordDraft()], meta: { events: 2 } });
      await assert.rejects(records.commit([wrong]), /accounts for 1 of its 2 events/);
      assert.equal((await records.query(anyRecord)).rows.length, 0);
      assert.equal(await records.objectResult(wrong.rawKey), null);
      database.close();
    }),
  );
});

describe("record ids", () => {
  test(
    "count as a duplicate when taken, alone and among others, and leave the first record as it is",
    inFolder(async ({ path, clock }) => {
      const database = openDatabase(path, { mode: "write" });
      const records = sqliteRecordTable(database, clock);
      const taken = recordDraft({ data: "first" });
      await records.commit([outcome({ records: [taken] })]);
      for (const others of [0, 8, 15]) {
        // Ids sort by time: it is the fourth of its INSERT, between others.
        const drafts = Array.from({ length: others }, (_, index) =>
          recordDraft({ index: index + 1, time: noon + index - 3 }),
        );
        const [result] = await records.commit([outcome({ records: [{ ...taken, dataJson: '"second"' }, ...drafts] })]);
        assert.deepEqual([result?.stored, result?.duplicates], [others, 1]);
      }
      const rows = await allRows((request) => records.query({ ...anyRecord, ...request }), 100);
      assert.equal(rows.length, 24);
      assert.deepEqual(
        rows.filter(({ id }) => id === recordIdText(taken.id)).map(({ dataJson }) => dataJson),
        ['"first"'],
      );
      database.close();
    }),
  );
});

describe("queries over many records", () => {
  test(
    "end a filtered page early with a cursor, and find every match over all pages",
    inFolder(async ({ path, clock }) => {
      const database = openDatabase(path, { mode: "write" });
      const records = sqliteRecordTable(database, clock);
      const count = limits.scanRowsMax + 5_000;
      for (let start = 0; start < count; start += 5_000) {
        const drafts = Array.from({ length: 5_000 }, (_, index) =>
          recordDraft({ index, time: noon + start + index, data: { n: start + index } }),
        );
        await records.commit([outcome({ records: drafts })]);
      }
      const last: Condition[] = [{ field: "n", operator: "gte", value: String(count - 2) }];
      for (const order of ["asc", "desc"] as const) {
        let pages = 0;
        const rows = await allRows(async (request) => {
          pages++;
          const page = await records.query({ ...anyRecord, order, where: last, ...request });
          if (order === "asc" && pages === 1) assert.deepEqual([page.rows.length, page.next !== null], [0, true]);
          return page;
        }, 100);
        assert.equal(rows.length, 2);
        assert.ok(pages >= 2);
      }
      const none = await allRows(
        (request) =>
          records.query({ ...anyRecord, where: [{ field: "x", operator: "exists", value: "true" }], ...request }),
        100,
      );
      assert.deepEqual(none, []);
      database.close();
    }),
  );

  test(
    "end a page of large records before it fills the memory, and skip none",
    inFolder(async ({ path, clock }) => {
      const database = openDatabase(path, { mode: "write" });
      const records = sqliteRecordTable(database, clock);
      const text = "x".repeat(200_000);
      const drafts = Array.from({ length: 100 }, (_, index) =>
        recordDraft({ index, time: noon + index, data: { text } }),
      );
      await records.commit([outcome({ records: drafts })]);
      for (const where of [[], [{ field: "text", operator: "exists", value: "true" }] as const]) {
        const first = await records.query({ ...anyRecord, where });
        assert.ok(first.rows.length < 100 && first.next !== null);
        const rows = await allRows((request) => records.query({ ...anyRecord, where, ...request }), 100);
        assert.deepEqual(
          rows.map(({ rawIndex }) => rawIndex),
          drafts.map(({ index }) => index),
        );
      }
      database.close();
    }),
  );
});
