import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, test } from "node:test";
import { z } from "zod";
import type { StreamDefinition } from "../../src/model/definition.ts";
import type { RawObject } from "../../src/model/raw-object.ts";
import { reprocessObject } from "../../src/pipeline/failures/reprocess-object.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import type { Contract } from "../../src/pipeline/process/contract.ts";
import { processRaw } from "../../src/pipeline/process/process-raw.ts";
import { rawMeta, stream, tenant } from "../contracts/outcome-samples.ts";
import { anyRecord } from "../contracts/record-table-trace.ts";
import { embeddedStores } from "../platforms/embedded/store-folder.ts";
import { projectOf } from "./project-of.ts";
import { streamOf } from "./stream-of.ts";

type Stores = Awaited<ReturnType<typeof embeddedStores>>;
interface Order {
  readonly id: string;
  readonly n: number;
  readonly at?: string;
}

const schema = z.object({ id: z.string(), n: z.number(), at: z.iso.datetime().optional() });
const project = projectOf();
const receivedAt = Date.now() - 60_000;

function contractOf(more: Partial<StreamDefinition> = {}): Contract {
  return compileContract(streamOf(schema, { name: stream, ...more }));
}

function objectOf(number: number, events: readonly unknown[]): RawObject {
  const idSeed = number.toString(16).padStart(14, "0");
  const meta = rawMeta({ tenant, stream, events: events.length, idSeed, receivedAt, format: "json" });
  const key = `raw/${stream}/2026/11/16/${String(number).padStart(16, "0")}`;
  return { key, meta, body: Buffer.from(JSON.stringify(events)) };
}

async function process({ records }: Stores, contract: Contract, objects: readonly RawObject[]): Promise<void> {
  for (const object of objects) {
    const context = { project, contract, records, random: () => 0 };
    await records.commit([await processRaw(object, { kind: "object" }, null, context)]);
  }
}

/** All that queries show of a stream. */
async function contents({ database, records, counters }: Stores, objects: readonly RawObject[]) {
  return {
    records: (await records.query({ ...anyRecord, limit: 1_000 })).rows,
    rollups: database.all("SELECT field, minute, count, min, max, sum FROM rollups ORDER BY field, minute"),
    identities: database.all(
      "SELECT hex(record_id) AS id, content FROM (SELECT * FROM identities UNION ALL SELECT * FROM identities_recent) ORDER BY id",
    ),
    counters: await counters(tenant, stream),
    objects: await Promise.all(
      objects.map(async ({ key }) => ({ ...(await records.objectResult(key)), committedAt: 0 })),
    ),
  };
}

/** A generator that can be run again from its seed (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Some transform: drops some events, makes several of others, and changes the rest. The same number, the same transform. */
function transformOf(version: number): (event: unknown) => unknown {
  return (event) => {
    const { id, n } = event as Order;
    const choice = (n * 7 + version * 3) % 5;
    if (choice === 0) return null;
    if (choice === 1) return [0, 1, 2].slice(0, 1 + ((n + version) % 3)).map((part) => ({ id, part, n: n * part }));
    return choice === 2 ? { id, text: `version ${version}` } : { id, n: n + version, [`v${version}`]: n / 4 };
  };
}

describe("processing again and replacing", () => {
  test("leaves what processing with the new transform from the start would have left, whatever was there before", async () => {
    const seed = Number(globalThis.process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`seed ${seed} (repeat with TEST_SEED=${seed})`);
    const below = seeded(seed);
    for (let round = 0; round < 12; round++) {
      const key = below(2) === 0 ? "id" : null;
      const time = below(2) === 0 ? "at" : null;
      let next = 0;
      const objects = Array.from({ length: 1 + below(4) }, (_, number) =>
        objectOf(
          number,
          Array.from({ length: 1 + below(12) }, () => {
            const n = next++;
            return { id: `order ${n}`, n, at: new Date(receivedAt + below(4) * 60_000).toISOString() };
          }),
        ),
      );
      const [changed, fresh] = [await embeddedStores(), await embeddedStores()];
      try {
        const version = (number: number) => contractOf({ key, time, transform: transformOf(number) });
        await process(changed, version(0), objects);
        for (const number of [1, 2, 3]) {
          const again = await Promise.all(objects.map((object) => reprocessObject(object, version(number))));
          const results = await changed.records.replace(again, false);
          for (const [index, result] of results.entries()) {
            const { same, added, changed: differing, removed } = result;
            assert.equal(same + added + differing + removed, objects[index]?.meta.events);
          }
        }
        await process(fresh, version(3), objects);
        assert.deepEqual(await contents(changed, objects), await contents(fresh, objects), `round ${round}`);
      } finally {
        await changed.close();
        await fresh.close();
      }
    }
  });

  test("keeps the balance whatever comes together: duplicates, invalid events, failures, a new key", async () => {
    const seed = Number(globalThis.process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`seed ${seed} (repeat with TEST_SEED=${seed})`);
    const below = seeded(seed);
    for (let round = 0; round < 12; round++) {
      const stores = await embeddedStores();
      try {
        const objects = Array.from({ length: 1 + below(5) }, (_, number) =>
          objectOf(
            number,
            Array.from({ length: 1 + below(12) }, () => {
              const n = below(30);
              return below(6) === 0 ? { id: `order ${n}`, n: "many" } : { id: `order ${n}`, n, extra: below(8) === 0 };
            }),
          ),
        );
        await process(stores, contractOf({ key: "id", transform: transformOf(0) }), objects);
        for (const number of [1, 2, 3]) {
          const key = below(4) === 0 ? null : "id";
          const contract = contractOf({ key, transform: transformOf(number) });
          const again = await Promise.all(objects.map((object) => reprocessObject(object, contract)));
          const tried = await stores.records.replace(again, true);
          const done = await stores.records.replace(again, false);
          assert.deepEqual(done, tried);
          await checkBalance(stores, objects);
          const after = await contents(stores, objects);
          const twice = await stores.records.replace(again, false);
          assert.deepEqual(await contents(stores, objects), after);
          assert.ok(twice.every(({ changed, added, removed }) => changed + added + removed === 0));
        }
      } finally {
        await stores.close();
      }
    }
  });

  test("stores events that a mistake in a transform dropped, however often they were sent, step by step", async () => {
    const stores = await embeddedStores();
    try {
      const [a, b, c] = ["a", "b", "c"].map((id, n) => ({ id, n }));
      const objects = [objectOf(0, [a, a]), objectOf(1, [a, b]), objectOf(2, [b, c, c])];
      await process(stores, contractOf({ key: "id", transform: () => null }), objects);
      const added: number[] = [];
      for (const object of objects) {
        const [result] = await stores.records.replace(
          [await reprocessObject(object, contractOf({ key: "id" }))],
          false,
        );
        assert.equal(result?.unmatched, 0);
        added.push(result.added);
      }
      assert.deepEqual(added, [1, 1, 1]);
      assert.equal((await stores.records.query(anyRecord)).rows.length, 3);
      await checkBalance(stores, objects);
    } finally {
      await stores.close();
    }
  });

  test("counts an event that throws or does not fit any more as failing, with its first reason", async () => {
    const stores = await embeddedStores();
    try {
      const objects = [
        objectOf(0, [
          { id: "a", n: 1 },
          { id: "b", n: 2 },
          { id: "c", n: 3 },
        ]),
      ];
      await process(stores, contractOf({ key: "id" }), objects);
      const transform = (event: unknown) => {
        if ((event as Order).id === "b") throw new Error("no b");
        return event;
      };
      const strict = z.object({ id: z.string(), n: z.number().max(2) });
      const contract = compileContract(streamOf(strict, { name: stream, key: "id", transform }));
      const [object] = objects;
      assert.ok(object);
      const [result] = await stores.records.replace([await reprocessObject(object, contract)], false);
      assert.deepEqual([result?.same, result?.failing], [1, 2]);
      assert.deepEqual(
        result?.reasons.map(({ code, pointer }) => [code, pointer]),
        [
          ["TRANSFORM_THREW", ""],
          ["CONTRACT_BROKEN", "/n"],
        ],
      );
      assert.equal((await stores.records.query(anyRecord)).rows.length, 3);
    } finally {
      await stores.close();
    }
  });
});

async function checkBalance({ database, counters }: Stores, objects: readonly RawObject[]): Promise<void> {
  const counts = await counters(tenant, stream);
  const { received, ...rest } = counts;
  const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);
  assert.equal(received, sum(objects.map(({ meta }) => meta.events)));
  assert.equal(received, sum(Object.values(rest)));
  const count = (sql: string) => database.get<{ n: number }>(sql)?.n ?? 0;
  assert.equal(count("SELECT count(*) AS n FROM (SELECT DISTINCT object, raw_index FROM records)"), counts.stored);
  assert.equal(count("SELECT sum(count) AS n FROM rollups WHERE field = ''"), counts.stored);
  assert.equal(count("SELECT count(*) AS n FROM failures WHERE state = 'quarantined'"), counts.quarantined);
  for (const name of ["stored", "dropped", "duplicates", "quarantined"] as const) {
    assert.equal(count(`SELECT sum(${name}) AS n FROM objects`), counts[name], name);
  }
}
