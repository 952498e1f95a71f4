import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Notification } from "../../src/model/notification.ts";
import { jsonOf, type PageBody, withApp } from "./app-harness.ts";

describe("operating", () => {
  test(
    "the balance has every stream and their total",
    withApp(async (app) => {
      const counts = (stored: number) => ({
        accepted: stored + 1,
        stored,
        dropped: 0,
        quarantined: 0,
        dead: 0,
        inFlight: 1,
        duplicates: 2,
      });
      assert.deepEqual(await jsonOf(app.request("/v1/balance")), {
        total: { accepted: 8, stored: 6, dropped: 0, quarantined: 0, dead: 0, inFlight: 2, duplicates: 4 },
        streams: { orders: counts(5), notes: counts(1) },
      });
    }),
  );

  test("liveness and readiness are open, and a failing check is a 503 that says which", async () => {
    const bad = { name: "write path", ok: false, detail: "The disk is full." };
    await withApp(async (app) => {
      assert.deepEqual(await jsonOf(app.request("/health/live")), { status: "ok", version: "0.0.0-test" });
      assert.equal((await app.request("/health/ready")).status, 200);
    })();
    await withApp(
      async (app) => {
        const response = await app.request("/health/ready");
        assert.equal(response.status, 503);
        assert.equal(response.headers.get("retry-after"), "5");
        assert.deepEqual(await response.json(), { status: "failing", checks: [bad] });
        assert.equal((await app.request("/health/live")).status, 200);
      },
      { readiness: async () => [bad] },
    )();
  });

  test(
    "metrics come as Prometheus reads them",
    withApp(async (app) => {
      const response = await app.request("/metrics");
      assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
      assert.match(await response.text(), /^eventpulse_up 1$/m);
    }),
  );

  test("notifications show where they went and no credential of the way", async () => {
    const notification: Notification = {
      id: "ntf_1",
      tenant: "default",
      topic: "failures",
      stream: "orders",
      subject: "1 event failed",
      text: "…",
      data: { count: 1 },
      destinations: [
        { kind: "webhook", url: "https://user:pass@hooks.example.com/in?token=hidden#x", secret: "whsec_hidden" },
        { kind: "email", address: "ops@example.com" },
      ],
      state: "captured",
      attempts: 1,
      createdAt: Date.parse("2026-01-31T12:00:00Z"),
      suppressed: 0,
      lastError: null,
    };
    await withApp(
      async (app) => {
        const text = await (await app.request("/v1/notifications?limit=1")).text();
        assert.doesNotMatch(text, /hidden|pass/);
        const { data, page } = JSON.parse(text) as PageBody<{ destinations: unknown; createdAt: string }>;
        assert.deepEqual(data[0]?.destinations, [
          { kind: "webhook", address: "https://hooks.example.com/in" },
          { kind: "email", address: "ops@example.com" },
        ]);
        assert.equal(data[0]?.createdAt, "2026-01-31T12:00:00.000Z");
        assert.deepEqual(page, { next: "more", limit: 1 });
      },
      { notifications: { get: async () => null, query: async () => ({ rows: [notification], next: "more" }) } },
    )();
  });
});
