import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { RawMeta, RawObject } from "../../../src/model/raw-object.ts";
import { s3ObjectStore } from "../../../src/platforms/aws/object-store.ts";
import { type PendingItems, s3RawLog } from "../../../src/platforms/aws/raw-log.ts";
import { type RawLogHarness, rawLogContract } from "../../contracts/raw-log.ts";
import { objectEvents } from "./object-events.ts";
import { s3Client, testBucket } from "./test-bucket.ts";

rawLogContract(create);

test("an object that S3 refused is not pending, one that it took is", async () => {
  const { log, pending, breakStore, remove, close } = await created();
  try {
    const key = await log.append({ meta, body: Buffer.from("{}") });
    const mend = await breakStore();
    await assert.rejects(log.append({ meta, body: Buffer.from("{}") }), { code: "NOT_DURABLE" });
    await mend();
    assert.deepEqual([...pending.keys()], [key]);
  } finally {
    await close();
    await remove();
  }
});

test("keys of a stream sort by time and name their day", async () => {
  const { log, close, remove } = await created();
  try {
    const times = [Date.UTC(2026, 0, 2), Date.UTC(2026, 0, 2, 23, 59, 59, 999), Date.UTC(2026, 0, 3)];
    const keys: string[] = [];
    for (const receivedAt of times)
      keys.push(await log.append({ meta: { ...meta, receivedAt }, body: Buffer.from("{}") }));
    assert.deepEqual(keys.toSorted(), keys);
    assert.match(keys[0] ?? "", /^raw\/orders\/2026\/01\/02\/[0-9a-f]{12}-[0-9a-f]{16}$/);
    assert.match(keys[2] ?? "", /^raw\/orders\/2026\/01\/03\//);
  } finally {
    await close();
    await remove();
  }
});

test("more than 2 KB of headers come back, too", async () => {
  const { log, close, remove } = await created();
  try {
    const large = { ...meta, headers: { traceparent: randomBytes(4000).toString("base64"), "ce-subject": "é😀" } };
    const read = await log.read(await log.append({ meta: large, body: Buffer.from("{}") }));
    assert.deepEqual(read?.meta, large);
  } finally {
    await close();
    await remove();
  }
});

test("a file that a client put is no raw object until it is adopted, and then keeps its first meta", async () => {
  const { log, objects, close, remove } = await created();
  try {
    const key = "raw/orders/2026/01/02/upl_20260102_orders_00112233445566778899aabb";
    await objects.put(key, Buffer.from("{}"));
    assert.equal(await log.read(key), null);
    assert.deepEqual(await log.adopt(key, meta), meta);
    assert.deepEqual(await log.adopt(key, { ...meta, idSeed: "other" }), meta);
    assert.deepEqual(await log.read(key), { key, meta, body: Buffer.from("{}") });
  } finally {
    await close();
    await remove();
  }
});

const meta: RawMeta = {
  tenant: "default",
  stream: "orders",
  door: "http",
  format: "json",
  receivedAt: Date.UTC(2026, 0, 2),
  contentType: "application/json",
  headers: {},
  idSeed: "00112233445566",
  idSeedFromClient: false,
  events: 1,
  principal: "test",
};

async function create(): Promise<RawLogHarness> {
  return created();
}

async function created() {
  const { bucket, client, objects, remove: removeBucket } = await testBucket();
  const events = await objectEvents(client, bucket);
  const pending = new Map<string, RawMeta>();
  const items: PendingItems = {
    async add(key, meta) {
      pending.set(key, meta);
    },
    async remove(key) {
      pending.delete(key);
    },
  };
  const open = () => {
    const s3 = s3Client();
    return {
      s3,
      log: s3RawLog({
        objects: s3ObjectStore({ client: s3, bucket, clock: Date.now }),
        pending: items,
        random: () => randomBytes(8).toString("hex"),
      }),
    };
  };
  let opened = open();
  return {
    objects,
    pending,
    get log() {
      return opened.log;
    },
    async delivered() {
      const objects: RawObject[] = [];
      for (const body of await events.take()) {
        const { detail } = JSON.parse(body) as { detail: { object: { key: string } } };
        const object = await opened.log.read(detail.object.key);
        if (object !== null) objects.push(object);
      }
      return objects;
    },
    async crash() {
      opened = open();
    },
    async breakStore() {
      const refuse = () => Promise.reject(Object.assign(new Error("down"), { name: "ServiceUnavailable" }));
      opened.s3.middlewareStack.add(
        (next, { commandName }) =>
          (input) =>
            commandName === "PutObjectCommand" ? refuse() : next(input),
        { step: "finalizeRequest", name: "down" },
      );
      return async () => void opened.s3.middlewareStack.remove("down");
    },
    close: async () => opened.log.close(),
    async remove() {
      await events.remove();
      await removeBucket();
    },
  };
}
