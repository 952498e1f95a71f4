import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { recordExample } from "../../src/http/record-json.ts";
import type { LiveEvent } from "../../src/http/services.ts";
import { limits } from "../../src/model/limits.ts";
import type { StoredRecord } from "../../src/model/record.ts";
import { problemOf, type TestApp, withApp } from "./app-harness.ts";

const record: StoredRecord = {
  id: recordExample.id,
  stream: "orders",
  time: Date.parse(recordExample.time),
  receivedAt: Date.parse(recordExample.receivedAt),
  eventId: recordExample.eventId,
  attributesJson: null,
  dataJson: JSON.stringify(recordExample.data, null, 2),
  rawKey: recordExample.rawKey,
  rawIndex: recordExample.rawIndex,
};

function publish(app: TestApp, event: LiveEvent): void {
  for (const listener of app.listeners) listener(event);
}

function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  assert.ok(response.body);
  return response.body.getReader();
}

/** Reads until `wanted` is there. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, wanted: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  for (let text = ""; ; ) {
    const { value, done } = await reader.read();
    assert.ok(!done, `the stream ended after ${JSON.stringify(text)}`);
    text += decoder.decode(value, { stream: true });
    if (wanted.test(text)) return text;
  }
}

describe("the live tail", { timeout: 30_000 }, () => {
  test(
    "sends headers at once, then each record as the API shows it, on one line",
    withApp(async (app) => {
      const response = await app.request("/v1/live?stream=orders");
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      const reader = readerOf(response);
      await readUntil(reader, /^retry: 3000\n: listening\n\n$/);
      publish(app, { kind: "record", record });
      const text = await readUntil(reader, /\n\n$/);
      const [, event, data] = /^event: (\w+)\ndata: (.*)\n\n$/.exec(text) ?? [];
      assert.equal(event, "record");
      assert.deepEqual(JSON.parse(data ?? ""), recordExample);
      await reader.cancel();
    }),
  );

  test(
    "counts what is over the rate, and says so",
    withApp(async (app) => {
      const reader = readerOf(await app.request("/v1/live"));
      const over = 37;
      for (let count = 0; count < limits.liveMessagesPerSecondMax + over; count++)
        publish(app, { kind: "record", record: { ...record, dataJson: "{}" } });
      publish(app, { kind: "skipped", count: 5 });
      const text = await readUntil(reader, /event: skipped\ndata: .*\n\n/);
      assert.match(text, new RegExp(`event: skipped\\ndata: {"count":${over + 5}}\\n\\n$`));
      assert.equal(text.match(/event: record/g)?.length, limits.liveMessagesPerSecondMax);
      publish(app, { kind: "record", record });
      await readUntil(reader, /event: record/);
      await reader.cancel();
    }),
  );

  test(
    "holds no more than its limit for a listener that does not read",
    withApp(async (app) => {
      const response = await app.request("/v1/live");
      const large = { ...record, dataJson: JSON.stringify({ text: "x".repeat(100_000) }) };
      for (let count = 0; count < 100; count++) publish(app, { kind: "record", record: large });
      const reader = readerOf(response);
      const text = await readUntil(reader, /event: skipped\ndata: .*\n\n/);
      const sent = text.match(/event: record/g)?.length ?? 0;
      assert.ok(sent >= 2 && sent <= 4, `${sent} messages of 100 KB were held`);
      assert.match(text, new RegExp(`{"count":${100 - sent}}`));
      await reader.cancel();
    }),
  );

  test(
    "lets go when the reader leaves, when the request is aborted, and when the app closes",
    withApp(async (app) => {
      const left = readerOf(await app.request("/v1/live"));
      const controller = new AbortController();
      const aborted = readerOf(await app.request("/v1/live", { signal: controller.signal }));
      const closed = readerOf(await app.request("/v1/live"));
      assert.equal(app.listeners.size, 3);
      await left.cancel();
      assert.equal(app.listeners.size, 2);
      controller.abort();
      await readToEnd(aborted);
      assert.equal(app.listeners.size, 1);
      app.app.close();
      await readToEnd(closed);
      assert.equal(app.listeners.size, 0);
      publish(app, { kind: "record", record });
    }),
  );

  test(
    "sends a comment after 15 s of silence, and lets go of who takes nothing for 60 s",
    withApp(async (app) => {
      mock.timers.enable({ apis: ["setInterval"] });
      try {
        const quiet = readerOf(await app.request("/v1/live"));
        await readUntil(quiet, /listening/);
        mock.timers.tick((limits.liveHeartbeatSeconds - 1) * 1000);
        mock.timers.tick(1000);
        assert.equal(await readUntil(quiet, /\n\n/), ": still here\n\n");
        await quiet.cancel();

        const stuck = await app.request("/v1/live");
        const large = { ...record, dataJson: JSON.stringify("x".repeat(limits.liveBytesWaitingMax)) };
        publish(app, { kind: "record", record: large });
        mock.timers.tick((limits.liveStalledSeconds - 1) * 1000);
        assert.equal(app.listeners.size, 1);
        mock.timers.tick(1000);
        assert.equal(app.listeners.size, 0);
        await readToEnd(readerOf(stuck));
      } finally {
        mock.timers.reset();
      }
    }),
  );

  test(
    "is not opened by HEAD, nor for a stream that is not there",
    withApp(async (app) => {
      assert.equal((await app.request("/v1/live", { method: "HEAD" })).status, 200);
      assert.equal((await problemOf(await app.request("/v1/live?stream=nothing"))).code, "STREAM_UNKNOWN");
      assert.equal(app.listeners.size, 0);
    }),
  );

  test(
    "takes so many listeners and tells the next one to wait",
    withApp(async (app) => {
      const all = await Promise.all(Array.from({ length: limits.liveListenersMax }, () => app.request("/v1/live")));
      const response = await app.request("/v1/live");
      assert.equal(response.status, 429);
      assert.ok(Number(response.headers.get("retry-after")) >= 1);
      assert.equal((await problemOf(response)).code, "TOO_BUSY");
      await all[0]?.body?.cancel();
      const next = await app.request("/v1/live");
      assert.equal(next.status, 200);
    }),
  );
});

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}
