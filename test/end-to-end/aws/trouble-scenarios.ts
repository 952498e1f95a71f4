import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PendingObjects } from "../../../src/platforms/aws/pending-objects.ts";
import { eventually, expectProblem, type FailureRow } from "../running.ts";
import type { AwsPlatform, AwsRunning } from "./aws-platform.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string() });
const seen = new Set<string>();
const [throttled, patient, refused, lost] = [0, 1, 2, 3].map(() => stream({ schema, key: "id" }));
const again = stream({
  schema,
  key: "id",
  transform: (event) => {
    if (!seen.has(event.id)) {
      seen.add(event.id);
      throw new Error("not at the first try");
    }
    return event;
  },
});
export default defineConfig({ name: "trouble", streams: { throttled, patient, refused, lost, again } });
`;

const simulated = `
import { defineConfig, http, simulator, stream } from "eventpulse";
import { z } from "zod";

const readings = stream({ schema: z.object({ device: z.string() }) });
export default defineConfig({
  name: "trouble",
  streams: { readings },
  sources: [http(), simulator(readings, { every: "1s", count: 3, seed: 7 })],
});
`;

/** What a client of the SDK sends of one call before it gives up. */
const attempts = 4;
/** Longer than the sweep waits for an event of S3, and for an object. */
const lateMillis = { event: 16 * 60_000, object: 25 * 60 * 60_000 };

const events = (prefix: string, count: number) => Array.from({ length: count }, (_, id) => ({ id: `${prefix}-${id}` }));

/** Services that refuse, and messages that get lost. */
export function troubleScenarios(platform: AwsPlatform): void {
  describe("throttled and lost", { concurrency: false }, () => {
    let running: AwsRunning;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    const age = async (rawKey: string, millis: number) => {
      const pending = await new PendingObjects(running.table()).get(rawKey);
      assert.ok(pending !== null, "the object is pending");
      await new PendingObjects(running.table(() => Date.now() - millis)).add(rawKey, pending);
    };

    test("what is sent while the table throttles is stored once when that is over", async () => {
      const refusal = running.proxy("process").refuse("dynamodb:", 4 * attempts);
      for (let batch = 0; batch < 5; batch++) await running.send("throttled", events(`batch-${batch}`, 10));
      await running.settled(60);
      assert.equal(refusal.left, 0);
      const { accepted, stored, duplicates } = await running.balance("throttled");
      assert.deepEqual([accepted, stored, duplicates], [50, 50, 0]);
      assert.equal((await running.list("/v1/streams/throttled/records")).length, 50);
      assert.deepEqual(await running.list<FailureRow>("/v1/failures?stream=throttled"), []);
    });

    test("a short throttle of table or bucket is not seen by who sends or asks", async () => {
      const refusals = ["dynamodb:BatchWriteItem", "s3:PutObject"].map((action) =>
        running.proxy("http").refuse(action, 2),
      );
      await running.send("patient", events("patient", 3));
      running.proxy("http").refuse("dynamodb:Query", 2);
      await running.settled();
      assert.equal((await running.balance("patient")).stored, 3);
      assert.deepEqual(
        refusals.map(({ left }) => left),
        [0, 0],
      );
    });

    test("what the bucket does not take is refused with when to send it again, and leaves nothing in flight", async () => {
      const refusal = running.proxy("http").refuse("s3:PutObject", attempts);
      const send = () =>
        running.request("/v1/streams/refused/events", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(events("refused", 3)),
        });
      const response = await send();
      assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
      await expectProblem(response, 503, "NOT_DURABLE");
      assert.equal(refusal.left, 0);
      const { accepted, inFlight } = await running.balance("refused");
      assert.deepEqual([accepted, inFlight], [0, 0]);
      assert.equal((await send()).status, 202);
      await running.settled();
      assert.equal((await running.balance("refused")).stored, 3);
    });

    test("an object whose event got lost is found by the sweep, and processed once", async () => {
      const losing = running.loseEvents(1);
      const { rawKey } = await running.send("lost", events("lost", 3));
      await eventually(() => assert.equal(losing.left, 0));
      const { accepted, inFlight } = await running.balance("lost");
      assert.deepEqual([accepted, inFlight], [3, 3]);
      await age(rawKey, lateMillis.event);
      await running.settled();
      const { stored, duplicates } = await running.balance("lost");
      assert.deepEqual([stored, duplicates], [3, 0]);
    });

    test("an acceptance that never reached the bucket is forgotten by the sweep", async () => {
      const rawKey = "raw/lost/2026/01/31/000000000000-0123456789abcdef";
      const meta = { tenant: "default", stream: "lost", door: "http", events: 5, receivedAt: Date.now() } as const;
      await new PendingObjects(running.table()).add(rawKey, meta);
      assert.equal((await running.balance("lost")).inFlight, 5);
      await age(rawKey, lateMillis.object);
      await eventually(async () => assert.equal((await running.balance("lost")).inFlight, 0));
      assert.equal((await running.balance("lost")).accepted, 3);
    });

    test("work that its queue refused is handed over by the sweep", async () => {
      const refusal = running.proxy("process").refuse("sqs:SendMessage", attempts);
      await running.send("again", events("again", 1));
      await running.settled(60);
      assert.equal(refusal.left, 0);
      assert.equal((await running.balance("again")).stored, 1);
      const queue = running.deployment.queueUrls.find((url) => url.endsWith("-work")) ?? "";
      const sent = [...(running.proxy("notify").calls.get("sqs:SendMessage")?.keys() ?? [])];
      assert.ok(sent.some((url) => url.endsWith(queue.split("/").at(-1) ?? "-")));
    });
  });

  describe("throttled while it simulates", { concurrency: false }, () => {
    let running: AwsRunning;
    before(async () => {
      running = await platform.start(simulated);
    });
    after(() => running.close());

    test("simulated events that the bucket does not take leave nothing in flight, and the next ones come", async () => {
      const refusal = running.proxy("simulate").refuse("s3:PutObject", attempts);
      await eventually(() => assert.equal(refusal.left, 0));
      const refused = refusal.refused[0] ?? "";
      const pending = new PendingObjects(running.table());
      await eventually(async () => assert.equal(await pending.get(refused.slice(refused.indexOf("/") + 1)), null));
      await eventually(async () => assert.ok((await running.balance("readings")).stored >= 3));
    });
  });
}
