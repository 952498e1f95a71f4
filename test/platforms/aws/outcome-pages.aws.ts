import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import type { Outcome, OutcomeResult } from "../../../src/model/outcome.ts";
import { dynamoAnomalyLog } from "../../../src/platforms/aws/anomaly-log.ts";
import { readCounters } from "../../../src/platforms/aws/counters.ts";
import { dynamoIssueLog } from "../../../src/platforms/aws/issue-log.ts";
import { dynamoNotificationLog } from "../../../src/platforms/aws/notification-log.ts";
import { Outbox } from "../../../src/platforms/aws/outbox.ts";
import { PendingObjects, readBalance } from "../../../src/platforms/aws/pending-objects.ts";
import { dynamoRecordTable } from "../../../src/platforms/aws/record-table.ts";
import type { Table } from "../../../src/platforms/aws/table.ts";
import type { RecordTable } from "../../../src/ports/record-table.ts";
import {
  anomalyDraft,
  failureDraft,
  newRawKey,
  noon,
  notificationDraft,
  only,
  outcome,
  rawMeta,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { anyAnomaly, listed, minute, totals } from "../../contracts/record-table-trace.ts";
import { type TestTable, testTable } from "./aws-services.ts";
import { type Fault, faultyTable } from "./faulty-table.ts";

const keys = Array.from({ length: 300 }, (_, index) => ({ rule: "spend", key: `customer ${index}` }));
const records = 150;
const causes = 7;
const opened = 30;
const events = records + causes + 3 + 1;

/** What processing makes of an object that touches 300 detectors and 150 minutes, with the states of now. */
async function bigOutcome(store: Pick<RecordTable, "loadStates">, rawKey: string): Promise<Outcome> {
  const states = await store.loadStates(tenant, keys);
  return outcome({
    rawKey,
    records: Array.from({ length: records }, (_, index) =>
      recordDraft({ eventId: `event ${index}`, index, time: noon + index * minute, numbers: [index] }),
    ),
    failures: Array.from({ length: causes }, (_, cause) =>
      failureDraft(rawKey, { index: records + cause, fingerprint: `00112233445566${10 + cause}` }),
    ),
    retries: [0, 1, 2].map((retry) => ({ index: records + causes + retry, attempts: 1, delayMillis: 0 })),
    dropped: 1,
    rollupFields: ["total"],
    states: states.map((state) => ({ ...state, stateJson: String(Number(JSON.parse(state.stateJson)) + 1) })),
    // One for each state, of those that have a record: an anomaly of a state that has seen this object before is wrong.
    anomalies: states
      .slice(0, records)
      .map(({ rule, key, stateJson }, index) =>
        anomalyDraft({ id: `anom_${stateJson === "null" ? "first" : "again"}_${index}`, rule, key, index }),
      ),
    notifications: [
      ...[0, 1, 2].map((number) => notificationDraft({ id: `ntf_${number}`, group: `group ${number}` })),
      // A state that has seen this object before knows of the incident, and would open none.
      ...states.slice(0, opened).flatMap(({ rule, key, stateJson }) => {
        const incident = { rule, key, more: 0, follows: [] };
        return stateJson === "null" ? notificationDraft({ id: `ntf_${key}`, group: `anomaly ${key}`, incident }) : [];
      }),
    ],
  });
}

interface Run {
  readonly outbox: Outbox;
  readonly sent: Set<string>;
  commit(table: Table): Promise<OutcomeResult>;
}

function newRun(table: Table): Run {
  const rawKey = newRawKey();
  const sent = new Set<string>();
  const outbox = new Outbox(table, {
    send: async (works) => {
      for (const { work } of works) sent.add(JSON.stringify(work));
    },
  });
  return {
    sent,
    outbox,
    commit: async (over) => {
      const store = dynamoRecordTable(over, { outbox });
      return only(await store.commit([await bigOutcome(store, rawKey)]));
    },
  };
}

async function withTable(body: (table: TestTable) => Promise<void>): Promise<void> {
  const table = await testTable(() => noon + minute);
  try {
    await body(table);
  } finally {
    await table.remove();
  }
}

/** That all of it is there, each once. */
async function checkAll(table: Table, { sent, outbox }: Run): Promise<void> {
  const store = dynamoRecordTable(table, { outbox });
  for (const { version, stateJson } of await store.loadStates(tenant, keys)) {
    assert.deepEqual([version, stateJson], [1, "1"]);
  }
  const points = (await store.series({ ...totals, to: noon + 200 * minute, points: 200 })).points;
  assert.deepEqual(
    points.map(({ count, min, max }) => [count, min, max]),
    Array.from({ length: records }, (_, index) => [1, index, index]),
  );
  const counted = { received: events, stored: records, dropped: 1, quarantined: causes, dead: 0, retrying: 3 };
  assert.deepEqual(Object.fromEntries(await readCounters(table, tenant, [stream])), {
    [stream]: { ...counted, duplicates: 0 },
  });
  const issues = await dynamoIssueLog(table).query({ ...listed, state: null, code: null });
  assert.deepEqual(
    issues.rows.map(({ total, waiting }) => [total, waiting]),
    Array.from({ length: causes }, () => [1, 1]),
  );
  const anomalies = (await dynamoAnomalyLog(table).query({ ...anyAnomaly, limit: 1000 })).rows;
  assert.equal(anomalies.length, records);
  assert.ok(anomalies.every(({ id }) => id.startsWith("anom_first_")));
  assert.equal(
    (await dynamoNotificationLog(table).query({ tenant, limit: 100, cursor: null })).rows.length,
    3 + opened,
  );
  await outbox.sweep();
  assert.equal(sent.size, 3);
}

test("commits an outcome of 300 states in pages, and goes on behind the first one after a crash", () =>
  withTable(async (services) => {
    const { table } = services;
    const run = newRun(table);
    let transactions = 0;
    const crashing = faultyTable(services, (command) =>
      command === "TransactWriteCommand" && ++transactions === 2 ? "before" : null,
    );
    await assert.rejects(run.commit(crashing), /injected/);
    const states = await dynamoRecordTable(table, { outbox: run.outbox }).loadStates(tenant, keys);
    const written = states.filter(({ version }) => version === 1).length;
    assert.ok(written > 0 && written < 100, `${written} of 300 states are written by one page`);
    assert.equal((await readCounters(table, tenant, [stream])).get(stream)?.received, 0, "counted with the last page");

    assert.equal((await run.commit(table)).applied, true);
    await checkAll(table, run);
    assert.equal((await run.commit(table)).applied, false);
    await checkAll(table, run);
  }));

test("has one effect when two deliveries commit the same pages at once", () =>
  withTable(async ({ table }) => {
    const run = newRun(table);
    const results = await Promise.allSettled([run.commit(table), run.commit(table)]);
    const applied = results.filter((result) => result.status === "fulfilled" && result.value.applied);
    const stale = results.filter((result) => result.status === "rejected" && result.reason.code === "STATE_STALE");
    assert.ok(applied.length <= 1 && applied.length + stale.length >= 1, JSON.stringify(results));
    if (applied.length === 0) assert.equal((await run.commit(table)).applied, true);
    await checkAll(table, run);
  }));

test("commits an outcome once, whichever calls fail before or after they took effect", async () => {
  const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
  console.log(`seed ${seed} (repeat with TEST_SEED=${seed})`);
  const rounds = Number(process.env["TEST_ROUNDS"] ?? 2);
  const random = seeded(seed);
  for (let round = 0; round < rounds; round++) {
    await withTable(async (services) => {
      const run = newRun(services.table);
      let share = 0.3;
      const fault = (): Fault => (random() < share ? (random() < 0.5 ? "before" : "after") : null);
      const failing = faultyTable(services, (command) => (command === "TransactWriteCommand" ? fault() : null));
      const shaky = faultyTable(services, () => (random() < share / 30 ? (random() < 0.5 ? "before" : "after") : null));
      let result: OutcomeResult | null = null;
      for (let tries = 0; result === null; tries++) {
        if (tries > 20) share = 0;
        result = await run.commit(random() < 0.5 ? failing : shaky).catch((error: Error) => {
          assert.match(error.message, /injected/);
          return null;
        });
      }
      await checkAll(services.table, run);
    });
  }
});

test("takes an object out of what is in flight with its commit, and counts it meanwhile", () =>
  withTable(async ({ table }) => {
    const run = newRun(table);
    const pending = new PendingObjects(table);
    const rawKey = newRawKey();
    const meta = rawMeta({ events: 2 });
    await pending.add(rawKey, meta);
    await pending.add(rawKey, meta);
    await pending.add(newRawKey(), rawMeta({ events: 5, tenant: "other" }));
    const waiting = (await readBalance(table, tenant, ["empty"])).get(stream);
    assert.deepEqual([waiting?.accepted, waiting?.inFlight], [2, 2]);
    for await (const early of pending.list(noon)) assert.fail(`${early.rawKey} was written later`);
    const found = new Set<string>();
    for await (const one of pending.list(noon + 2 * minute)) found.add(one.rawKey);
    assert.ok(found.size === 2 && found.has(rawKey));
    assert.equal((await pending.get(rawKey))?.events, 2);
    const store = dynamoRecordTable(table, { outbox: run.outbox });
    const retries = [{ index: 1, attempts: 1, delayMillis: 0 }];
    await store.commit([outcome({ rawKey, meta: { events: 2 }, records: [recordDraft()], retries })]);
    const balance = await readBalance(table, tenant, ["empty", stream]);
    assert.deepEqual([...balance.keys()].sort(), ["empty", stream]);
    const done = balance.get(stream);
    assert.deepEqual([done?.accepted, done?.stored, done?.inFlight], [2, 1, 1]);
    assert.equal((await pending.inFlight(tenant)).size, 0);
    assert.equal((await pending.inFlight("other")).get(stream)?.events, 5);
  }));

/** 0 to 1, the same row for a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
