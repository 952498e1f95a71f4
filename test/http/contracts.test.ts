import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventPulseError } from "../../src/model/error.ts";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";

interface SentEvent {
  readonly rawKey: string;
  readonly rawIndex: number;
  readonly receivedAt: string;
  readonly data: { readonly id: string } | null;
  readonly errors: readonly { readonly code: string }[];
}
interface AuditBody {
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
}

const events = (query = "") => `/v1/streams/orders/events?reason=a+test${query}`;

async function ids(app: TestApp, query = ""): Promise<readonly (string | undefined)[]> {
  const { data } = await jsonOf<PageBody<SentEvent>>(app.request(events(query)));
  return data.map((event) => event.data?.id);
}

describe("contract versions", () => {
  test(
    "are listed with their schema, the one in force first",
    withApp(async (app) => {
      const { data, page } = await jsonOf<PageBody<Record<string, unknown>>>(
        app.request("/v1/streams/orders/contracts"),
      );
      assert.equal(page.next, null);
      const { version, announced, jsonSchema, firstSeenAt, ...rest } = data[0] ?? {};
      assert.deepEqual(rest, {});
      assert.match(String(version), /^[0-9a-f]{12}$/);
      assert.equal(announced, null);
      assert.equal((jsonSchema as { type: string }).type, "object");
      assert.equal(firstSeenAt, "2026-01-31T00:00:00.000Z");
      assert.equal((await problemOf(await app.request("/v1/streams/none/contracts"))).code, "STREAM_UNKNOWN");
    }),
  );
});

describe("events as they were sent", () => {
  test(
    "need a reason, and every view is in the audit log before anybody sees one",
    withApp(async (app) => {
      await app.send("orders", { id: "a", total: 1 });
      await app.process();
      const refused = await app.request("/v1/streams/orders/events");
      assert.equal(refused.status, 422);
      assert.equal((await problemOf(refused)).code, "REASON_MISSING");
      const entries = async () => (await jsonOf<PageBody<AuditBody>>(app.request("/v1/audit"))).data;
      assert.deepEqual(await entries(), []);
      assert.deepEqual(await ids(app), ["a"]);
      const [entry, ...others] = await entries();
      assert.deepEqual([entry?.action, entry?.target, entry?.reason], ["events.view", "orders", "a test"]);
      assert.deepEqual(others, []);
    }),
  );

  test(
    "come as they were, invalid and dropped ones too, the newest first",
    withApp(async (app) => {
      await app.send("orders", [
        { id: "a", total: 1, extra: { deep: [1e21, "ü"] } },
        { id: "b", total: "many" },
      ]);
      await app.send("orders", { id: "c", total: 0 });
      await app.send("notes", { id: "other" });
      await app.process();
      const { data } = await jsonOf<PageBody<SentEvent>>(app.request(events()));
      assert.deepEqual(
        data.map((event) => event.data),
        [
          { id: "c", total: 0 },
          { id: "b", total: "many" },
          { id: "a", total: 1, extra: { deep: [1e21, "ü"] } },
        ],
      );
      assert.match(data[0]?.rawKey ?? "", /^raw\/orders\//);
      assert.deepEqual([data[1]?.rawIndex, data[2]?.rawIndex, data[0]?.errors], [1, 0, []]);
      assert.match(data[0]?.receivedAt ?? "", /^\d{4}-.*Z$/);
    }),
  );

  test(
    "come page by page, also from the middle of a batch, and stay in order when more arrive",
    withApp(async (app) => {
      await app.send(
        "orders",
        [1, 2, 3, 4, 5].map((n) => ({ id: `first ${n}`, total: n })),
      );
      await app.send(
        "orders",
        [1, 2].map((n) => ({ id: `second ${n}`, total: n })),
      );
      await app.process();
      const seen: unknown[] = [];
      let path: string | null = events("&limit=3");
      while (path !== null) {
        const response = await app.request(path);
        const link: string | undefined = /^<([^>]+)>/.exec(response.headers.get("link") ?? "")?.[1];
        const { data } = await jsonOf<PageBody<SentEvent>>(response);
        assert.ok(data.length <= 3);
        seen.push(...data.map((event) => event.data?.id));
        path = link ?? null;
        await app.send("orders", { id: `later ${seen.length}`, total: 1 });
        await app.process();
      }
      const first = [5, 4, 3, 2, 1].map((n) => `first ${n}`);
      assert.deepEqual(seen, ["second 2", "second 1", ...first]);
    }),
  );

  test(
    "can be limited to a time, and come as one line each",
    withApp(async (app) => {
      await app.send("orders", { id: "a", total: 1 });
      await app.process();
      const hour = 3_600_000;
      const time = (millis: number) => encodeURIComponent(new Date(Date.now() + millis).toISOString());
      assert.deepEqual(await ids(app, `&from=${time(-hour)}&to=${time(hour)}`), ["a"]);
      assert.deepEqual(await ids(app, `&from=${time(hour)}`), []);
      assert.deepEqual(await ids(app, `&to=${time(-hour)}`), []);
      const turned = await app.request(events(`&from=${time(hour)}&to=${time(-hour)}`));
      assert.equal((await problemOf(turned)).code, "PARAMETER_INVALID");
      const response = await app.request(events(), { headers: { accept: "application/x-ndjson" } });
      assert.equal(response.headers.get("content-type"), "application/x-ndjson");
      const lines = (await response.text()).split("\n");
      assert.deepEqual([lines.length, (JSON.parse(lines[0] ?? "") as SentEvent).data?.id], [2, "a"]);
    }),
  );

  test(
    "say of what cannot be read why, and leave out what has expired",
    withApp(async (app) => {
      await app.request("/v1/streams/orders/events", {
        method: "POST",
        body: '{"id":"a","total":1}\n{"id":"b",,}\n',
        headers: { "content-type": "application/x-ndjson" },
      });
      await app.process();
      const { data } = await jsonOf<PageBody<SentEvent>>(app.request(events()));
      assert.deepEqual(
        data.map((event) => [event.data, event.errors.map(({ code }) => code)]),
        [
          [null, ["JSON_INVALID"]],
          [{ id: "a", total: 1 }, []],
        ],
      );
    }),
  );

  test(
    "of an object that is gone are left out, and of a corrupt one it is said",
    withApp(
      async (app) => {
        await app.send("orders", { id: "gone", total: 1 });
        await app.send("orders", { id: "corrupt", total: 1 });
        await app.process();
        const { data } = await jsonOf<PageBody<SentEvent>>(app.request(events()));
        assert.deepEqual(
          data.map((event) => [event.data, event.errors.map(({ code }) => code)]),
          [[null, ["RAW_CORRUPT"]]],
        );
      },
      {
        async readRaw(key) {
          if (key.endsWith("0000")) return null;
          throw new EventPulseError("RAW_CORRUPT", "The bytes do not match their checksum.");
        },
      },
    ),
  );

  test(
    "refuse a cursor that is not theirs, and a stream that is not there",
    withApp(async (app) => {
      for (const cursor of ["x", "W10", Buffer.from('["raw/notes/x",0]').toString("base64url")]) {
        const response = await app.request(events(`&cursor=${cursor}`));
        assert.equal((await problemOf(response)).code, "CURSOR_INVALID", cursor);
      }
      assert.equal((await problemOf(await app.request("/v1/streams/none/events?reason=x"))).code, "STREAM_UNKNOWN");
    }),
  );
});
