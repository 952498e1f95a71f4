import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { RawDraft, RawObject } from "../../src/model/raw-object.ts";
import type { RawLog } from "../../src/ports/raw-log.ts";

export interface RawLogHarness {
  readonly log: RawLog;
  /** Every object that was handed to processing so far, in any order, repeats included. */
  delivered(): Promise<readonly RawObject[]>;
  /** Loses all that is only in memory, as a crash does, and starts again over the same store. */
  crash(): Promise<void>;
  /** Makes the store refuse writes, until the returned function is called. */
  breakStore(): Promise<() => Promise<void>>;
  close(): Promise<void>;
  remove(): Promise<void>;
}

/** One test for each sentence of `src/ports/raw-log.ts`. */
export function rawLogContract(create: () => Promise<RawLogHarness>): void {
  describe("raw-log", () => {
    let harness: RawLogHarness;
    beforeEach(async () => {
      harness = await create();
    });
    afterEach(async () => {
      await harness.close();
      await harness.remove();
    });

    test("gives back an appended object byte for byte under the key it answered", async () => {
      const bodies = [Buffer.from('{"a":1}'), Buffer.from('[{"é":"\\u0000"},\r\n {}]'), Buffer.alloc(2_000_000, 0x20)];
      for (const body of bodies) {
        const sent = draft(body);
        const read = await harness.log.read(await harness.log.append(sent));
        assert.deepEqual(Buffer.from(read?.body ?? []), body);
        assert.deepEqual(read?.meta, sent.meta);
      }
    });

    test("has no object under a key that was never answered", async () => {
      assert.equal(await harness.log.read("raw/orders/2026/01/02/0000ffff-00000000"), null);
    });

    test("keeps through a crash everything whose append has resolved, and hands it to processing", async () => {
      const keys = await Promise.all(Array.from({ length: 20 }, (_, n) => harness.log.append(draft(text(n)))));
      await harness.crash();
      for (const key of keys) assert.ok((await harness.log.read(key)) !== null, key);
      const delivered = new Set((await harness.delivered()).map(({ key }) => key));
      assert.deepEqual(
        keys.filter((key) => !delivered.has(key)),
        [],
      );
    });

    test("gives concurrent appends keys of their own", async () => {
      const keys = await Promise.all(Array.from({ length: 50 }, (_, n) => harness.log.append(draft(text(n)))));
      assert.equal(new Set(keys).size, 50);
    });

    test("refuses with NOT_DURABLE while the store cannot take it, keeps reads alive, and takes it again afterwards", async () => {
      const key = await harness.log.append(draft(text(1)));
      const mend = await harness.breakStore();
      await assert.rejects(harness.log.append(draft(text(2))), { code: "NOT_DURABLE" });
      assert.deepEqual(Buffer.from((await harness.log.read(key))?.body ?? []), text(1));
      await mend();
      const later = await harness.log.append(draft(text(3)));
      assert.deepEqual(Buffer.from((await harness.log.read(later))?.body ?? []), text(3));
      const delivered = (await harness.delivered()).map(({ body }) => Buffer.from(body).toString());
      assert.deepEqual(
        delivered.filter((body) => body === text(2).toString()),
        [],
      );
    });

    test("refuses with SHUTTING_DOWN once it is closed", async () => {
      await harness.close();
      await assert.rejects(harness.log.append(draft(text(1))), { code: "SHUTTING_DOWN" });
    });
  });
}

function text(n: number): Buffer {
  return Buffer.from(`{"n":${n}}`);
}

function draft(body: Buffer): RawDraft {
  const meta = {
    tenant: "default",
    stream: "orders",
    door: "http",
    format: "json",
    receivedAt: Date.UTC(2026, 0, 2),
    contentType: "application/json",
    headers: { "user-agent": "test" },
    idSeed: "00112233445566",
    idSeedFromClient: false,
    events: 1,
    principal: "test",
  } as const;
  return { meta, body };
}
