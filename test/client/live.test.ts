import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "../../src/client/connection.ts";
import { type LiveMessage, live, serverSentEvents } from "../../src/client/live.ts";
import { answerProblem, startScriptedServer } from "./scripted-server.ts";

async function collect(response: Response) {
  const events: { event: string; data: string }[] = [];
  for await (const event of serverSentEvents(response)) events.push(event);
  return events;
}

/** The events in the given pieces of a stream. */
async function eventsIn(...pieces: readonly string[]) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  return collect(new Response(body));
}

describe("event stream", () => {
  test("is split by the rules of the standard", async () => {
    assert.deepEqual(await eventsIn("event: a\ndata: 1\n\n", ": comment\n\ndata:2\ndata: 3\n\n"), [
      { event: "a", data: "1" },
      { event: "message", data: "2\n3" },
    ]);
    assert.deepEqual(await eventsIn("event: gone\n\ndata: unfinished"), []);
    assert.deepEqual(await eventsIn("data: a\r", "\ndata: b\r\r", "data\n\n"), [
      { event: "message", data: "a\nb" },
      { event: "message", data: "" },
    ]);
  });

  test("is the same however it is cut into pieces", async () => {
    const text = 'event: record\r\ndata: {"text":"Ünï 😀\u2028"}\r\n\r\nevent: failure\ndata: 2\n\n';
    const whole = await eventsIn(text);
    assert.equal(whole.length, 2);
    const encoded = new TextEncoder().encode(text);
    for (let at = 0; at <= encoded.length; at++) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(encoded.slice(0, at));
          controller.enqueue(encoded.slice(at));
          controller.close();
        },
      });
      assert.deepEqual(await collect(new Response(body)), whole, `cut at ${at}`);
    }
  });
});

describe("live", () => {
  test("yields what comes, and goes on after the line broke", async (context) => {
    const server = await startScriptedServer((_, response, index) => {
      if (index === 1) return answerProblem(response, 503, "SHUTTING_DOWN", { "retry-after": "0" });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`: hello\n\nevent: record\ndata: {"n":${index}.0}\n\nevent: unknown\ndata: 1\n\n`);
      if (index === 0) setTimeout(() => response.destroy(), 20);
    });
    context.after(() => server.close());
    const controller = new AbortController();
    const messages: LiveMessage[] = [];
    const states: string[] = [];
    const options = { signal: controller.signal, onLine: (state: string) => states.push(state) };
    for await (const message of live(connect({ url: server.url, key: null, attemptsMax: 1 }), "or ders", options)) {
      messages.push(message);
      if (messages.length === 2) controller.abort();
    }
    assert.deepEqual(messages, [
      { kind: "record", data: { n: 0 }, json: '{"n":0.0}' },
      { kind: "record", data: { n: 2 }, json: '{"n":2.0}' },
    ]);
    assert.deepEqual(states, ["open", "lost", "lost", "open"]);
    assert.equal(server.requests[0]?.url, "/v1/live?stream=or+ders");
  });

  test("asks a server that keeps no line open from where it ended, and takes that for one line", async (context) => {
    const server = await startScriptedServer((_, response, index) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const news = index === 0 ? "" : `event: record\ndata: ${index}\n\n`;
      response.end(`retry: 10\n: listening\n\n${news}id: place-${index}\n\n`);
    });
    context.after(() => server.close());
    const controller = new AbortController();
    const states: string[] = [];
    const told: unknown[] = [];
    const options = { signal: controller.signal, onLine: (state: string) => states.push(state) };
    for await (const { data } of live(connect({ url: server.url, key: null }), null, options)) {
      told.push(data);
      if (told.length === 2) controller.abort();
    }
    assert.deepEqual([told, states], [[1, 2], ["open"]]);
    const places = server.requests.map(({ headers }) => headers["last-event-id"]);
    assert.deepEqual(places.slice(0, 3), [undefined, "place-0", "place-1"]);
  });

  test("throws when the server refuses, instead of asking for ever", async (context) => {
    const server = await startScriptedServer((_, response) => answerProblem(response, 404, "STREAM_UNKNOWN"));
    context.after(() => server.close());
    await assert.rejects(live(connect({ url: server.url, key: null }), "nope").next(), { code: "STREAM_UNKNOWN" });
    assert.equal(server.requests.length, 1);
  });
});
