import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fixture, fixtureMissing } from "../fixtures.ts";
import { jsonOf, type PageBody, problemOf, withApp } from "./app-harness.ts";

interface AcceptanceBody {
  readonly accepted: number;
  readonly invalid: readonly { readonly index: number; readonly errors: readonly { readonly pointer: string }[] }[];
  readonly invalidCount: number;
  readonly rawKey: string;
}

const order = { id: "o-1", total: 1.5 };
const cloudEvent = { specversion: "1.0", id: "c-1", source: "/shop", type: "order.created", data: order };
const path = "/v1/streams/orders/events";

describe("sending events", () => {
  for (const [what, headers, body, accepted] of [
    ["an object", { "content-type": "application/json" }, JSON.stringify(order), 1],
    ["an object without a content type", {}, JSON.stringify(order), 1],
    [
      "an array",
      { "content-type": "application/json; charset=utf-8" },
      JSON.stringify([order, { ...order, id: "o-2" }]),
      2,
    ],
    [
      "NDJSON",
      { "content-type": "application/x-ndjson" },
      `${JSON.stringify(order)}\n${JSON.stringify({ ...order, id: "o-2" })}\n`,
      2,
    ],
    ["a structured CloudEvent", { "content-type": "application/cloudevents+json" }, JSON.stringify(cloudEvent), 1],
    [
      "a batch of CloudEvents",
      { "content-type": "application/cloudevents-batch+json" },
      JSON.stringify([cloudEvent]),
      1,
    ],
    [
      "a binary CloudEvent",
      {
        "content-type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": "c-1",
        "ce-source": "/shop",
        "ce-type": "order.created",
      },
      JSON.stringify(order),
      1,
    ],
  ] as const) {
    test(
      `as ${what} is answered when durable, and becomes records`,
      withApp(async (app) => {
        const response = await app.request(path, { method: "POST", headers, body });
        assert.equal(response.status, 202);
        const answer = await jsonOf<AcceptanceBody>(response);
        assert.deepEqual({ ...answer, rawKey: "" }, { accepted, invalid: [], invalidCount: 0, rawKey: "" });
        await app.process();
        const records = await jsonOf<PageBody<{ data: unknown; attributes: Record<string, string> | null }>>(
          app.request("/v1/streams/orders/records?where[id][eq]=o-1"),
        );
        assert.deepEqual(records.data[0]?.data, { ...order, cents: 150 });
        if (what.includes("CloudEvent")) assert.equal(records.data[0]?.attributes?.["source"], "/shop");
      }),
    );
  }

  test(
    "names the invalid ones and keeps the rest",
    withApp(async (app) => {
      const body = JSON.stringify([order, { id: "o-2", total: "many" }, { id: "o-3", total: 3 }]);
      const answer = await jsonOf<AcceptanceBody>(app.request(path, { method: "POST", body }));
      assert.equal(answer.accepted, 3);
      assert.equal(answer.invalidCount, 1);
      assert.equal(answer.invalid[0]?.index, 1);
      assert.equal(answer.invalid[0]?.errors[0]?.pointer, "/total");
      await app.process();
      const records = await jsonOf<PageBody<unknown>>(app.request("/v1/streams/orders/records"));
      assert.equal(records.data.length, 2);
    }),
  );

  test(
    "dry judges and transforms, and keeps nothing",
    withApp(async (app) => {
      const body = JSON.stringify([order, { id: "o-2", total: 0 }, { id: "o-3" }]);
      const response = await app.request(`${path}?dryRun=true`, { method: "POST", body });
      assert.equal(response.status, 200);
      const { dryRun, events } = await jsonOf<{ dryRun: boolean; events: { outcome: string; results: unknown[] }[] }>(
        response,
      );
      assert.equal(dryRun, true);
      assert.deepEqual(
        events.map(({ outcome }) => outcome),
        ["stored", "dropped", "quarantined"],
      );
      assert.deepEqual(events[0]?.results, [{ ...order, cents: 150 }]);
      await app.process();
      assert.deepEqual((await jsonOf<PageBody<unknown>>(app.request("/v1/streams/orders/records"))).data, []);
    }),
  );

  test(
    "twice with one Idempotency-Key makes each event once",
    withApp(async (app) => {
      const send = (key: string) =>
        app.request("/v1/streams/notes/events", {
          method: "POST",
          body: '[{"text":"a"},{"text":"b"}]',
          headers: { "idempotency-key": key },
        });
      for (const key of ["first", "first", "second"]) assert.equal((await send(key)).status, 202);
      await app.process();
      assert.equal((await jsonOf<PageBody<unknown>>(app.request("/v1/streams/notes/records"))).data.length, 4);
    }),
  );

  test(
    "takes an Idempotency-Key of 255 visible characters and no other",
    withApp(async (app) => {
      const status = async (key: string) =>
        (await app.request(path, { method: "POST", body: JSON.stringify(order), headers: { "idempotency-key": key } }))
          .status;
      assert.equal(await status("k".repeat(255)), 202);
      for (const key of ["", "k".repeat(256), "a b", "ü"]) assert.equal(await status(key), 400, key);
    }),
  );

  for (const [what, headers, body, status, code] of [
    ["no body", {}, "", 400, "BODY_EMPTY"],
    ["no JSON", {}, "{", 400, "JSON_INVALID"],
    ["bytes that are no UTF-8", {}, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, "UTF8_INVALID"],
    ["another content type", { "content-type": "text/plain" }, "{}", 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["a CSV, which only a file can be", { "content-type": "text/csv" }, "id\n1", 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["JSON 66 levels deep", {}, `${"[".repeat(66)}${"]".repeat(66)}`, 422, "JSON_TOO_DEEP"],
    [
      "a CloudEvent without an id",
      { "ce-specversion": "1.0", "ce-source": "/s", "ce-type": "t" },
      "{}",
      400,
      "CLOUDEVENT_INVALID",
    ],
    ["10,001 events", {}, `[${Array(10_001).fill("{}").join()}]`, 413, "EVENTS_TOO_MANY"],
  ] as const) {
    test(
      `as ${what} is refused with ${code}`,
      withApp(async (app) => {
        const response = await app.request(path, { method: "POST", body, headers });
        assert.equal(response.status, status);
        assert.equal((await problemOf(response)).code, code);
      }),
    );
  }

  test(
    "to a stream that is not there is a 404 that names those that are",
    withApp(async (app) => {
      for (const stream of ["ordres", "__proto__", "constructor", "%E2%82%AC", "a%2Fb"]) {
        const response = await app.request(`/v1/streams/${stream}/events`, { method: "POST", body: "{}" });
        assert.equal(response.status, 404);
        const { code, detail } = await problemOf(response);
        assert.equal(code, "STREAM_UNKNOWN");
        assert.match(detail, /orders, notes/);
      }
    }),
  );
});

describe("JSONTestSuite", { skip: fixtureMissing("json/JSONTestSuite") }, () => {
  test(
    "through the door: every n_ file is a 4xx problem, every y_ file is read, no file is a 5xx",
    withApp(async (app) => {
      const files = await readdir(fixture("json/JSONTestSuite"), { recursive: true });
      const names = files.filter((name) => /(^|\/)[nyi]_[^/]*\.json$/.test(name));
      assert.ok(names.length > 250, `${names.length} files`);
      for (const name of names) {
        const body = await readFile(fixture(`json/JSONTestSuite/${name}`));
        const response = await app.request("/v1/streams/notes/events", { method: "POST", body });
        assert.ok(response.status < 500, `${name}: ${response.status}`);
        const kind = /(?:^|\/)([nyi])_/.exec(name)?.[1];
        if (response.status === 202) assert.notEqual(kind, "n", name);
        else {
          const { code } = await problemOf(response);
          // What is valid JSON is read, also where an event may not be so: twice the same key, a number that would be rounded.
          if (kind === "y") assert.match(code, /^(JSON_KEY_DUPLICATE|NUMBER_NOT_EXACT)$/, name);
        }
      }
    }),
  );
});
