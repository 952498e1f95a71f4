import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { FailureRow, Platform, RecordRow, Running } from "../running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), total: z.number().nonnegative(), country: z.string().length(2) });
const orders = stream({ schema, key: "id" });
const mixed = stream({ schema, key: "id" });
const plain = stream({ schema });
const twice = stream({ schema, key: "id" });
const disputed = stream({ schema, key: "id" });
export default defineConfig({ name: "accepting", streams: { orders, mixed, plain, twice, disputed } });
`;

const order = (number: number) => ({ id: `o-${number}`, total: number / 4, country: "DE" });

export function acceptingScenarios(platform: Platform): void {
  describe("accepting", { concurrency: false }, () => {
    let running: Running;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    test("a good batch becomes records that hold what was sent", async () => {
      const events = Array.from({ length: 250 }, (_, number) => order(number));
      const { accepted, invalidCount, invalid } = await running.send("orders", events);
      assert.deepEqual([accepted, invalidCount, invalid], [250, 0, []]);
      await running.settled();
      const records = await running.list<RecordRow>("/v1/streams/orders/records");
      const byId = new Map(records.map(({ eventId, data }) => [eventId, data]));
      assert.equal(records.length, 250);
      for (const event of events) assert.deepEqual(byId.get(event.id), event);
      const one = await running.get<RecordRow>("/v1/streams/orders/records/o-17");
      assert.deepEqual(one.data, order(17));
      assert.deepEqual(await running.get(`/v1/streams/orders/records/${one.id}`), one);
    });

    test("a batch of 1,000 with 3 bad events gives 997 records and 3 failures with pointers and their own bytes", async () => {
      const events: object[] = Array.from({ length: 1_000 }, (_, number) => order(number));
      events[10] = { ...order(10), total: "many" };
      events[500] = { ...order(500), country: "Germany" };
      events[999] = { id: "o-999", country: "DE" };
      const answer = await running.send("mixed", events);
      assert.equal(answer.accepted, 1_000);
      assert.equal(answer.invalidCount, 3);
      assert.deepEqual(
        answer.invalid.map(({ index, errors }) => [index, errors[0]?.pointer]),
        [
          [10, "/total"],
          [500, "/country"],
          [999, "/total"],
        ],
      );
      await running.settled();
      assert.equal((await running.list("/v1/streams/mixed/records")).length, 997);
      const failures = await running.list<FailureRow>("/v1/failures?stream=mixed");
      assert.deepEqual(
        failures
          .map(({ rawIndex, state, class: kind, code, errors }) => [rawIndex, state, kind, code, errors[0]?.pointer])
          .sort(([a], [b]) => Number(a) - Number(b)),
        [
          [10, "quarantined", "invalid", "CONTRACT_BROKEN", "/total"],
          [500, "quarantined", "invalid", "CONTRACT_BROKEN", "/country"],
          [999, "quarantined", "invalid", "CONTRACT_BROKEN", "/total"],
        ],
      );
      for (const { id, rawIndex } of failures) {
        const payload = await running.request(`/v1/failures/${id}/payload`);
        assert.equal(await payload.text(), JSON.stringify(events[rawIndex]));
      }
      assert.deepEqual(await running.balance("mixed"), {
        accepted: 1_000,
        stored: 997,
        dropped: 0,
        quarantined: 3,
        dead: 0,
        inFlight: 0,
        duplicates: 0,
      });
    });

    test("the same event sent again stays one record, in the same request and in a later one", async () => {
      await running.send("twice", [order(1), order(2), order(1)]);
      await running.settled();
      await running.send("twice", [order(2)]);
      await running.settled();
      const records = await running.list<RecordRow>("/v1/streams/twice/records");
      assert.deepEqual(records.map(({ eventId }) => eventId).sort(), ["o-1", "o-2"]);
      const { accepted, stored, duplicates } = await running.balance("twice");
      assert.deepEqual([accepted, stored, duplicates], [2, 2, 2]);
      assert.deepEqual(await running.list("/v1/failures?stream=twice"), []);
    });

    test("the same Idempotency-Key makes no second event, another key does", async () => {
      const events = [order(1), order(2)];
      for (const key of ["first", "first", "second"]) await running.send("plain", events, { "idempotency-key": key });
      await running.settled();
      assert.equal((await running.list("/v1/streams/plain/records")).length, 4);
      const { accepted, stored, duplicates } = await running.balance("plain");
      assert.deepEqual([accepted, stored, duplicates], [4, 4, 2]);
    });

    test("the same key with other content is a conflict: the first is kept, the second is a failure", async () => {
      await running.send("disputed", order(1));
      await running.settled();
      await running.send("disputed", { ...order(1), total: 1_000 });
      await running.settled();
      const records = await running.list<RecordRow>("/v1/streams/disputed/records");
      assert.deepEqual(
        records.map(({ data }) => data),
        [order(1)],
      );
      const failures = await running.list<FailureRow>("/v1/failures?stream=disputed");
      assert.deepEqual(
        failures.map(({ class: kind, code, state }) => [kind, code, state]),
        [["conflict", "IDENTITY_CONFLICT", "quarantined"]],
      );
      const payload = await running.request(`/v1/failures/${failures[0]?.id}/payload`);
      assert.deepEqual(await payload.json(), { ...order(1), total: 1_000 });
      const { accepted, stored, quarantined } = await running.balance("disputed");
      assert.deepEqual([accepted, stored, quarantined], [2, 1, 1]);
    });

    test("a dry run judges and keeps nothing", async () => {
      const before = await running.balance("orders");
      const response = await running.request("/v1/streams/orders/events?dryRun=true", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify([order(9_001), { ...order(9_002), total: -1 }]),
      });
      const { events } = (await response.json()) as { events: { outcome: string }[] };
      assert.deepEqual([response.status, events.map(({ outcome }) => outcome)], [200, ["stored", "quarantined"]]);
      assert.deepEqual(await running.balance("orders"), before);
    });
  });
}
