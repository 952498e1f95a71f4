import assert from "node:assert/strict";
import { test } from "node:test";
import { anomalyItem } from "../../../src/platforms/aws/anomaly-items.ts";
import { dynamoAnomalyLog } from "../../../src/platforms/aws/anomaly-log.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { dynamoRecordTable } from "../../../src/platforms/aws/record-table.ts";
import type { Table } from "../../../src/platforms/aws/table.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import {
  anomalyDraft,
  dayMillis,
  newRawKey,
  noon,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { anyAnomaly } from "../../contracts/record-table-trace.ts";
import { type TestTable, testTable } from "./aws-services.ts";
import { faultyTable } from "./faulty-table.ts";

async function withTable(body: (table: TestTable) => Promise<void>): Promise<void> {
  const table = await testTable(() => noon + 60_000);
  try {
    await body(table);
  } finally {
    await table.remove();
  }
}

function storeOver(table: Table) {
  return dynamoRecordTable(table, { outbox: new Outbox(table, { send: async () => {} }) });
}

/** More than are written in one transaction with their state. */
const count = 30;
const state = { rule: "spend", key: "DE", stateJson: "{}" };

test("anomalies of a try that failed become part of the incident that the try that counts has found", () =>
  withTable(async (services) => {
    const rawKey = newRawKey();
    const records = Array.from({ length: count }, (_, index) => recordDraft({ index, eventId: `event ${index}` }));
    const found = (incident: string, version: number) =>
      outcome({
        rawKey,
        records,
        states: [{ ...state, version }],
        anomalies: records.map(({ index }) => anomalyDraft({ id: `anom_${index}`, index, incident })),
      });
    const crashing = faultyTable(services, (command) => (command === "TransactWriteCommand" ? "before" : null));
    await assert.rejects(storeOver(crashing).commit([found("inc_never", 0)]), /injected/);
    const store = storeOver(services.table);
    await store.commit([outcome({ states: [{ ...state, version: 0 }] })]);
    await store.commit([found("inc_opened", 1)]);
    const { rows } = await dynamoAnomalyLog(services.table).query(anyAnomaly);
    assert.equal(rows.length, count);
    assert.deepEqual([...new Set(rows.map(({ incident }) => incident))], ["inc_opened"]);
  }));

test("a slow try with an older state, and one after somebody has changed it, leave an anomaly as it is", () =>
  withTable(async ({ table }) => {
    const item = (incident: string, s: number) => {
      const draft = anomalyDraft({ incident });
      return { ...anomalyItem(tenant, stream, draft, "evt_1", noon + dayMillis), s };
    };
    const log = dynamoAnomalyLog(table);
    const { id } = anomalyDraft();
    const stored = async () => (await log.get(tenant, id))?.incident;
    for (const [incident, version, expected] of [
      ["inc_b", 2, "inc_b"],
      ["inc_a", 1, "inc_b"],
      ["inc_c", 3, "inc_c"],
    ] as const) {
      await table.putAllFound([item(incident, version)]);
      assert.equal(await stored(), expected);
    }
    await log.annotate(tenant, id, 1, { state: "acknowledged", note: null }, auditDraft());
    await table.putAllFound([item("inc_d", 4)]);
    assert.deepEqual([await stored(), (await log.get(tenant, id))?.state], ["inc_c", "acknowledged"]);
    assert.equal(only((await log.query(anyAnomaly)).rows).id, id);
  }));
