import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fixtureMissing } from "../../fixtures.ts";
import { cloudEventVectors } from "../cloud-event-vectors.ts";
import { expectProblem, type FailureRow, type Platform, type RecordRow, type Running } from "../running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ message: z.string() });
const [vectors, batch, described, identity] = [stream({ schema }), stream({ schema }), stream({ schema }), stream({ schema })];
export default defineConfig({ name: "cloud-events", streams: { vectors, batch, described, identity } });
`;

const envelope = (id: string, more: object = {}) => ({
  specversion: "1.0",
  id,
  source: "/shop",
  type: "message.sent",
  time: "2026-01-31T12:00:00Z",
  data: { message: `hello ${id}` },
  ...more,
});

export function cloudEventsScenarios(platform: Platform): void {
  describe("CloudEvents", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    const missing = fixtureMissing("cloudevents/http-protocol-binding.feature");
    test("every vector of the HTTP binding is read with its attributes and data", { skip: missing }, async () => {
      const vectors = cloudEventVectors();
      assert.equal(vectors.length, 4);
      for (const [number, { name, headers, body, attributes, data }] of vectors.entries()) {
        // The vectors share one id; a query of its own tells each from the others, as a source does.
        const source = `/mycontext/subcontext/${number}`;
        const own = { ...headers, ...(headers["ce-source"] === undefined ? {} : { "ce-source": source }) };
        await running.send("vectors", body.replace("/mycontext/subcontext", source), own);
        await running.settled();
        const path = `/v1/streams/vectors/records/${encodeURIComponent(`${source}#1234-1234-1234`)}`;
        const record = await running.get<RecordRow>(path);
        assert.deepEqual(record.data, data, name);
        assert.equal(Date.parse(record.time), Date.parse(attributes["time"] ?? ""), name);
        assert.deepEqual({ ...record.attributes }, { ...attributes, source }, name);
      }
    });

    test("a batch is so many events, and a bad one in it fails alone", async () => {
      const events = [
        envelope("a"),
        { ...envelope("b"), specversion: "0.3" },
        envelope("c", { subject: "x", priority: 3 }),
      ];
      const answer = await running.send("batch", events, { "content-type": "application/cloudevents-batch+json" });
      assert.deepEqual([answer.accepted, answer.invalid.map(({ index }) => index)], [3, [1]]);
      await running.settled();
      const records = await running.list<RecordRow>("/v1/streams/batch/records?order=asc");
      assert.deepEqual(records.map(({ eventId }) => eventId).sort(), ["a", "c"]);
      const c = records.find(({ eventId }) => eventId === "c");
      assert.equal(c?.attributes?.["subject"], "x");
      assert.equal(c?.attributes?.["priority"], "3");
      const [failure] = await running.list<FailureRow>("/v1/failures?stream=batch");
      assert.deepEqual([failure?.code, failure?.rawIndex, failure?.stage], ["CLOUDEVENT_INVALID", 1, "decode"]);
      assert.equal(failure?.errors[0]?.pointer, "/specversion");
    });

    test("source and id together identify an event", async () => {
      for (const source of ["/shop", "/shop", "/other"]) {
        await running.send("identity", envelope("a", { source }), { "content-type": "application/cloudevents+json" });
      }
      await running.settled();
      assert.equal((await running.list("/v1/streams/identity/records")).length, 2);
      assert.equal((await running.balance("identity")).duplicates, 1);
    });

    test("a header attribute is percent-decoded, and one that is missing refuses the request", async () => {
      const headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/shop",
        "ce-type": "t",
        "ce-subject": "%E2%82%AC 5",
      };
      await running.send("described", { message: "binary" }, headers);
      await running.settled();
      const [record] = await running.list<RecordRow>("/v1/streams/described/records");
      assert.equal(record?.attributes?.["subject"], "€ 5");
      const { "ce-type": _, ...untyped } = headers;
      const response = await running.request("/v1/streams/described/events", {
        method: "POST",
        headers: { ...untyped, "content-type": "application/json" },
        body: "{}",
      });
      const problem = await expectProblem(response, 400, "CLOUDEVENT_INVALID");
      assert.equal(problem.errors[0]?.pointer, "/ce-type");
    });
  });
}
