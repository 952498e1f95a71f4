import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openLiveTail } from "../live-tail.ts";
import { eventually, expectProblem, type Platform, type Running } from "../running.ts";

const config = `
import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), value: z.number() });
const [watched, other] = [stream({ schema, key: "id" }), stream({ schema, key: "id" })];
const high = anomaly(watched, { value: "value", detect: { range: { high: 100 } } });
export default defineConfig({ name: "watching", streams: { watched, other }, anomalies: { high } });
`;

export function watchingScenarios(platform: Platform): void {
  describe("watching live", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    test("records, failures and anomalies are told as they are committed, each as the API shows it", async () => {
      const tail = await openLiveTail(running);
      await running.send("watched", [
        { id: "a", value: 1 },
        { id: "b", value: "x" },
        { id: "c", value: 500 },
      ]);
      await eventually(() => assert.equal(tail.messages.length, 4));
      const kinds = tail.messages.map(({ event }) => event).sort();
      assert.deepEqual(kinds, ["anomaly", "failure", "record", "record"]);
      const paths = { record: "/v1/streams/watched/records", failure: "/v1/failures", anomaly: "/v1/anomalies" };
      for (const { event, data } of tail.messages) {
        const path = paths[event as keyof typeof paths];
        assert.deepEqual(await running.get(`${path}/${data["id"]}`), data);
      }
      tail.close();
    });

    test("a listener of one stream hears of no other, and a duplicate is not told again", async () => {
      const tail = await openLiveTail(running, "?stream=watched");
      await running.send("other", { id: "a", value: 1 });
      await running.send("watched", { id: "a", value: 1 });
      await running.send("watched", { id: "last", value: 1 });
      await eventually(() => assert.ok(tail.messages.length > 0));
      await running.settled();
      assert.deepEqual(
        tail.messages.map(({ data }) => data["eventId"]),
        ["last"],
      );
      tail.close();
    });

    test("a conflict is told as the failure that it is, not as a record", async () => {
      const tail = await openLiveTail(running, "?stream=other");
      await running.send("other", { id: "disputed", value: 1 });
      await running.settled();
      await running.send("other", { id: "disputed", value: 2 });
      await running.send("other", [
        { id: "same-request", value: 1 },
        { id: "same-request", value: 2 },
      ]);
      await eventually(() => assert.equal(tail.messages.length, 4));
      const told = tail.messages.map(({ event, data }) =>
        event === "record" ? (data["data"] as { value: number }).value : data["code"],
      );
      assert.deepEqual(told.sort(), [1, 1, "IDENTITY_CONFLICT", "IDENTITY_CONFLICT"]);
      tail.close();
    });

    test("more than a listener gets is counted, not left out in silence, and only for whom it would have been", async () => {
      const [tail, elsewhere] = [await openLiveTail(running), await openLiveTail(running, "?stream=other")];
      const many = Array.from({ length: 3_000 }, (_, number) => ({ id: `many-${number}`, value: 1 }));
      await running.send("watched", many);
      await eventually(() => {
        const told = tail.messages.filter(({ event }) => event === "record").length;
        const skipped = tail.messages
          .filter(({ event }) => event === "skipped")
          .reduce((sum, { data }) => sum + Number(data["count"]), 0);
        assert.equal(told + skipped, 3_000);
        assert.ok(skipped > 0);
      });
      // What is skipped is told once a second, so anything wrong would be there after the next one.
      await running.send("other", { id: "one", value: 1 });
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      assert.deepEqual(
        elsewhere.messages.map(({ event }) => event),
        ["record"],
      );
      tail.close();
      elsewhere.close();
    });

    test("a stream that is not there cannot be listened to", async () => {
      await expectProblem(await running.request("/v1/live?stream=nothing"), 404, "STREAM_UNKNOWN");
    });
  });
}
