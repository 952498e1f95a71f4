import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { AlertDefinition, Project, StreamDefinition } from "../../src/model/definition.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { processRaw } from "../../src/pipeline/process/process-raw.ts";
import { dayMillis, newRawKey, noon, rawMeta, stream, tenant } from "./outcome-samples.ts";
import { anyAnomaly } from "./record-table-trace.ts";
import { allRows, type StoreHarness, withStore } from "./store-harness.ts";

const minute = 60_000;
const kept = 7 * dayMillis;

const orders: StreamDefinition = {
  kind: "stream",
  name: stream,
  schema: z.object({ id: z.string(), total: z.number(), country: z.string(), at: z.number() }),
  version: null,
  key: "id",
  time: "at",
  retention: { raw: kept, records: kept, failures: kept },
  pii: [],
  transform: null,
  owner: [],
};
const contract = compileContract(orders);

export const opsAlert: AlertDefinition = {
  kind: "alert",
  name: "alerts[0]",
  anomaly: "spend",
  to: [{ kind: "email", address: "ops@example.com" }],
  cooldownMillis: 30 * minute,
  recovery: true,
  severity: "warning",
};

/** Totals above 10 are unusual: 11 scores 0.55, 1,000 more than 0.9. */
export function incidentProject(alerts: readonly AlertDefinition[] = [opsAlert]): Project {
  const rule = { kind: "anomaly", name: "spend", stream, fields: ["total"], per: "country" } as const;
  return {
    name: "shop",
    streams: new Map([[stream, orders]]),
    anomalies: [{ ...rule, detect: { kind: "range", low: null, high: 10 } }],
    alerts,
    sources: [],
    recipes: new Map(),
  };
}

/** A point: so many minutes after noon, with this total. */
export type Point = readonly [minutes: number, total: number];

/** The same key and points make the same object, as when it is delivered again. */
export function objectOf(points: readonly Point[], { country = "DE", rawKey = newRawKey() } = {}) {
  const events = points.map(([minutes, total], index) => ({
    id: `${rawKey} ${index}`,
    total,
    country,
    at: noon + Math.round(minutes * minute),
  }));
  const meta = rawMeta({ events: events.length, receivedAt: noon + 30 * dayMillis });
  return { key: rawKey, meta, body: Buffer.from(JSON.stringify(events)) };
}

/** The outcome of an object with the states of now. */
export function computed(
  records: Pick<StoreHarness["records"], "loadStates">,
  raw: ReturnType<typeof objectOf>,
  project = incidentProject(),
): Promise<Outcome> {
  return processRaw(raw, { kind: "object" }, null, { project, contract, records, random: () => 0 });
}

/** Incidents from the first point to the last notice; part of the anomaly-log suite. */
export function anomalyIncidents(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  const process = async ({ records, wait }: StoreHarness, points: readonly Point[], country = "DE") => {
    await records.commit([await computed(records, objectOf(points, { country }))]);
    await wait(10);
  };

  /** Topic and subject of all notices, the first one first. */
  const told = async ({ notifications, settle }: StoreHarness) => {
    await settle();
    const { rows } = await notifications.query({ tenant, limit: 100, cursor: null });
    return rows.toReversed().map(({ topic, subject }) => `${topic}: ${subject}`);
  };

  const incidentsOf = async ({ anomalies, settle }: StoreHarness) => {
    await settle();
    const found = await allRows((page) => anomalies.query({ ...anyAnomaly, ...page }), 1000);
    return found.map(({ incident, severity }) => ({ incident, severity }));
  };

  const points = (count: number, from = 0): Point[] => Array.from({ length: count }, (_, at) => [from + at / 100, 11]);

  test(
    "tells once that an incident opened and once that it is over, however many points and objects it has",
    store(async (harness) => {
      for (let object = 0; object < 5; object++) await process(harness, points(60, object));
      assert.deepEqual(await told(harness), [`anomaly: orders: total of DE is 11, expected up to 10`]);
      const found = await incidentsOf(harness);
      assert.equal(found.length, 300);
      assert.equal(new Set(found.map(({ incident }) => incident)).size, 1, "each anomaly has its incident");
      await process(harness, [
        [8, 1],
        [9, 1],
        [10, 1],
        [11, 1],
      ]);
      assert.deepEqual((await told(harness)).slice(1), [
        "recovery: orders: total of DE is ordinary again (300 values in 5 min)",
      ]);
    }),
  );

  test(
    "tells once that an incident became critical, and shows from which anomaly on",
    store(async (harness) => {
      await process(harness, [[0, 11]]);
      await process(harness, [
        [1, 1_000],
        [2, 2_000],
      ]);
      await process(harness, [[3, 3_000]]);
      assert.deepEqual(await told(harness), [
        "anomaly: orders: total of DE is 11, expected up to 10",
        "escalation: CRITICAL orders: total of DE is still unusual (3 values in 2 min)",
      ]);
      const severities = (await incidentsOf(harness)).map(({ severity }) => severity);
      assert.deepEqual(severities, ["critical", "critical", "critical", "warning"]);
    }),
  );

  test(
    "tells nobody again when an object is delivered again, before the commit or after it",
    store(async (harness) => {
      const { records } = harness;
      const raw = objectOf([[0, 11]]);
      const twice = await computed(records, raw);
      assert.deepEqual(await computed(records, raw), twice, "the same notices with the same ids");
      await records.commit([twice]);
      await records.commit([await computed(records, raw)]);
      await harness.wait(10);
      const last = objectOf([[60, 1]]);
      await records.commit([await computed(records, last)]);
      await records.commit([await computed(records, last)]);
      assert.deepEqual(
        (await told(harness)).map((text) => text.split(":")[0]),
        ["anomaly", "recovery"],
      );
    }),
  );

  test(
    "opens one incident when two objects find it at the same moment, and both are part of it",
    store(async (harness) => {
      const { records } = harness;
      const [first, second] = [objectOf(points(30)), objectOf(points(40, 0.1))];
      const atOnce = [await computed(records, first), await computed(records, second)];
      await records.commit(atOnce.slice(0, 1));
      await assert.rejects(records.commit(atOnce.slice(1)), { code: "STATE_STALE" });
      await records.commit([await computed(records, second)]);
      assert.equal((await told(harness)).length, 1);
      const found = await incidentsOf(harness);
      assert.equal(found.length, 70);
      assert.equal(new Set(found.map(({ incident }) => incident)).size, 1);
    }),
  );

  test(
    "holds incidents within the cooldown back, tells of none of them that it is over, and counts them",
    store(async (harness) => {
      const { notifications, wait } = harness;
      for (let hour = 0; hour < 3; hour++)
        await process(harness, [
          [hour * 120, 11],
          [hour * 120 + 60, 1],
        ]);
      assert.deepEqual(
        (await told(harness)).map((text) => text.split(":")[0]),
        ["anomaly", "recovery"],
      );
      await wait(30 * minute);
      await process(harness, [[600, 11]]);
      await harness.settle();
      const { rows } = await notifications.query({ tenant, limit: 1, cursor: null });
      assert.equal(rows[0]?.suppressed, 2);
    }),
  );

  test(
    "tells in order of an incident that is over in the object that opened it",
    store(async (harness) => {
      await process(harness, [
        [0, 11],
        [60, 1],
      ]);
      assert.deepEqual(await told(harness), [
        "anomaly: orders: total of DE is 11, expected up to 10",
        "recovery: orders: total of DE is ordinary again (one value)",
      ]);
    }),
  );

  test(
    "tells of each key by itself",
    store(async (harness) => {
      for (const country of ["DE", "FR"]) await process(harness, [[0, 11]], country);
      assert.deepEqual(await told(harness), [
        "anomaly: orders: total of DE is 11, expected up to 10",
        "anomaly: orders: total of FR is 11, expected up to 10",
      ]);
    }),
  );
}
