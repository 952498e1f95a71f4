import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type Connection, connect } from "../../src/client/connection.ts";
import { batchBytesMax, type EventChunks, type SendProgress, sendEvents } from "../../src/client/send-events.ts";
import { type Answer, answerJson, answerProblem, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

async function serve(
  context: TestContext,
  answer: Answer,
): Promise<{ server: ScriptedServer; connection: Connection }> {
  const server = await startScriptedServer(answer);
  context.after(() => server.close());
  return { server, connection: connect({ url: server.url, key: "epk_1" }) };
}

const take: Answer = ({ body, headers }, response) => {
  const ndjson = headers["content-type"] === "application/x-ndjson";
  const accepted = ndjson ? body.split("\n").length - 1 : JSON.parse(body).length;
  answerJson(response, 202, { accepted, invalid: [], invalidCount: 0, rawKey: "raw/x" });
};

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => bytes({ n: from + index }));

describe("sending", () => {
  test("splits into batches of at most 1,000 events and sends each once", async (context) => {
    const { server, connection } = await serve(context, take);
    const result = await sendEvents(connection, "orders", [numbered(0, 1_500), numbered(1_500, 2_500)]);
    assert.deepEqual({ ...result, items: [] }, { sent: 2_500, accepted: 2_500, invalid: 0, requests: 3, items: [] });
    const sizes = server.requests.map(({ body }) => JSON.parse(body).length).sort((left, right) => left - right);
    assert.deepEqual(sizes, [500, 1_000, 1_000]);
    const numbers = server.requests.flatMap(({ body }) => (JSON.parse(body) as { n: number }[]).map(({ n }) => n));
    assert.deepEqual(
      numbers.sort((left, right) => left - right),
      Array.from({ length: 2_500 }, (_, index) => index),
    );
    assert.equal(new Set(server.requests.map(({ headers }) => headers["idempotency-key"])).size, 3);
    assert.ok(
      server.requests.every(
        ({ url, headers }) => url === "/v1/streams/orders/events" && headers["content-encoding"] === "gzip",
      ),
    );
  });

  test("keeps a batch below 5 MB before compression", async (context) => {
    const { server, connection } = await serve(context, take);
    const large = Array.from({ length: 60 }, (_, index) => bytes({ index, filler: "x".repeat(200_000) }));
    const result = await sendEvents(connection, "orders", [large]);
    assert.equal(result.accepted, 60);
    assert.ok(server.requests.length >= 3);
    assert.ok(server.requests.every(({ body }) => body.length <= batchBytesMax + 2));
  });

  test("leaves the bytes of each event as they are", async (context) => {
    const { server, connection } = await serve(context, take);
    const odd = '{ "a" : 1.0,\n "b":"\\u0041\\ud83d\\ude00 \u{1F600}" }';
    await sendEvents(connection, "orders", [[new TextEncoder().encode(odd), bytes({})]]);
    assert.equal(server.requests[0]?.body, `[${odd},{}]`);
    await sendEvents(connection, "orders", [[new TextEncoder().encode('{"a":1.0}'), bytes({})]], {
      format: "ndjson",
    }).catch(() => 0);
    assert.equal(server.requests[1]?.body, '{"a":1.0}\n{}\n');
    assert.equal(server.requests[1]?.headers["content-type"], "application/x-ndjson");
  });

  test("gives a batch the same key however often it is tried, and another batch another one", async (context) => {
    const { server, connection } = await serve(context, (request, response, index) => {
      if (index === 0) response.destroy();
      else if (index === 1) answerProblem(response, 503, "NOT_DURABLE", { "retry-after": "0" });
      else take(request, response, index);
    });
    const result = await sendEvents(connection, "orders", [numbered(0, 1_001)], { concurrency: 1 });
    assert.equal(result.accepted, 1_001);
    const keys = server.requests.map(({ headers }) => headers["idempotency-key"]);
    assert.equal(keys.length, 4);
    assert.equal(new Set(keys.slice(0, 3)).size, 1);
    assert.notEqual(keys[3], keys[0]);
  });

  test("says which events are invalid, by their place in all that was given", async (context) => {
    const errors = [{ pointer: "/total", code: "CONTRACT_BROKEN", detail: "must be a number" }];
    const { connection } = await serve(context, ({ body }, response) => {
      const events = JSON.parse(body) as { n: number }[];
      const invalid = events.flatMap(({ n }, index) => (n % 700 === 699 ? [{ index, errors }] : []));
      answerJson(response, 202, { accepted: events.length, invalid, invalidCount: invalid.length, rawKey: "raw/x" });
    });
    const told: number[] = [];
    const result = await sendEvents(connection, "orders", [numbered(0, 2_500)], {
      onInvalid: ({ index }) => told.push(index),
    });
    assert.equal(result.accepted, 2_500);
    assert.deepEqual(
      result.items,
      [699, 1_399, 2_099].map((index) => ({ index, kept: true, errors })),
    );
    assert.deepEqual(told.sort(), [1_399, 2_099, 699]);
  });

  test("finds the one event for which a whole batch is refused, and gets the others in", async (context) => {
    const { connection, server } = await serve(context, (request, response, index) => {
      if (request.body.includes('"bad"')) answerProblem(response, 422, "JSON_TOO_DEEP");
      else take(request, response, index);
    });
    const events = numbered(0, 1_000);
    events[321] = bytes("bad");
    const result = await sendEvents(connection, "orders", [events]);
    assert.equal(result.accepted, 999);
    assert.equal(result.sent, 1_000);
    assert.deepEqual(result.items, [
      { index: 321, kept: false, errors: [{ pointer: "", code: "JSON_TOO_DEEP", detail: "because of JSON_TOO_DEEP" }] },
    ]);
    assert.ok(server.requests.length <= 21, "by halves, not one by one");
  });

  for (const [status, code] of [
    [401, "KEY_INVALID"],
    [404, "STREAM_UNKNOWN"],
    [415, "CONTENT_TYPE_UNSUPPORTED"],
  ] as const) {
    test(`stops at a ${status}: no other event would get in either`, async (context) => {
      const { connection, server } = await serve(context, (_, response) => answerProblem(response, status, code));
      await assert.rejects(sendEvents(connection, "orders", [numbered(0, 100_000)]), { code });
      assert.ok(server.requests.length <= 4);
    });
  }

  test("tells how far it is after every answer", async (context) => {
    const { connection } = await serve(context, take);
    const steps: SendProgress[] = [];
    await sendEvents(connection, "orders", [numbered(0, 3_000)], {
      concurrency: 1,
      onProgress: (step) => steps.push(step),
    });
    assert.deepEqual(
      steps.map(({ sent, requests }) => [sent, requests]),
      [
        [1_000, 1],
        [2_000, 2],
        [3_000, 3],
      ],
    );
  });

  test("has as many requests under way as it was told", async (context) => {
    let open = 0;
    let most = 0;
    const { connection } = await serve(context, (request, response, index) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        take(request, response, index);
      }, 20);
    });
    await sendEvents(connection, "orders", [numbered(0, 12_000)], { concurrency: 3 });
    assert.equal(most, 3);
  });

  test("sends what is there when the next event keeps it waiting", async (context) => {
    const { connection, server } = await serve(context, take);
    const released = Promise.withResolvers<void>();
    async function* slow(): EventChunks & AsyncGenerator<readonly Uint8Array[]> {
      yield [bytes({ n: 1 })];
      await released.promise;
      yield [bytes({ n: 2 })];
    }
    const sending = sendEvents(connection, "orders", slow());
    while (server.requests.length === 0) await wait(10);
    assert.equal(server.requests[0]?.body, '[{"n":1}]');
    released.resolve();
    assert.equal((await sending).accepted, 2);
  });

  test("sends nothing when there is nothing", async (context) => {
    const { connection, server } = await serve(context, take);
    assert.equal((await sendEvents(connection, "orders", [])).requests, 0);
    assert.equal(server.requests.length, 0);
  });

  test("ends with the reason of its signal, and with that of its source", async (context) => {
    const { connection } = await serve(context, () => undefined);
    const signal = AbortSignal.timeout(50);
    await assert.rejects(sendEvents(connection, "orders", [numbered(0, 10)], { signal }), { name: "TimeoutError" });
    async function* broken(): EventChunks & AsyncGenerator<readonly Uint8Array[]> {
      yield [];
      throw new Error("the disk is gone");
    }
    await assert.rejects(sendEvents(connection, "orders", broken()), /the disk is gone/);
  });
});
