import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type FailureRow, type RecordRow } from "../running.ts";
import type { AwsPlatform, AwsRunning } from "./aws-platform.ts";

/** A config whose code ends its process with each event that says so. */
const config = (end: string) => `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const orders = stream({
  schema: z.object({ id: z.string(), poison: z.boolean() }),
  key: "id",
  transform: (event) => {
    if (event.poison) ${end};
    return event;
  },
});
export default defineConfig({ name: "dead-letters", streams: { orders } });
`;

/**
 * Chance decides whose turn is first in a batch; here it has always decided for the one that came first. A record says which
 * function has made it.
 */
const unluckyConfig = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

Math.random = () => 0.5;
const orders = stream({
  schema: z.object({ id: z.string(), poison: z.boolean() }),
  key: "id",
  transform: (event) => {
    if (event.poison) process.exit(1);
    return { ...event, madeBy: process.env.AWS_LAMBDA_FUNCTION_NAME };
  },
});
export default defineConfig({ name: "dead-letters", streams: { orders } });
`;

/** An object that ends whoever touches it. */
export function deadLetterScenarios(platform: AwsPlatform): void {
  describe("dead letters", { concurrency: false }, () => {
    let running: AwsRunning;
    before(async () => {
      running = await platform.start(config("process.exit(1)"));
    });
    after(() => running.close());

    test("an object that ends the function each time becomes a failure, and the others in its batches are stored", async () => {
      const others = Array.from({ length: 6 }, (_, number) => ({ id: `other-${number}`, poison: false }));
      await Promise.all([{ id: "poison", poison: true }, ...others].map((event) => running.send("orders", event)));
      await running.settled(90);
      const { accepted, stored, dead } = await running.balance("orders");
      assert.deepEqual([accepted, stored, dead], [7, 6, 1]);
      const [failure] = await running.list<FailureRow>("/v1/failures?stream=orders");
      assert.deepEqual([failure?.state, failure?.class, failure?.code], ["dead", "poison", "OBJECT_POISON"]);
    });

    test("after its code was mended a retry recovers it", async () => {
      await running.reconfigure(config('event.id += " (mended)"'));
      const [failure] = await running.list<FailureRow>("/v1/failures?state=dead");
      const response = await running.request(`/v1/failures/${failure?.id}/retry`, { method: "POST" });
      assert.equal(response.status, 202);
      const { recordId } = await eventually(async () => {
        const row = await running.get<FailureRow>(`/v1/failures/${failure?.id}`);
        assert.equal(row.state, "recovered");
        return row;
      });
      const { data } = await running.get<RecordRow>(`/v1/streams/orders/records/${recordId}`);
      assert.deepEqual(data, { id: "poison (mended)", poison: true });
      const { accepted, stored, dead } = await running.balance("orders");
      assert.deepEqual([accepted, stored, dead], [7, 7, 0]);
    });
  });
  describe("neighbours of a dead letter", { concurrency: false }, () => {
    let running: AwsRunning;
    before(async () => {
      running = await platform.start(unluckyConfig);
    });
    after(() => running.close());

    test("objects that died each time with the one before them are stored by their last try, once, and it alone is dead", async () => {
      const others = Array.from({ length: 9 }, (_, number) => ({ id: `other-${number}`, poison: false }));
      const losing = running.loseEvents(1 + others.length);
      const rawKeys: string[] = [];
      for (const event of [{ id: "poison", poison: true }, ...others]) {
        rawKeys.push((await running.send("orders", event)).rawKey);
      }
      await eventually(() => assert.equal(losing.left, 0));
      await running.repeatEvents(rawKeys);
      await running.settled(90);
      const { accepted, stored, dead, quarantined, duplicates } = await running.balance("orders");
      assert.deepEqual([accepted, stored, dead, quarantined, duplicates], [10, 9, 1, 0, 0]);
      const records = await running.list<RecordRow>("/v1/streams/orders/records");
      const data = records.map((record) => record.data as { readonly id: string; readonly madeBy: string });
      assert.deepEqual(data.map(({ id }) => id).sort(), others.map(({ id }) => id).sort());
      const byLastTry = data.filter(({ madeBy }) => madeBy.endsWith("-dead-letters"));
      assert.ok(byLastTry.length > 0, "none of them has died with it");
      const failures = await running.list<FailureRow & { readonly rawKey: string }>("/v1/failures?stream=orders");
      assert.deepEqual(
        failures.map(({ state, code, rawKey }) => [state, code, rawKey]),
        [["dead", "OBJECT_POISON", rawKeys[0]]],
      );
    });
  });
}
