import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "../../../src/model/outcome.ts";
import { readCounters } from "../../../src/platforms/aws/counters.ts";
import { dynamoFailureLog } from "../../../src/platforms/aws/failure-log.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { dynamoRecordTable } from "../../../src/platforms/aws/record-table.ts";
import type { Table } from "../../../src/platforms/aws/table.ts";
import {
  failureDraft,
  newRawKey,
  noon,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { anyRecord, totals } from "../../contracts/record-table-trace.ts";
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

const state = { rule: "spend", key: "DE", version: 0, stateJson: '"one"' };

test("has one effect when the answer to its transaction is lost and the SDK sends it again", () =>
  withTable(async ({ table, client }) => {
    let lost = 0;
    client.middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const answer = await next(args);
          if (/^TransactWrite/.test(commandName) && lost++ === 0) {
            throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
          }
          return answer;
        },
      { step: "finalizeRequest", priority: "low", name: "loseAnswer" },
    );
    const one = outcome({ records: [recordDraft()], states: [state] });
    assert.equal(only(await storeOver(table).commit([one])).applied, true);
    assert.equal(lost, 2);
    assert.equal((await readCounters(table, tenant, [stream])).get(stream)?.stored, 1);
    assert.equal(only(await storeOver(table).loadStates(tenant, [state])).version, 1);
  }));

test("replays hundreds of failures of one issue in few transactions, each failure once", () =>
  withTable(async (services) => {
    const { table } = services;
    const rawKey = newRawKey();
    const count = 300;
    const drafts = Array.from({ length: count }, (_, index) => failureDraft(rawKey, { index }));
    await storeOver(table).commit([outcome({ rawKey, failures: drafts })]);
    const replays: Outcome[] = drafts.map(({ id, index }) =>
      outcome({
        rawKey,
        subject: { kind: "failure", failureId: id, attempt: 2, jobId: "job_1" },
        records: [recordDraft({ index, eventId: `event ${index}`, numbers: [1] })],
        rollupFields: ["total"],
      }),
    );
    let transactions = 0;
    const counted = faultyTable(services, (command) => {
      if (command === "TransactWriteCommand") transactions++;
      return null;
    });
    const results = await storeOver(counted).commit([...replays, ...replays]);
    assert.equal(results.filter(({ applied, stored }) => applied && stored === 1).length, count);
    assert.equal(results.filter(({ applied }) => !applied).length, count);
    assert.ok(transactions <= 12, `${transactions} transactions`);
    const { stored, quarantined } = (await readCounters(table, tenant, [stream])).get(stream) ?? {};
    assert.deepEqual([stored, quarantined], [count, 0]);
    const outbox = new Outbox(table, { send: async () => {} });
    const load = (id: string) => dynamoFailureLog(table, { outbox }).get(tenant, id);
    for (const { id } of drafts.slice(0, 5)) assert.equal((await load(id))?.state, "recovered");
  }));

test("commits many objects of one stream at once, and counts each", () =>
  withTable(async ({ table }) => {
    const count = 40;
    const commits = Array.from({ length: count }, (_, number) =>
      storeOver(table).commit([outcome({ records: [recordDraft({ numbers: [number] })], rollupFields: ["total"] })]),
    );
    await Promise.all(commits);
    assert.equal((await readCounters(table, tenant, [stream])).get(stream)?.stored, count);
    const { points } = await storeOver(table).series(totals);
    assert.deepEqual(
      points.map((point) => [point.count, point.min, point.max]),
      [[count, 0, count - 1]],
    );
  }));

test("takes a record of an earlier try of the same commit for its own, and writes what it is now", () =>
  withTable(async (services) => {
    const rawKey = newRawKey();
    const crashing = faultyTable(services, (command) => (command === "TransactWriteCommand" ? "before" : null));
    const before = outcome({ rawKey, records: [recordDraft({ eventId: "A", data: 1 })] });
    await assert.rejects(storeOver(crashing).commit([before]), /injected/);
    const store = storeOver(services.table);
    const now = outcome({ rawKey, records: [recordDraft({ eventId: "A", data: 2, time: noon + 5 })] });
    assert.equal(only(await store.commit([now])).stored, 1);
    assert.deepEqual(
      (await store.query(anyRecord)).rows.map(({ dataJson, time }) => [dataJson, time]),
      [["2", noon + 5]],
    );
    const other = outcome({ records: [recordDraft({ eventId: "A", data: 1 })] });
    assert.equal(only(await store.commit([other])).quarantined, 1);
  }));

test("stores one of two objects' events with one identity, whoever comes first, and says so to both", () =>
  withTable(async ({ table }) => {
    const objects = Array.from({ length: 8 }, (_, number) =>
      outcome({
        records: [recordDraft({ eventId: "A", data: number % 2 }), recordDraft({ eventId: "A/1", data: number % 2 })],
      }),
    );
    const results = await Promise.all(objects.map((one) => storeOver(table).commit([one])));
    const sum = (name: "stored" | "duplicates" | "quarantined") =>
      results.flat().reduce((total, result) => total + result[name], 0);
    assert.equal(sum("stored"), 1);
    assert.equal(sum("duplicates") + sum("quarantined"), 7);
    // Those of the other content are conflicts, of which all but the first may be duplicates of that.
    assert.ok(sum("quarantined") >= 1 && sum("quarantined") <= 4);
    assert.equal((await storeOver(table).query(anyRecord)).rows.length, 2);
  }));
