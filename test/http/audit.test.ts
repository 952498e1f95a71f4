import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AuditEntry, auditHash, auditStart } from "../../src/model/audit.ts";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";
import { auditOf, brokenOrder, failedEvents } from "./failed-events.ts";

/** Three entries: somebody looks, retries, discards. */
async function written(app: TestApp) {
  const [first, second] = await failedEvents(app, "orders", [brokenOrder("o-1"), brokenOrder("o-2")]);
  assert.ok(first !== undefined && second !== undefined);
  const headers = { authorization: "Bearer right" };
  await app.request(`/v1/failures/${first.id}/payload`);
  await app.request(`/v1/failures/${first.id}/retry?reason=fixed`, { method: "POST", headers });
  await app.request(`/v1/failures/${second.id}?reason=a%20test`, { method: "DELETE", headers });
  return { first, second };
}

describe("the audit log", () => {
  test(
    "has who did what to which bytes and why, oldest first",
    withApp(async (app) => {
      const { first, second } = await written(app);
      assert.deepEqual(
        (await auditOf(app)).map(({ sequence, actor, action, target, reason, hashBefore }) => [
          ...[sequence, actor, action],
          ...[target, reason, hashBefore],
        ]),
        [
          [1, "local", "payload.view", first.id, null, first.payloadSha256],
          [2, "key", "failure.retry", first.id, "fixed", first.payloadSha256],
          [3, "key", "failure.discard", second.id, "a test", second.payloadSha256],
        ],
      );
    }),
  );

  test(
    "shows all that its hashes are made of, so that a reader can check the chain",
    withApp(async (app) => {
      await written(app);
      const { data } = await jsonOf<PageBody<Omit<AuditEntry, "at"> & { readonly at: string }>>(
        app.request("/v1/audit"),
      );
      let previous = auditStart;
      for (const entry of data) {
        assert.equal(entry.previousHash, previous);
        assert.equal(auditHash({ ...entry, at: Date.parse(entry.at) }), entry.hash);
        previous = entry.hash;
      }
    }),
  );

  test(
    "is listed by every filter, page by page",
    withApp(async (app) => {
      const { first } = await written(app);
      for (const [query, expected] of [
        ["action=payload.view", [1]],
        [`target=${first.id}`, [1, 2]],
        ["actor=key", [2, 3]],
        ["actor=nobody", []],
        ["to=2001-01-01T00:00:00Z", []],
        ["from=2001-01-01T00:00:00Z", [1, 2, 3]],
      ] as const) {
        assert.deepEqual(
          (await auditOf(app, `?${query}`)).map(({ sequence }) => sequence),
          expected,
          query,
        );
      }
      const page = await app.request("/v1/audit?limit=2");
      const next = /^<([^>]+)>/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
      const rest = await jsonOf<PageBody<{ sequence: number }>>(app.request(next));
      assert.deepEqual(
        rest.data.map(({ sequence }) => sequence),
        [3],
      );
      for (const [query, code] of [
        ["action=look", "PARAMETER_INVALID"],
        ["from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "PARAMETER_INVALID"],
        ["who=key", "PARAMETER_UNKNOWN"],
        ["cursor=x", "CURSOR_INVALID"],
      ] as const) {
        assert.equal((await problemOf(await app.request(`/v1/audit?${query}`))).code, code, query);
      }
    }),
  );

  test(
    "cannot be written to or erased",
    withApp(async (app) => {
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        assert.equal((await app.request("/v1/audit", { method })).status, 405, method);
      }
    }),
  );
});
