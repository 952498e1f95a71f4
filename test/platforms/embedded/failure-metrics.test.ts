import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AuditDraft } from "../../../src/model/audit.ts";
import { failureMetrics } from "../../../src/platforms/embedded/failure-metrics.ts";
import { prometheusText } from "../../../src/platforms/embedded/metrics.ts";
import { sweep } from "../../../src/platforms/embedded/retention.ts";
import { dayMillis, failureDraft, newRawKey, outcome, recordDraft } from "../../contracts/outcome-samples.ts";
import { embeddedStores } from "./store-folder.ts";

const audit: AuditDraft = {
  tenant: "acme",
  actor: "ann",
  action: "failure.discard",
  target: "fail_x",
  reason: "test",
  hashBefore: null,
  hashAfter: null,
  details: {},
};

type Stores = Awaited<ReturnType<typeof embeddedStores>>;

const withStores = (body: (stores: Stores) => Promise<void>) => async () => {
  const stores = await embeddedStores();
  try {
    await body(stores);
  } finally {
    await stores.close();
  }
};

/** Commits one failure of each of these classes, and answers with their ids. */
async function fail(stores: Stores, ...classes: readonly ("invalid" | "bug")[]): Promise<string[]> {
  const rawKey = newRawKey();
  const failures = classes.map((kind, index) =>
    failureDraft(rawKey, {
      ...{ index, class: kind, state: kind === "bug" ? "dead" : "quarantined" },
      fingerprint: kind === "bug" ? "00112233445566bb" : "00112233445566aa",
    }),
  );
  const kept = stores.now() + 7 * dayMillis;
  await stores.records.commit([outcome({ rawKey, failures, expiresAt: { records: kept, failures: kept, raw: kept } })]);
  return failures.map(({ id }) => id);
}

describe("metrics of the failure log", () => {
  test(
    "count what waits by state, what was written and what is drained, and age with the oldest that waits",
    withStores(async (stores) => {
      const { database, now, wait, failures } = stores;
      const metrics = () => failureMetrics(database, now);
      assert.deepEqual(metrics(), []);
      await stores.records.commit([
        outcome({ meta: { stream: "quiet" }, records: [recordDraft({ stream: "quiet" })] }),
      ]);
      const none = { quarantined: 0, dead: 0, oldestSeconds: 0, written: 0, drained: 0 };
      assert.deepEqual(metrics(), [{ stream: "quiet", ...none }]);

      const [oldest = ""] = await fail(stores, "invalid", "bug", "bug");
      await wait(90_500);
      const [younger = ""] = await fail(stores, "invalid");
      const at = (stream: string) => metrics().find((row) => row.stream === stream);
      assert.deepEqual(at("orders"), {
        ...{ stream: "orders", quarantined: 2, dead: 2, oldestSeconds: 90.5, written: 4, drained: 0 },
      });

      assert.deepEqual(await failures.discardAll("acme", [oldest], "not needed"), ["discarded"]);
      assert.deepEqual(at("orders")?.oldestSeconds, 90.5, "the dead ones are as old");
      await failures.discard("acme", younger, null, "not needed", audit);
      assert.deepEqual(at("orders"), {
        ...{ stream: "orders", quarantined: 0, dead: 2, oldestSeconds: 90.5, written: 4, drained: 2 },
      });
    }),
  );

  test(
    "keep their counters when retention removes failures and issues",
    withStores(async (stores) => {
      const [first = ""] = await fail(stores, "invalid", "bug");
      await stores.failures.discardAll("acme", [first], "not needed");
      await stores.wait(30 * dayMillis);
      while (sweep(stores.database, stores.now(), { rowsMax: 1_000 }).more);
      assert.equal(stores.database.all("SELECT * FROM issues").length, 0);
      assert.deepEqual(failureMetrics(stores.database, stores.now), [
        { stream: "orders", quarantined: 0, dead: 0, oldestSeconds: 0, written: 2, drained: 1 },
      ]);
    }),
  );

  test(
    "count a recovered failure as drained, and one that fails for another reason as still one",
    withStores(async (stores) => {
      const { records, failures } = stores;
      const [a = "", b = ""] = await fail(stores, "invalid", "invalid");
      const replayed = async (failureId: string, parts: Parameters<typeof outcome>[0]) => {
        await failures.retry("acme", failureId, null, { ...audit, action: "failure.retry" });
        const failure = await failures.get("acme", failureId);
        const subject = { kind: "failure", failureId, attempt: 2, jobId: null } as const;
        await records.commit([outcome({ rawKey: failure?.rawKey ?? "", subject, ...parts })]);
      };
      await replayed(a, { records: [recordDraft()] });
      const rawKey = newRawKey();
      await replayed(b, {
        failures: [failureDraft(rawKey, { id: b, class: "bug", state: "dead", fingerprint: "cc" })],
      });
      const [row] = failureMetrics(stores.database, stores.now);
      assert.deepEqual([row?.quarantined, row?.dead, row?.written, row?.drained], [0, 1, 2, 1]);
    }),
  );

  test(
    "cost no scan of the failures",
    withStores(async ({ database }) => {
      const plan = database.all<{ detail: string }>(
        `EXPLAIN QUERY PLAN SELECT min(first_seen_at) FROM failures
           WHERE stream = 1 AND state IN ('quarantined', 'dead')`,
      );
      assert.deepEqual(
        plan.map(({ detail }) => detail),
        ["SEARCH failures USING INDEX failures_waiting (stream=?)"],
      );
    }),
  );

  test("are Prometheus text, each with its help and type", () => {
    const failures = [{ stream: "orders", quarantined: 3, dead: 1, oldestSeconds: 90.5, written: 9, drained: 5 }];
    const rest = { version: "1", inFlightBytes: 0, accepting: true, uptimeSeconds: 1, residentBytes: 1 };
    const lines = prometheusText({ ...rest, balance: new Map(), failures }).split("\n");
    assert.deepEqual(
      lines.filter((line) => line.startsWith("eventpulse_failures")),
      [
        'eventpulse_failures_waiting{stream="orders",state="quarantined"} 3',
        'eventpulse_failures_waiting{stream="orders",state="dead"} 1',
        'eventpulse_failures_oldest_age_seconds{stream="orders"} 90.5',
        'eventpulse_failures_written_total{stream="orders"} 9',
        'eventpulse_failures_drained_total{stream="orders"} 5',
      ],
    );
    assert.deepEqual(
      lines.filter((line) => line.startsWith("# TYPE eventpulse_failures")),
      [
        "# TYPE eventpulse_failures_waiting gauge",
        "# TYPE eventpulse_failures_oldest_age_seconds gauge",
        "# TYPE eventpulse_failures_written_total counter",
        "# TYPE eventpulse_failures_drained_total counter",
      ],
    );
  });
});
