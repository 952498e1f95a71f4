import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import { limits } from "../../src/model/limits.ts";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";

interface LinkBody {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: string;
}
interface UploadBody {
  readonly state: string;
  readonly fileName: string;
  readonly receivedAt: string | null;
  readonly result: Readonly<Record<string, number>> | null;
  readonly failures: string | null;
  readonly notice: string | null;
}

const csv = "id,total,country\r\no-1,18.5,DE\r\no-2,many,DE\r\n";

function ask(app: TestApp, more: Record<string, unknown> = {}) {
  const wanted = { stream: "orders", fileName: "january.csv", contentType: "text/csv", bytes: csv.length, ...more };
  return app.request("/v1/uploads", {
    method: "POST",
    body: JSON.stringify(wanted),
    headers: { "content-type": "application/json" },
  });
}

describe("an upload", () => {
  test(
    "goes from waiting to received to processed, and says where its failures are",
    withApp(async (app) => {
      const response = await ask(app, { sha256: hash("sha256", csv) });
      assert.equal(response.status, 201);
      const link = await jsonOf<LinkBody>(response);
      assert.equal(response.headers.get("location"), `/v1/uploads/${link.id}`);
      assert.match(link.id, /^upl_\d{8}_orders_[0-9a-f]{24}$/);
      const until = Date.parse(link.expiresAt) - Date.now();
      assert.ok(until > 0 && until <= limits.uploadLinkSeconds * 1000);
      const status = () => jsonOf<UploadBody>(app.request(`/v1/uploads/${link.id}`));
      const waiting = await status();
      assert.deepEqual(
        [waiting.state, waiting.fileName, waiting.receivedAt, waiting.result, waiting.notice],
        ["waiting", "january.csv", null, null, null],
      );

      const put = await app.request(link.url, { method: link.method, headers: link.headers, body: csv });
      assert.deepEqual(await jsonOf(put), {
        id: link.id,
        state: "received",
        events: 2,
        sha256: hash("sha256", csv),
        bytes: csv.length,
      });
      assert.equal((await status()).state, "received");

      await app.process();
      const processed = await status();
      assert.equal(processed.state, "processed");
      assert.deepEqual(processed.result, {
        stored: 1,
        dropped: 0,
        quarantined: 1,
        dead: 0,
        retrying: 0,
        duplicates: 0,
      });
      const failures = await jsonOf<PageBody<{ door: string; principal: string }>>(
        app.request(processed.failures ?? ""),
      );
      assert.deepEqual(
        failures.data.map(({ door, principal }) => [door, principal]),
        [["upload", "local"]],
      );
      const told = await jsonOf<PageBody<{ topic: string; text: string }>>(app.request("/v1/notifications"));
      assert.deepEqual(
        told.data.map(({ topic, text }) => [topic, text]),
        [["upload", processed.notice]],
      );
      assert.match(processed.notice ?? "", /^january\.csv: 1 of 2 rows could not be taken\.\n\n- "total" .*: row 3\n/);
    }),
  );

  test(
    "needs no key for its file, because the link is signed",
    withApp(async (app) => {
      const link = await jsonOf<LinkBody>(ask(app));
      const headers = { ...link.headers, authorization: "Bearer wrong" };
      assert.equal((await app.request(link.url, { method: "PUT", headers, body: csv })).status, 200);
    }),
  );

  test(
    "takes the same file again, and no other one",
    withApp(async (app) => {
      const link = await jsonOf<LinkBody>(ask(app));
      const put = (body: string) => app.request(link.url, { method: "PUT", headers: link.headers, body });
      assert.equal((await put(csv)).status, 200);
      assert.equal((await put(csv)).status, 200);
      const other = await put(csv.replace("18.5", "19.5"));
      assert.equal(other.status, 409);
      assert.equal((await problemOf(other)).code, "STATE_CONFLICT");
      await app.process();
      assert.equal((await put(csv)).status, 200);
      await app.process();
      assert.equal((await jsonOf<PageBody<unknown>>(app.request("/v1/streams/orders/records"))).data.length, 1);
    }),
  );

  for (const [what, change, code] of [
    ["another length", { body: `${csv}x` }, "BODY_TOO_LARGE"],
    ["fewer bytes", { body: csv.slice(1) }, "BODY_INVALID"],
    ["another checksum", { body: csv.replace("18.5", "19.5") }, "BODY_INVALID"],
    ["another content type", { headers: { "content-type": "application/json" } }, "CONTENT_TYPE_UNSUPPORTED"],
    [
      "a content encoding",
      { headers: { "content-type": "text/csv", "content-encoding": "gzip" } },
      "ENCODING_UNSUPPORTED",
    ],
  ] as const) {
    test(
      `refuses a file with ${what}`,
      withApp(async (app) => {
        const link = await jsonOf<LinkBody>(ask(app, { sha256: hash("sha256", csv) }));
        const response = await app.request(link.url, { method: "PUT", headers: link.headers, body: csv, ...change });
        assert.equal((await problemOf(response)).code, code);
        assert.equal((await jsonOf<UploadBody>(app.request(`/v1/uploads/${link.id}`))).state, "waiting");
      }),
    );
  }

  test(
    "refuses a file that cannot be read, and keeps nothing of it",
    withApp(async (app) => {
      const text = '{"id":"o-1"';
      const link = await jsonOf<LinkBody>(ask(app, { contentType: "application/json", bytes: text.length }));
      const response = await app.request(link.url, { method: "PUT", headers: link.headers, body: text });
      assert.equal(response.status, 400);
      assert.equal((await problemOf(response)).code, "JSON_INVALID");
      assert.equal((await jsonOf<UploadBody>(app.request(`/v1/uploads/${link.id}`))).state, "waiting");
    }),
  );

  test(
    "refuses a link that was changed, or that belongs to another upload",
    withApp(async (app) => {
      const link = await jsonOf<LinkBody>(ask(app));
      const other = await jsonOf<LinkBody>(ask(app));
      const changed = [
        link.url.replace(`bytes=${csv.length}`, "bytes=1"),
        link.url.replace(link.id, other.id),
        link.url.split("?")[0] ?? "",
        link.url.replaceAll(link.id, "upl_1"),
      ];
      for (const url of changed) {
        assert.notEqual(url, link.url);
        const response = await app.request(url, { method: "PUT", headers: link.headers, body: csv });
        assert.equal(response.status, 403);
        assert.equal((await problemOf(response)).code, "LINK_INVALID");
      }
    }),
  );

  test(
    "that was never asked for, or by another tenant, is a 404",
    withApp(
      async (app) => {
        for (const id of [
          "upl_1",
          "upl_20260131_orders_5f0c2b9e1a7d4c3890ab12cd",
          "upl_20260131_..%2F..%2Fx_5f0c2b9e1a7d4c3890ab12cd",
        ]) {
          assert.equal((await problemOf(await app.request(`/v1/uploads/${id}`))).code, "UPLOAD_UNKNOWN");
        }
        const link = await jsonOf<LinkBody>(ask(app));
        const response = await app.request(`/v1/uploads/${link.id}`, { headers: { authorization: "Bearer other" } });
        assert.equal((await problemOf(response)).code, "UPLOAD_UNKNOWN");
      },
      { authenticate: (token) => ({ name: token ?? "local", tenant: token ?? "default" }) },
    ),
  );

  for (const [what, more, status, code] of [
    ["too many bytes", { bytes: limits.bodyBytesMax + 1 }, 422, "BODY_INVALID"],
    ["no bytes", { bytes: 0 }, 422, "BODY_INVALID"],
    ["half a byte", { bytes: 1.5 }, 422, "BODY_INVALID"],
    ["a checksum that is none", { sha256: "abc" }, 422, "BODY_INVALID"],
    ["a header in its content type", { contentType: "text/csv\r\nx: y" }, 422, "BODY_INVALID"],
    ["an image", { contentType: "image/png" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["an unknown stream", { stream: "x" }, 404, "STREAM_UNKNOWN"],
    ["an unknown member", { path: "/etc" }, 422, "BODY_INVALID"],
    ["no file name", { fileName: "" }, 422, "BODY_INVALID"],
  ] as const) {
    test(
      `is not given for ${what}`,
      withApp(async (app) => {
        const response = await ask(app, more);
        assert.equal(response.status, status);
        assert.equal((await problemOf(response)).code, code);
      }),
    );
  }
});
