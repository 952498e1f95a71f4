import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnomalyState } from "../../src/model/anomaly.ts";
import { anyEntry, auditDraft } from "./audit-log.ts";
import { anomalyDraft, noon, only, outcome, recordDraft, tenant } from "./outcome-samples.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

const germany = { rule: "spend", key: "DE" };

/** What people say of anomalies, and who learns of it; part of the anomaly-log suite. */
export function anomalyFeedback(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  /** Anomalies of one rule and key, `anom_0` and so on. */
  async function found(
    { records, settle }: StoreHarness,
    count: number,
    more: { key?: string; ofTenant?: string } = {},
  ) {
    const { key = "DE", ofTenant = tenant } = more;
    const drafts = Array.from({ length: count }, (_, index) => anomalyDraft({ id: `anom_${index}`, key, index }));
    const rows = drafts.map(({ index }) => recordDraft({ index: index ?? 0, time: noon, tenant: ofTenant }));
    await records.commit([outcome({ meta: { tenant: ofTenant }, records: rows, anomalies: drafts })]);
    await settle();
  }

  async function say({ anomalies, settle }: StoreHarness, id: string, state: AnomalyState, ofTenant = tenant) {
    const version = (await anomalies.get(ofTenant, id))?.version ?? 0;
    const audit = auditDraft({ tenant: ofTenant, action: "anomaly.change", target: id, details: { to: state } });
    await anomalies.annotate(ofTenant, id, version, { state, note: null }, audit);
    await settle();
  }

  const counted = async ({ records }: StoreHarness, of = germany, ofTenant = tenant) =>
    only(await records.loadStates(ofTenant, [of])).falsePositives;

  const auditOf = async ({ audit, settle }: StoreHarness, target: string) => {
    await settle();
    return (await audit.query({ ...anyEntry, target })).rows;
  };

  test(
    "counts each false positive of a rule and key once, and takes it back when it is called something else",
    store(async (harness) => {
      await found(harness, 2);
      assert.equal(await counted(harness), 0);
      for (const [id, state, expected] of [
        ["anom_0", "acknowledged", 0],
        ["anom_0", "false-positive", 1],
        ["anom_0", "false-positive", 1],
        ["anom_1", "false-positive", 2],
        ["anom_0", "acknowledged", 1],
        ["anom_0", "open", 1],
        ["anom_1", "open", 0],
      ] as const) {
        await say(harness, id, state);
        assert.equal(await counted(harness), expected, `${id} is ${state}`);
      }
    }),
  );

  test(
    "counts for the rule, key and tenant of the anomaly alone",
    store(async (harness) => {
      await found(harness, 1);
      await found(harness, 1, { ofTenant: "rival" });
      await say(harness, "anom_0", "false-positive");
      assert.equal(await counted(harness), 1);
      assert.equal(await counted(harness, { rule: "spend", key: "FR" }), 0);
      assert.equal(await counted(harness, { rule: "weight", key: "DE" }), 0);
      assert.equal(await counted(harness, germany, "rival"), 0);
    }),
  );

  test(
    "leaves the state of the detector and its version alone, and keeps the count when a state is committed",
    store(async (harness) => {
      const { records } = harness;
      await found(harness, 1);
      const state = { ...germany, stateJson: '{"seen":1}' };
      await records.commit([outcome({ states: [{ ...state, version: 0 }] })]);
      await say(harness, "anom_0", "false-positive");
      await records.commit([outcome({ states: [{ ...state, version: 1 }] })]);
      assert.deepEqual(await records.loadStates(tenant, [germany]), [{ ...state, version: 2, falsePositives: 1 }]);
    }),
  );

  test(
    "writes an audit entry with what the caller says and the count before and after, in the same commit",
    store(async (harness) => {
      const { anomalies } = harness;
      await found(harness, 2);
      await say(harness, "anom_1", "false-positive");
      await say(harness, "anom_0", "false-positive");
      await say(harness, "anom_0", "open");
      await assert.rejects(anomalies.annotate(tenant, "anom_0", 1, { state: "open", note: null }, auditDraft()), {
        code: "ETAG_STALE",
      });
      assert.deepEqual(
        (await auditOf(harness, "anom_0")).map(({ actor, reason, details }) => [actor, reason, details]),
        [
          ["ana", "the country was missing", { to: "false-positive", falsePositivesBefore: 1, falsePositivesAfter: 2 }],
          ["ana", "the country was missing", { to: "open", falsePositivesBefore: 2, falsePositivesAfter: 1 }],
        ],
      );
    }),
  );

  test(
    "counts one anomaly once when many call it a false positive at the same moment",
    store(async (harness) => {
      const { anomalies } = harness;
      await found(harness, 1);
      const change = { state: "false-positive", note: null } as const;
      const audit = () => auditDraft({ action: "anomaly.change", target: "anom_0" });
      const answers = await Promise.allSettled(
        Array.from({ length: 6 }, () => anomalies.annotate(tenant, "anom_0", 1, change, audit())),
      );
      assert.equal(answers.filter(({ status }) => status === "fulfilled").length, 1);
      assert.ok(answers.every((one) => one.status === "fulfilled" || one.reason.code === "ETAG_STALE"));
      assert.equal(await counted(harness), 1);
      assert.equal((await auditOf(harness, "anom_0")).length, 1);
    }),
  );

  test(
    "counts all of them when several anomalies of one key are called false positives at the same moment",
    store(async (harness) => {
      const { anomalies } = harness;
      await found(harness, 5);
      const change = { state: "false-positive", note: null } as const;
      await Promise.all(
        [0, 1, 2, 3, 4].map((index) => anomalies.annotate(tenant, `anom_${index}`, 1, change, auditDraft())),
      );
      assert.equal(await counted(harness), 5);
    }),
  );
}
