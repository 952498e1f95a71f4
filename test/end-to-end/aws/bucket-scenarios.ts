import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, expectProblem, type FailureRow, type RecordRow } from "../running.ts";
import type { AwsPlatform, AwsRunning } from "./aws-platform.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), total: z.number() });
const [inbox, repeated, poisoned] = [0, 1, 2].map(() => stream({ schema, key: "id" }));
export default defineConfig({ name: "bucket", streams: { inbox, repeated, poisoned } });
`;

/** What only this platform has: a bucket that its owner can put into, and queues between the parts. */
export function bucketScenarios(platform: AwsPlatform): void {
  describe("the raw bucket and its queue", { concurrency: false }, () => {
    let running: AwsRunning;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    test("a file that is put straight into the bucket is processed like one that came through a door", async () => {
      await running.putObject("inbox/default/inbox/März 1+1%.ndjson", '{"id":"a","total":1}\n{"id":"b"}\n');
      const records = await eventually(async () => {
        const rows = await running.list<RecordRow>("/v1/streams/inbox/records");
        assert.equal(rows.length, 1);
        return rows;
      });
      assert.deepEqual(records[0]?.data, { id: "a", total: 1 });
      await running.settled();
      const { accepted, stored, quarantined } = await running.balance("inbox");
      assert.deepEqual([accepted, stored, quarantined], [2, 1, 1]);
    });

    test("a file that is put under a tenant's prefix is the tenant's, and nobody else's", async () => {
      await running.putObject("inbox/acme/inbox/a.json", '{"id":"of-acme","total":1}');
      const acme = running.of("acme");
      await eventually(() => acme.get("/v1/streams/inbox/records/of-acme"));
      await acme.settled();
      assert.equal((await acme.balance("inbox")).accepted, 1);
      for (const other of [running, running.of("globex")]) {
        await expectProblem(await other.request("/v1/streams/inbox/records/of-acme"), 404, "RECORD_UNKNOWN");
      }
    });

    test("the same event of S3, three times more, changes nothing", async () => {
      const { rawKey } = await running.send("repeated", [{ id: "a", total: 1 }, { id: "b" }]);
      await running.settled();
      const before = await running.balance("repeated");
      for (let time = 0; time < 3; time++) await running.repeatEvents([rawKey]);
      // Behind the three, in the same queue.
      await running.send("repeated", [{ id: "last", total: 1 }]);
      await eventually(() => running.get("/v1/streams/repeated/records/last"));
      await running.settled();
      const after = await running.balance("repeated");
      assert.deepEqual(after, { ...before, accepted: before.accepted + 1, stored: before.stored + 1 });
    });

    test("an object that cannot be read is tried, becomes a dead letter and then a failure; the queue moves on", async () => {
      const { rawKey } = await running.send("poisoned", [{ id: "good", total: 1 }]);
      await running.settled();
      const broken = `${rawKey.slice(0, -1)}${rawKey.endsWith("0") ? "1" : "0"}`;
      await running.putObject(broken, "[", { meta: "bm8gbWV0YWRhdGE=" });
      await running.send("poisoned", [{ id: "later", total: 1 }]);
      await eventually(() => running.get("/v1/streams/poisoned/records/later"));
      const [failure] = await eventually(
        async () => {
          const rows = await running.list<FailureRow>("/v1/failures?state=dead");
          assert.equal(rows.length, 1);
          return rows;
        },
        { seconds: 40 },
      );
      assert.ok(failure !== undefined && ["OBJECT_POISON", "RAW_CORRUPT"].includes(failure.code), failure?.code);
    });
  });
}
