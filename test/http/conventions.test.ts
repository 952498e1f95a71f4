import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EventPulseError } from "../../src/model/error.ts";
import { jsonOf, origin, problemOf, withApp } from "./app-harness.ts";

describe("every answer", () => {
  test(
    "has a request id and the headers that keep browsers from guessing",
    withApp(async (app) => {
      for (const path of ["/v1/me", "/nothing", "/docs", "/", "/metrics", "/health/live", "/v1/streams/nothing"]) {
        const { headers } = await app.request(path);
        assert.match(headers.get("x-request-id") ?? "", /^req_[0-9a-f-]{36}$/, path);
        assert.equal(headers.get("x-content-type-options"), "nosniff", path);
        assert.equal(headers.get("referrer-policy"), "no-referrer", path);
      }
    }),
  );

  test(
    "keeps the client's request id when it is safe to log",
    withApp(async (app) => {
      const kept = await app.request("/v1/me", { headers: { "x-request-id": "build-17/step.2" } });
      assert.equal(kept.headers.get("x-request-id"), "build-17/step.2");
      for (const bad of ["", "a b", "<script>", "x".repeat(129)]) {
        const response = await app.request("/v1/me", { headers: { "x-request-id": bad } });
        assert.match(response.headers.get("x-request-id") ?? "", /^req_/);
      }
    }),
  );

  test(
    "has no CORS header, also for OPTIONS",
    withApp(async (app) => {
      const response = await app.request("/v1/streams", { method: "OPTIONS" });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
      assert.deepEqual(
        [...response.headers.keys()].filter((name) => name.startsWith("access-control")),
        [],
      );
    }),
  );
});

describe("a wrong address or method", () => {
  test(
    "is a 404 problem, with and without a key",
    withApp(async (app) => {
      for (const path of [
        "/nothing",
        "/v1/nothing",
        "/v1/streams/",
        "/v1//streams",
        "/v1/streams/a/b/c",
        "/%00",
        "/%ff",
        "//",
      ]) {
        const response = await app.request(path, { headers: { authorization: "Bearer wrong" } });
        assert.equal(response.status, 404, path);
        assert.equal((await problemOf(response)).code, "ROUTE_UNKNOWN");
      }
    }),
  );

  test(
    "is a 405 problem that names the methods the address takes",
    withApp(async (app) => {
      for (const [method, path, allow] of [
        ["PUT", "/v1/streams/orders/events", "GET, POST, HEAD, OPTIONS"],
        ["PUT", "/v1/failures/fail_1", "GET, PATCH, DELETE, HEAD, OPTIONS"],
        ["POST", "/v1/anomalies/anom_1", "GET, PATCH, HEAD, OPTIONS"],
        ["BREW", "/v1/me", "GET, HEAD, OPTIONS"],
      ] as const) {
        const response = await app.request(path, { method });
        assert.equal(response.status, 405, `${method} ${path}`);
        assert.equal(response.headers.get("allow"), allow);
        assert.equal((await problemOf(response)).code, "METHOD_NOT_ALLOWED");
      }
    }),
  );

  test(
    "HEAD answers as GET does, without a body",
    withApp(async (app) => {
      for (const path of ["/v1/me", "/v1/streams/nothing", "/nothing"]) {
        const [get, head] = [await app.request(path), await app.request(path, { method: "HEAD" })];
        assert.equal(head.status, get.status, path);
        assert.equal(head.headers.get("content-type"), get.headers.get("content-type"));
        assert.equal(await head.text(), "");
      }
    }),
  );
});

describe("query parameters", () => {
  test(
    "that are unknown are refused with the known ones",
    withApp(async (app) => {
      const problem = await problemOf(await app.request("/v1/failures?strem=orders"));
      assert.equal(problem.code, "PARAMETER_UNKNOWN");
      assert.equal(problem.errors[0]?.pointer, "/query/strem");
      assert.match(
        problem.detail,
        /"strem" is not one of: stream, state, class, code, fingerprint, from, to, contains, order, limit, cursor/,
      );
      for (const path of [
        "/v1/me?x=1",
        "/v1/balance?x",
        "/v1/streams/orders?limit=1",
        "/health/ready?verbose",
        "/?x=1",
        "/docs?x=1",
      ]) {
        assert.equal((await problemOf(await app.request(path))).code, "PARAMETER_UNKNOWN", path);
      }
      const events = await app.request("/v1/streams/orders/events?dryrun=true", { method: "POST", body: "{}" });
      assert.equal((await problemOf(events)).code, "PARAMETER_UNKNOWN");
    }),
  );

  test(
    "that are wrong are refused, all named at once",
    withApp(async (app) => {
      const problem = await problemOf(
        await app.request("/v1/streams/orders/records?limit=1e3&from=yesterday&order=up"),
      );
      assert.equal(problem.code, "PARAMETER_INVALID");
      assert.deepEqual(
        problem.errors.map(({ pointer }) => pointer),
        ["/query/from", "/query/order", "/query/limit"],
      );
    }),
  );

  for (const query of [
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=",
    "limit=1&limit=2",
    "limit=%31%30%ff",
    "limit=5%",
    "from=2026-02-30T00:00:00Z",
    "from=2026-01-01",
    "from=2026-01-01T00:00:00+02:00",
    "cursor=",
    "where[total]=1",
    "where[][eq]=1",
    "where[total][like]=1",
    "where[total][exists]=maybe",
    "where=1",
    "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "__proto__=1",
    "constructor=1",
  ]) {
    test(
      `like ${query} give 400`,
      withApp(async (app) => {
        const response = await app.request(`/v1/streams/orders/records?${query}`);
        assert.equal(response.status, 400);
        assert.match((await problemOf(response)).code, /^PARAMETER_(INVALID|UNKNOWN)$/);
      }),
    );
  }

  test(
    "take times with an offset when the plus is encoded",
    withApp(async (app) => {
      assert.equal((await app.request("/v1/streams/orders/records?from=2026-01-01T00:00:00%2B02:00")).status, 200);
    }),
  );

  test(
    "take twenty conditions and not one more",
    withApp(async (app) => {
      const conditions = (count: number) =>
        Array.from({ length: count }, (_, index) => `where[f${index}][eq]=1`).join("&");
      assert.equal((await app.request(`/v1/streams/orders/records?${conditions(20)}`)).status, 200);
      assert.equal((await app.request(`/v1/streams/orders/records?${conditions(21)}`)).status, 400);
    }),
  );
});

describe("who may ask", () => {
  test(
    "a wrong key is a 401 that names the scheme; a right one and none are let in here",
    withApp(async (app) => {
      for (const authorization of ["Bearer wrong", "Bearer", "Basic cmlnaHQ=", "right", "Bearer right x"]) {
        const response = await app.request("/v1/me", { headers: { authorization } });
        assert.equal(response.status, 401, authorization);
        assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer /);
        assert.equal((await problemOf(response)).code, "KEY_INVALID");
      }
      assert.deepEqual(await jsonOf(app.request("/v1/me", { headers: { authorization: "bearer right" } })), {
        name: "key",
        tenant: "default",
      });
      assert.deepEqual(await jsonOf(app.request("/v1/me")), { name: "local", tenant: "default" });
    }),
  );

  test(
    "without a key every operation of /v1 is closed and the rest is open",
    withApp(
      async (app) => {
        for (const operation of app.app.operations()) {
          const [method = "", path = ""] = operation.split(" ");
          const response = await app.request(path.replaceAll(/\{\w+\}/g, "orders"), { method });
          const open = !path.startsWith("/v1/") || path === "/v1/uploads/{id}/content";
          assert.equal(response.status === 401, !open, operation);
          await response.body?.cancel();
        }
      },
      { authenticate: () => null },
    ),
  );

  test(
    "a Host that is not this server is refused",
    withApp(async (app) => {
      for (const headers of [{ host: "evil.example" }, { host: "localhost:9999" }, { host: "" }]) {
        const response = await app.request("/health/live", { headers });
        assert.equal(response.status, 403);
        assert.equal((await problemOf(response)).code, "HOST_NOT_ALLOWED");
      }
    }),
  );

  test(
    "an Origin that is not this server is refused, its own is not",
    withApp(async (app) => {
      for (const other of [
        "https://evil.example",
        "null",
        "http://localhost:3000",
        "http://localhost:8080.evil.example",
      ]) {
        const response = await app.request("/v1/streams/orders/events", {
          method: "POST",
          body: "{}",
          headers: { origin: other },
        });
        assert.equal((await problemOf(response)).code, "ORIGIN_NOT_ALLOWED", other);
        assert.equal(response.status, 403);
      }
      assert.equal((await app.request("/v1/me", { headers: { origin } })).status, 200);
    }),
  );
});

describe("trouble inside", () => {
  test(
    "is a 500 that tells the client the request id and the log the rest",
    withApp(
      async (app) => {
        const response = await app.request("/v1/balance");
        assert.equal(response.status, 500);
        const text = JSON.stringify(await problemOf(response));
        assert.match(text, /"code":"INTERNAL"/);
        assert.doesNotMatch(text, /secret|Error|\.ts/);
        assert.match(String(app.logged[0]), /a secret in a message/);
      },
      { balance: () => Promise.reject(new TypeError("a secret in a message")) },
    ),
  );

  test(
    "is the same when what is thrown is no Error",
    withApp(
      async (app) => {
        assert.equal((await problemOf(await app.request("/v1/balance"))).code, "INTERNAL");
      },
      { balance: () => Promise.reject("just text") },
    ),
  );

  for (const [code, status] of [
    ["TOO_BUSY", 429],
    ["NOT_DURABLE", 503],
    ["SHUTTING_DOWN", 503],
  ] as const) {
    test(
      `${code} says when to come back`,
      withApp(
        async (app) => {
          const response = await app.request("/v1/streams/orders/events", {
            method: "POST",
            body: '{"id":"a","total":1}',
          });
          assert.equal(response.status, status);
          assert.equal(response.headers.get("retry-after"), "3");
          assert.equal((await problemOf(response)).code, code);
          assert.deepEqual(app.logged, []);
        },
        { raw: { append: () => Promise.reject(new EventPulseError(code, "No.", { retryAfterSeconds: 2.5 })) } },
      ),
    );
  }
});
