import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { FailureRow, Platform, RecordRow, Running } from "../running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const lines = stream({
  schema: z.object({ order: z.string(), items: z.array(z.string()) }),
  key: "order",
  transform: ({ order, items }) => items.map((item) => ({ order, item })),
});
const empty = stream({ schema: z.object({ n: z.number() }), transform: () => [] });
const filtered = stream({ schema: z.object({ keep: z.boolean() }), transform: (event) => (event.keep ? event : null) });
const context = stream({
  schema: z.object({ n: z.number() }),
  transform: async (event, { stream, door, id, receivedAt }) => ({ ...event, stream, door, hasId: id !== "", receivedAt }),
});
const broken = stream({
  schema: z.object({ n: z.number() }),
  transform: (event) => {
    if (event.n % 2 === 1) throw new Error("odd numbers are not for me");
    return event;
  },
});
const recovering = stream({
  schema: z.object({ n: z.number() }),
  transform: (event, { receivedAt }) => {
    if (Date.now() < receivedAt + 700) throw new Error("not yet");
    return event;
  },
});
const unfit = stream({ schema: z.object({ n: z.number() }), transform: (event) => ({ n: event.n / 0 }) });
export default defineConfig({ name: "transforming", streams: { lines, empty, filtered, context, broken, recovering, unfit } });
`;

/** Retries wait up to 1, 2, 4 and 8 seconds. */
const retriesSeconds = 60;

export function transformingScenarios(platform: Platform): void {
  describe("transforming", { concurrency: true }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    test("one event becomes many records, and its redelivery no more", async () => {
      const event = { order: "o-1", items: ["a", "b", "c"] };
      await running.send("lines", event);
      await running.send("lines", event);
      // Counted in events: the second is the first again.
      await running.settled(retriesSeconds);
      const records = await running.list<RecordRow>("/v1/streams/lines/records");
      assert.deepEqual(records.map(({ data }) => data["item"]).sort(), ["a", "b", "c"]);
      const { accepted, stored, duplicates } = await running.balance("lines");
      assert.deepEqual([accepted, stored, duplicates], [1, 1, 1]);
    });

    test("an event that becomes nothing is counted as dropped, whether by null or by an empty list", async () => {
      await running.send("filtered", [{ keep: true }, { keep: false }, { keep: true }]);
      await running.send("empty", { n: 1 });
      await running.settled(retriesSeconds);
      const { accepted, stored, dropped } = await running.balance("filtered");
      assert.deepEqual([accepted, stored, dropped], [3, 2, 1]);
      assert.equal((await running.list("/v1/streams/filtered/records")).length, 2);
      assert.equal((await running.balance("empty")).dropped, 1);
    });

    test("an asynchronous transform sees the context of its event", async () => {
      const before = Date.now();
      await running.send("context", { n: 1 });
      await running.settled(retriesSeconds);
      const [record] = await running.list<RecordRow>("/v1/streams/context/records");
      const { receivedAt, ...data } = record?.data ?? {};
      assert.deepEqual(data, { n: 1, stream: "context", door: "http", hasId: true });
      assert.ok(Number(receivedAt) >= before && Number(receivedAt) <= Date.now());
    });

    test("an event whose transform always throws is tried five times and is dead then; the others are stored at once", async () => {
      await running.send("broken", [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
      await running.settled(retriesSeconds);
      const records = await running.list<RecordRow<{ n: number }>>("/v1/streams/broken/records");
      assert.deepEqual(records.map(({ data }) => data.n).sort(), [2, 4]);
      const failures = await running.list<FailureRow>("/v1/failures?stream=broken");
      assert.deepEqual(
        failures.map(({ state, class: kind, code, stage, attempts }) => [state, kind, code, stage, attempts]),
        Array(2).fill(["dead", "bug", "TRANSFORM_THREW", "transform", 5]),
      );
      assert.match(failures[0]?.errors[0]?.detail ?? "", /odd numbers are not for me/);
      const { accepted, stored, dead } = await running.balance("broken");
      assert.deepEqual([accepted, stored, dead], [4, 2, 2]);
    });

    test("an event whose transform throws at first is stored by a later attempt", async () => {
      await running.send("recovering", [{ n: 1 }, { n: 2 }]);
      assert.equal((await running.balance("recovering")).inFlight, 2);
      await running.settled(retriesSeconds);
      assert.equal((await running.list("/v1/streams/recovering/records")).length, 2);
      const { accepted, stored, dead } = await running.balance("recovering");
      assert.deepEqual([accepted, stored, dead], [2, 2, 0]);
      assert.deepEqual(await running.list("/v1/failures?stream=recovering"), []);
    });

    test("a result that JSON would change is a failure that names the field", async () => {
      await running.send("unfit", { n: 1 });
      await running.settled(retriesSeconds);
      const [failure] = await running.list<FailureRow>("/v1/failures?stream=unfit");
      assert.deepEqual([failure?.state, failure?.code], ["dead", "TRANSFORM_RESULT_INVALID"]);
      assert.equal(failure?.errors[0]?.pointer, "/n");
    });
  });
}
