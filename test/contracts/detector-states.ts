import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DetectorState } from "../../src/model/anomaly.ts";
import type { DueState, SilenceOutcome } from "../../src/ports/detector-states.ts";
import { anomalyDraft, dayMillis, noon, notificationDraft, outcome, stream, tenant } from "./outcome-samples.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

const silent: DetectorState = { rule: "volume", key: "DE", version: 1, stateJson: '{"silent":true}' };

/** What came of a silence of `state`. */
function silenceOutcome(change: Partial<SilenceOutcome> = {}): SilenceOutcome {
  return {
    ...{ tenant, stream, state: silent, expiresAt: noon + dayMillis },
    anomalies: [anomalyDraft({ rule: "volume", field: "", value: 0, index: null })],
    notifications: [notificationDraft({ group: "volume" })],
    ...change,
  };
}

/** One test for each sentence of `src/ports/detector-states.ts`. */
export function detectorStatesContract(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  async function keep({ records, settle }: StoreHarness, states: readonly DetectorState[], of = tenant) {
    await records.commit([outcome({ meta: { tenant: of }, records: [], states })]);
    await settle();
  }
  async function due({ states }: StoreHarness, now: number): Promise<readonly string[]> {
    const found: DueState[] = [];
    for await (const one of states.due(now)) found.push(one);
    return found.map(({ tenant: of, state: { rule, key, version } }) => `${of} ${rule} ${key} ${version}`).sort();
  }
  const waiting = { rule: "volume", key: "DE", version: 0, stateJson: '{"n":1}', dueAt: noon };

  describe("detector-states", () => {
    test(
      "gives the states that are due, of every tenant, and no others",
      store(async (harness) => {
        await keep(harness, [waiting, { ...waiting, key: "FR#1 %", dueAt: noon + 1 }, { ...waiting, rule: "never" }]);
        const { dueAt: _dueAt, ...never } = { ...waiting, rule: "never", version: 1 };
        await keep(harness, [never]);
        await keep(harness, [{ ...waiting, key: "" }], "other");
        assert.deepEqual(await due(harness, noon - 1), []);
        assert.deepEqual(await due(harness, noon), [`${tenant} volume DE 1`, "other volume  1"].sort());
        assert.deepEqual(
          await due(harness, noon + 1),
          [`${tenant} volume DE 1`, `${tenant} volume FR#1 % 1`, "other volume  1"].sort(),
        );
      }),
    );

    test(
      "gives each with its state and its false positives",
      store(async (harness) => {
        await keep(harness, [waiting]);
        const { rule, key, stateJson } = waiting;
        const found: DueState[] = [];
        for await (const one of harness.states.due(noon)) found.push(one);
        assert.deepEqual(found, [{ tenant, state: { rule, key, version: 1, stateJson, falsePositives: 0 } }]);
      }),
    );

    test(
      "gives all, however many there are",
      store(async (harness) => {
        const many = Array.from({ length: 60 }, (_, index) => ({ ...waiting, key: `${index}` }));
        await keep(harness, many.slice(0, 30));
        await keep(harness, many.slice(30));
        assert.equal((await due(harness, noon)).length, 60);
      }),
    );

    test(
      "commits state, anomalies and notifications at once; the anomaly has no record",
      store(async (harness) => {
        const { records, states, anomalies, notifications, settle } = harness;
        await keep(harness, [waiting]);
        assert.equal(await states.commit(silenceOutcome()), "committed");
        await settle();
        assert.deepEqual(await due(harness, noon + dayMillis), []);
        const [stored] = await records.loadStates(tenant, [{ rule: "volume", key: "DE" }]);
        assert.deepEqual([stored?.version, stored?.stateJson], [2, silent.stateJson]);
        const found = await anomalies.get(tenant, anomalyDraft().id);
        assert.deepEqual([found?.rule, found?.recordId, found?.field, found?.value], ["volume", null, "", 0]);
        const told = await notifications.query({ tenant, limit: 10, cursor: null });
        assert.deepEqual(
          told.rows.map(({ id }) => id),
          [notificationDraft().id],
        );
      }),
    );

    test(
      "is stale, and writes nothing, when something came meanwhile",
      store(async (harness) => {
        const { states, anomalies, notifications, settle } = harness;
        await keep(harness, [waiting]);
        await keep(harness, [{ ...waiting, version: 1, dueAt: noon + 1000 }]);
        assert.equal(await states.commit(silenceOutcome()), "stale");
        assert.equal(await states.commit(silenceOutcome({ state: { ...silent, key: "never seen" } })), "stale");
        await settle();
        assert.equal(await anomalies.get(tenant, anomalyDraft().id), null);
        assert.deepEqual((await notifications.query({ tenant, limit: 10, cursor: null })).rows, []);
        assert.deepEqual(await due(harness, noon + 1000), [`${tenant} volume DE 2`]);
      }),
    );

    test(
      "keeps an anomaly that is there",
      store(async (harness) => {
        const { states, anomalies } = harness;
        await keep(harness, [waiting]);
        await states.commit(silenceOutcome());
        const later = silenceOutcome({
          state: { ...silent, version: 2 },
          anomalies: [anomalyDraft({ rule: "volume", field: "", value: 7, index: null })],
        });
        assert.equal(await states.commit(later), "committed");
        assert.equal((await anomalies.get(tenant, anomalyDraft().id))?.value, 0);
      }),
    );
  });
}
