import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AnomalyAnnotation, AnomalyQuery } from "../../src/ports/anomaly-log.ts";
import { anomalyFeedback } from "./anomaly-log-feedback.ts";
import { anomalyIncidents } from "./anomaly-log-incidents.ts";
import { auditDraft } from "./audit-log.ts";
import { anomalyDraft, noon, outcome, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { anyAnomaly as any } from "./record-table-trace.ts";
import { allRows, type StoreHarness, withStore } from "./store-harness.ts";

/** One test for each sentence of `src/ports/anomaly-log.ts`. */
export function anomalyLogContract(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  /** Twelve anomalies of two rules on two streams, two at each time. */
  async function commitTwelve({ records, settle }: StoreHarness) {
    const samples = Array.from({ length: 12 }, (_, number) => ({
      stream: number % 3 === 0 ? "refunds" : stream,
      time: noon + Math.floor(number / 2) * 1000,
      draft: anomalyDraft({
        id: `anom_${String(number).padStart(2, "0")}`,
        rule: number % 2 === 0 ? "spend" : "weight",
        incident: number < 8 ? "inc_first" : "inc_second",
        severity: number === 7 || number === 11 ? "critical" : "warning",
      }),
    }));
    for (const { stream: of, time, draft } of samples) {
      await records.commit([
        outcome({
          meta: { stream: of },
          records: [recordDraft({ time, stream: of })],
          anomalies: [{ ...draft, time }],
        }),
      ]);
    }
    await settle();
    return samples.map(({ draft, time, stream: of }) => ({ id: draft.id, rule: draft.rule, time, stream: of }));
  }

  describe("anomaly-log", () => {
    test(
      "answers descending by (time, id), page by page",
      store(async (harness) => {
        const ids = (await commitTwelve(harness)).map(({ id }) => id).reverse();
        for (const limit of [1, 5, 12, 100]) {
          const found = await allRows((request) => harness.anomalies.query({ ...any, ...request }), limit);
          assert.deepEqual(
            found.map(({ id }) => id),
            ids,
          );
        }
      }),
    );

    test(
      "narrows by stream, rule, state, incident, severity and time, `from` inclusive and `to` exclusive",
      store(async (harness) => {
        const { anomalies } = harness;
        const all = await commitTwelve(harness);
        await anomalies.annotate(tenant, "anom_04", 1, { state: "acknowledged", note: null }, auditDraft());
        await harness.settle();
        const expectIds = async (change: Partial<AnomalyQuery>, expected: readonly { readonly id: string }[]) => {
          const found = await allRows((request) => anomalies.query({ ...any, ...change, ...request }), 2);
          assert.deepEqual(found.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort());
        };
        await expectIds(
          { stream: "refunds" },
          all.filter((one) => one.stream === "refunds"),
        );
        await expectIds({ stream: "unknown" }, []);
        await expectIds(
          { rule: "weight" },
          all.filter(({ rule }) => rule === "weight"),
        );
        await expectIds({ state: "acknowledged" }, [{ id: "anom_04" }]);
        await expectIds({ state: "false-positive" }, []);
        await expectIds({ incident: "inc_second" }, all.slice(8));
        await expectIds({ incident: "inc_none" }, []);
        await expectIds({ severity: "critical" }, [{ id: "anom_07" }, { id: "anom_11" }]);
        await expectIds({ incident: "inc_first", severity: "critical" }, [{ id: "anom_07" }]);
        await expectIds({ from: noon + 1000, to: noon + 3000 }, all.slice(2, 6));
        await expectIds({ stream, rule: "spend", state: "open", to: noon + 2000 }, [{ id: "anom_02" }]);
        await expectIds({ tenant: "rival" }, []);
      }),
    );

    test(
      "throws CURSOR_INVALID for a cursor that is none",
      store(async ({ anomalies }) => {
        for (const cursor of ["", "x", "WyJhbm9tYWxpZXMiXQ"]) {
          await assert.rejects(anomalies.query({ ...any, cursor }), { code: "CURSOR_INVALID" });
        }
      }),
    );

    test(
      "gets one anomaly as it was committed, null when there is none",
      store(async ({ records, anomalies, settle }) => {
        const record = recordDraft();
        const { verdict, index: _, ...draft } = anomalyDraft();
        await records.commit([outcome({ records: [record], anomalies: [anomalyDraft()] })]);
        await settle();
        const { anomalous: __, ...band } = verdict;
        const recordId = `evt_${Buffer.from(record.id).toString("hex")}`;
        assert.deepEqual(await anomalies.get(tenant, draft.id), {
          ...draft,
          ...band,
          stream,
          recordId,
          state: "open",
          note: null,
          version: 1,
        });
        assert.equal(await anomalies.get(tenant, "anom_none"), null);
        assert.equal(await anomalies.get("rival", draft.id), null);
      }),
    );

    test(
      "changes state and note when the version is the stored one, else throws ETAG_STALE; null when there is none",
      store(async ({ records, anomalies, settle }) => {
        const { id } = anomalyDraft();
        await records.commit([outcome({ records: [recordDraft()], anomalies: [anomalyDraft()] })]);
        await settle();
        const annotate = (of: string, anomaly: string, version: number, change: AnomalyAnnotation) =>
          anomalies.annotate(of, anomaly, version, change, auditDraft());
        const first = await annotate(tenant, id, 1, { state: "false-positive", note: "a sale" });
        assert.deepEqual([first?.state, first?.note, first?.version], ["false-positive", "a sale", 2]);
        const stale = annotate(tenant, id, 1, { state: "open", note: null });
        await assert.rejects(stale, { code: "ETAG_STALE" });
        await settle();
        assert.deepEqual(await anomalies.get(tenant, id), first);
        assert.equal(await annotate(tenant, "anom_none", 1, { state: "open", note: null }), null);
        assert.equal(await annotate("rival", id, 2, { state: "open", note: null }), null);
      }),
    );

    anomalyIncidents(create);
    anomalyFeedback(create);
  });
}
