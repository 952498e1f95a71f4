import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";

interface FailureBody {
  readonly id: string;
  readonly stream: string;
  readonly state: string;
  readonly code: string;
  readonly class: string;
  readonly fingerprint: string;
  readonly note: string | null;
  readonly version: number;
  readonly tenant?: string;
  readonly firstSeenAt: string;
}

const broken = '{ "id": "o-2",  "total": "many" }';

async function failed(app: TestApp, count = 1): Promise<readonly FailureBody[]> {
  for (let index = 0; index < count; index++) {
    const body = index === 0 ? broken : `{"id":"x-${index}","total":"many"}`;
    await app.request("/v1/streams/orders/events", {
      method: "POST",
      body,
      headers: { "content-type": "application/json; charset=utf-8" },
    });
  }
  await app.process();
  return (await jsonOf<PageBody<FailureBody>>(app.request("/v1/failures"))).data;
}

describe("failures", () => {
  test(
    "are listed by every filter, and never show the tenant",
    withApp(async (app) => {
      const [failure] = await failed(app);
      assert.ok(failure);
      assert.equal(failure.state, "quarantined");
      assert.equal(failure.tenant, undefined);
      assert.match(failure.firstSeenAt, /Z$/);
      const count = async (query: string) =>
        (await jsonOf<PageBody<FailureBody>>(app.request(`/v1/failures?${query}`))).data.length;
      for (const [query, expected] of [
        ["stream=orders", 1],
        ["stream=notes", 0],
        ["state=quarantined", 1],
        ["state=dead", 0],
        ["class=invalid", 1],
        ["class=bug", 0],
        [`code=${failure.code}`, 1],
        ["code=OTHER", 0],
        [`fingerprint=${failure.fingerprint}`, 1],
        ["fingerprint=0", 0],
        [`from=${failure.firstSeenAt}`, 1],
        [`to=${failure.firstSeenAt}`, 0],
        ["contains=many", 1],
        ["contains=few", 0],
        ["where[id][eq]=o-2", 1],
        ["where[id][eq]=o-2&where[total][eq]=1", 0],
      ] as const) {
        assert.equal(await count(query), expected, query);
      }
      assert.equal((await problemOf(await app.request("/v1/failures?state=broken"))).code, "PARAMETER_INVALID");
    }),
  );

  test(
    "come page by page",
    withApp(async (app) => {
      await failed(app, 5);
      const first = await app.request("/v1/failures?limit=3");
      const next = /^<([^>]+)>/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
      const ids = [
        ...(await jsonOf<PageBody<FailureBody>>(first)).data,
        ...(await jsonOf<PageBody<FailureBody>>(app.request(next))).data,
      ];
      assert.equal(new Set(ids.map(({ id }) => id)).size, 5);
    }),
  );

  test(
    "come in both orders",
    withApp(async (app) => {
      const newest = (await failed(app, 3)).map(({ id }) => id);
      const oldest = await jsonOf<PageBody<FailureBody>>(app.request("/v1/failures?order=asc"));
      assert.deepEqual(oldest.data.map(({ id }) => id).toReversed(), newest);
    }),
  );

  test(
    "give their bytes back as they were sent, as a download that no browser guesses at",
    withApp(async (app) => {
      const [failure] = await failed(app);
      const response = await app.request(`/v1/failures/${failure?.id}/payload`);
      assert.equal(response.headers.get("content-type"), "application/octet-stream");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.match(response.headers.get("content-disposition") ?? "", /^attachment; filename="fail_[0-9a-f]+\.bin"$/);
      assert.equal(response.headers.get("x-original-content-type"), "application/json; charset=utf-8");
      assert.equal(await response.text(), broken);
    }),
  );

  test(
    "are retried with 202 and a Location, once",
    withApp(async (app) => {
      const [failure] = await failed(app);
      const response = await app.request(`/v1/failures/${failure?.id}/retry`, { method: "POST" });
      assert.equal(response.status, 202);
      assert.equal(response.headers.get("location"), `/v1/failures/${failure?.id}`);
      const retried = await jsonOf<FailureBody>(response);
      assert.equal(retried.state, "retrying");
      assert.equal(response.headers.get("etag"), `"${retried.version}"`);
      const again = await app.request(`/v1/failures/${failure?.id}/retry`, { method: "POST" });
      assert.equal(again.status, 409);
      assert.equal((await problemOf(again)).code, "STATE_CONFLICT");
    }),
  );

  test(
    "are discarded with a reason, which names who did it",
    withApp(async (app) => {
      const [failure] = await failed(app);
      const path = `/v1/failures/${failure?.id}`;
      const without = await problemOf(await app.request(path, { method: "DELETE" }));
      assert.equal(without.code, "PARAMETER_INVALID");
      assert.match(without.detail, /"reason" is required/);
      const discarded = await jsonOf<FailureBody>(
        app.request(`${path}?reason=a%20test`, { method: "DELETE", headers: { authorization: "Bearer right" } }),
      );
      assert.equal(discarded.state, "discarded");
      assert.equal(discarded.note, "key: a test");
    }),
  );

  test(
    "are changed only at the version that If-Match names",
    withApp(async (app) => {
      const [failure] = await failed(app);
      const path = `/v1/failures/${failure?.id}`;
      const etag = (await app.request(path)).headers.get("etag") ?? "";
      assert.equal(etag, `"${failure?.version}"`);
      assert.equal((await app.request(path, { headers: { "if-none-match": etag } })).status, 304);
      for (const stale of ['"999"', `W/${etag}`, "nonsense"]) {
        const response = await app.request(`${path}?reason=x`, { method: "DELETE", headers: { "if-match": stale } });
        assert.equal(response.status, 412, stale);
        assert.equal((await problemOf(response)).code, "ETAG_STALE");
      }
      assert.equal(
        (await app.request(`${path}?reason=x`, { method: "DELETE", headers: { "if-match": `"999", ${etag}` } })).status,
        200,
      );
    }),
  );

  test(
    "that are not there are 404, whatever is asked of them",
    withApp(async (app) => {
      for (const [method, path] of [
        ["GET", "/v1/failures/fail_0"],
        ["GET", "/v1/failures/fail_0/payload"],
        ["POST", "/v1/failures/fail_0/retry"],
        ["DELETE", "/v1/failures/fail_0?reason=x"],
      ] as const) {
        const response = await app.request(path, { method, headers: { "if-match": "*" } });
        assert.equal(response.status, 404, `${method} ${path}`);
        assert.equal((await problemOf(response)).code, "FAILURE_UNKNOWN");
      }
    }),
  );
});
