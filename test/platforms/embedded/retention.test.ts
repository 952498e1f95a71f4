import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Outcome } from "../../../src/model/outcome.ts";
import { recordIdText } from "../../../src/model/record.ts";
import { rawKeysInFlight, sweep } from "../../../src/platforms/embedded/retention.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import {
  anomalyDraft,
  dayMillis,
  failureDraft,
  newRawKey,
  noon,
  notificationDraft,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { withStore } from "../../contracts/store-harness.ts";
import { embeddedStores } from "./store-folder.ts";

type Stores = Awaited<ReturnType<typeof embeddedStores>>;

const hourMillis = 60 * 60 * 1000;
const all = { rowsMax: 1_000_000 };
const tables = ["records", "identities", "record_batches", "rollups", "anomalies", "failures", "failure_details"];

/** Each test gets the embedded stores; the type of `withStore` knows only the ports. */
const stored = (body: (stores: Stores) => Promise<void>) =>
  withStore(embeddedStores)((stores) => body(stores as Stores));

function rowCounts({ database }: Stores, names: readonly string[] = [...tables, "objects", "event_attempts"]) {
  return Object.fromEntries(
    names.map((name) => [name, database.get<{ n: number }>(`SELECT count(*) AS n FROM ${name}`)?.n]),
  );
}

/** A raw object with one record, one anomaly and one failure, kept for so long. */
function kept(records: number, failures = records, raw = records): Outcome {
  const rawKey = newRawKey();
  const id = `anom_${rawKey}`;
  return outcome({
    rawKey,
    expiresAt: { records, failures, raw },
    records: [recordDraft({ eventId: rawKey, time: noon - 400 * dayMillis, numbers: [1] })],
    rollupFields: ["total"],
    failures: [failureDraft(rawKey, { index: 1 })],
    anomalies: [anomalyDraft({ id })],
  });
}

describe("retention", () => {
  test(
    "removes nothing before its time, and everything of it within an hour after",
    stored(async (stores) => {
      const { records, failures, database, now } = stores;
      const start = now();
      const lives = [0, 1, 59, 61, 3 * 60, 24 * 60].map((minutes) => start + minutes * 60_000 + 123);
      const outcomes = lives.map((end) => kept(end, end + 7 * 60_000, end + 2 * 60_000));
      await records.commit(outcomes);
      for (let time = start; time < start + 2 * dayMillis; time += 10 * 60_000) {
        sweep(database, time, all);
        for (const one of outcomes) {
          const id = recordIdText(one.records[0]?.id ?? new Uint8Array());
          const record = await records.get(tenant, stream, id);
          const failure = await failures.get(tenant, one.failures[0]?.id ?? "");
          const { expiresAt } = one;
          if (time < expiresAt.records) assert.equal(record?.rawKey, one.rawKey);
          if (time < expiresAt.failures) assert.equal(failure?.rawKey, one.rawKey);
          if (time >= expiresAt.records + 60_000) assert.equal(record, null);
          if (time >= expiresAt.failures + 60_000) assert.equal(failure, null);
          const marker = await records.objectResult(one.rawKey);
          if (time < Math.max(expiresAt.records, expiresAt.raw)) assert.notEqual(marker, null);
          else if (time >= Math.max(expiresAt.records, expiresAt.raw) + 60_000) assert.equal(marker, null);
        }
      }
      assert.ok(
        Object.values(rowCounts(stores)).every((count) => count === 0),
        JSON.stringify(rowCounts(stores)),
      );
    }),
  );

  test(
    "keeps the rollups of late events as long as their records",
    stored(async ({ records, database, now }) => {
      const query = { tenant, stream, field: "total", from: noon - 401 * dayMillis, to: noon, points: 10 };
      await records.commit([kept(now() + dayMillis)]);
      sweep(database, now() + dayMillis - 1, all);
      assert.equal((await records.series(query)).points.length, 1);
      sweep(database, now() + dayMillis + hourMillis, all);
      const { points, anomalies } = await records.series(query);
      assert.deepEqual([points, anomalies], [[], []]);
    }),
  );

  test(
    "keeps a minute's rollup as long as the last of its records",
    stored(async ({ records, database, now }) => {
      const ends = [now() + 9 * dayMillis, now() + dayMillis];
      for (const end of ends) await records.commit([kept(end)]);
      const query = { tenant, stream, field: "total", from: noon - 401 * dayMillis, to: noon, points: 1 };
      sweep(database, now() + 8 * dayMillis, all);
      assert.deepEqual(
        (await records.series(query)).points.map(({ count }) => count),
        [2],
      );
    }),
  );

  test(
    "forgets the identity with the record, so that the event can come again",
    stored(async ({ records, database, now }) => {
      const again = () => outcome({ records: [recordDraft({ eventId: "A", data: 1 })] });
      const end = now() + dayMillis;
      await records.commit([{ ...again(), expiresAt: { records: end, failures: end, raw: end } }]);
      assert.equal(only(await records.commit([again()])).duplicates, 1);
      sweep(database, end + 60_000, all);
      assert.equal(only(await records.commit([again()])).stored, 1);
    }),
  );

  test(
    "never removes what is in flight: retried failures, waiting messages and their markers, pending notifications",
    stored(async (stores) => {
      const { records, failures, queue, notifications, database, now } = stores;
      const end = now() + 1000;
      const late = now() + 100 * dayMillis;
      const failing = kept(end);
      const retrying = outcome({
        expiresAt: { records: end, failures: end, raw: end },
        retries: [{ index: 0, attempts: 1, delayMillis: 0 }],
        notifications: [notificationDraft()],
      });
      await records.commit([failing, retrying, kept(end)]);
      const id = failing.failures[0]?.id ?? "";
      await failures.retry(tenant, id, null, auditDraft());
      assert.deepEqual(rawKeysInFlight(database), new Set([failing.rawKey, retrying.rawKey]));
      sweep(database, late, all);
      assert.equal((await failures.get(tenant, id))?.state, "retrying");
      assert.equal((await failures.payload(tenant, id))?.byteLength, failing.failures[0]?.original.byteLength);
      assert.equal((await notifications.due(10)).length, 1);
      assert.deepEqual(rowCounts(stores, ["objects", "work", "failures"]), { objects: 2, work: 2, failures: 1 });

      const subject = { kind: "failure", failureId: id, attempt: 2, jobId: null } as const;
      await records.commit([
        { ...outcome({ dropped: 1 }), rawKey: failing.rawKey, subject, expiresAt: failing.expiresAt },
      ]);
      for (const message of await queue.receive(10)) await queue.acknowledge(message);
      await notifications.settle(notificationDraft().id, "delivered", null, 0);
      sweep(database, late, all);
      assert.deepEqual(rowCounts(stores, ["objects", "failures", "notifications", "notification_groups"]), {
        objects: 0,
        failures: 0,
        notifications: 0,
        notification_groups: 0,
      });
    }),
  );

  test(
    "keeps expired failures in the total of their issue alone, and the issue until it was last seen 7 days ago",
    stored(async (stores) => {
      const { records, failures, issues, database, now, wait } = stores;
      const rawKey = newRawKey();
      const drafts = Array.from({ length: 4 }, (_, index) =>
        failureDraft(rawKey, { index, fingerprint: "f".repeat(16) }),
      );
      const [waiting = "", discarded = "", retrying = "", other = ""] = drafts.map(({ id }) => id);
      const end = now() + dayMillis;
      await records.commit([
        outcome({ rawKey, failures: drafts, expiresAt: { records: end, failures: end, raw: end } }),
      ]);
      await failures.discardAll(tenant, [discarded], "");
      await failures.retry(tenant, retrying, null, auditDraft());
      const standing = async () => {
        const issue = await issues.get(tenant, `iss_${"f".repeat(16)}`);
        return issue && [issue.state, issue.total, issue.waiting, issue.recovered, issue.discarded];
      };
      const example = async () => (await issues.get(tenant, `iss_${"f".repeat(16)}`))?.exampleId;
      assert.deepEqual([await standing(), await example()], [["open", 4, 3, 0, 1], other]);
      sweep(database, end + 60_000, all);
      assert.equal(await failures.get(tenant, waiting), null);
      assert.equal(await failures.get(tenant, other), null);
      assert.deepEqual([await standing(), await example()], [["open", 4, 1, 0, 0], retrying]);
      // One that is retried stays, and its issue with it, however old.
      sweep(database, end + 100 * dayMillis, all);
      assert.deepEqual(await standing(), ["open", 4, 1, 0, 0]);
      const subject = { kind: "failure", failureId: retrying, attempt: 2, jobId: null } as const;
      await records.commit([
        { ...outcome({ dropped: 1 }), rawKey, subject, expiresAt: { records: end, failures: end, raw: end } },
      ]);
      assert.deepEqual(await standing(), ["resolved", 4, 0, 1, 0]);
      await wait(2 * dayMillis);
      sweep(database, now(), all);
      assert.deepEqual(await standing(), ["resolved", 4, 0, 0, 0]);
      await wait(5 * dayMillis - 1);
      assert.equal(sweep(database, now(), all).issues, 0);
      await wait(1);
      assert.equal(sweep(database, now(), all).issues, 1);
      assert.deepEqual(rowCounts(stores, ["issues", "issue_hours"]), { issues: 0, issue_hours: 0 });
    }),
  );

  test(
    "opens an issue anew when its cause comes back after it was forgotten",
    stored(async ({ records, failures, issues, database, now }) => {
      const again = async () => {
        const rawKey = newRawKey();
        const draft = failureDraft(rawKey, { fingerprint: "f".repeat(16) });
        const end = now() + dayMillis;
        await records.commit([
          outcome({ rawKey, failures: [draft], expiresAt: { records: end, failures: end, raw: end } }),
        ]);
        return draft.id;
      };
      await failures.discardAll(tenant, [await again()], "");
      sweep(database, now() + 9 * dayMillis, all);
      assert.equal(await issues.get(tenant, `iss_${"f".repeat(16)}`), null);
      await again();
      const issue = await issues.get(tenant, `iss_${"f".repeat(16)}`);
      assert.deepEqual([issue?.state, issue?.total, issue?.version], ["open", 1, 1]);
    }),
  );

  test(
    "works in pieces of about the size asked for, until nothing is left",
    stored(async (stores) => {
      const { records, database, now } = stores;
      const end = now();
      const drafts = Array.from({ length: 3500 }, (_, index) => recordDraft({ index, eventId: String(index) }));
      await records.commit([outcome({ records: drafts, expiresAt: { records: end, failures: end, raw: end } })]);
      const swept: number[] = [];
      for (let more = true; more; ) {
        const result = sweep(database, end + hourMillis, { rowsMax: 100 });
        swept.push(result.records + result.objects + result.rollups);
        more = result.more;
      }
      assert.ok(swept.length >= 4);
      for (const count of swept) assert.ok(count < 1100);
      assert.ok(
        Object.values(rowCounts(stores)).every((count) => count === 0),
        JSON.stringify(rowCounts(stores)),
      );
    }),
  );
});
