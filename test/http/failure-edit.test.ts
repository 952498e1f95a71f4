import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import { jsonOf, problemOf, type TestApp, withApp } from "./app-harness.ts";
import { auditOf, brokenCustomer, brokenOrder, type FailureBody, failedEvent, sendJson } from "./failed-events.ts";

const total = (value: unknown) => [{ op: "replace", path: "/total", value }];

function edit(app: TestApp, { id, version }: FailureBody, patch: unknown, query = "", headers = {}) {
  const type = { "content-type": "application/json-patch+json", "if-match": `"${version}"`, ...headers };
  return sendJson(app, "PATCH", `/v1/failures/${id}${query}`, patch, type);
}

describe("an edit of a failure", () => {
  test(
    "is kept beside the original when the event then fits",
    withApp(async (app) => {
      const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
      const response = await edit(app, failure, total(12.5), "?reason=texts%20from%20the%20till");
      assert.equal(response.status, 200);
      const edited = await jsonOf<FailureBody>(response);
      assert.equal(response.headers.get("etag"), `"${edited.version}"`);
      const after = JSON.stringify({ id: "o-1", total: 12.5 });
      assert.deepEqual(
        { ...edited.edit, at: null },
        {
          patch: total(12.5),
          by: "local",
          at: null,
          reason: "texts from the till",
          sha256: hash("sha256", after, "hex"),
        },
      );
      assert.equal(edited.state, "quarantined");
      assert.equal(
        await (await app.request(`/v1/failures/${failure.id}/payload`)).text(),
        JSON.stringify(brokenOrder("o-1")),
      );
    }),
  );

  test(
    "leaves an audit entry with the hashes before and after",
    withApp(async (app) => {
      const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
      const first = await jsonOf<FailureBody>(edit(app, failure, total(12.5), "?reason=why"));
      const second = await jsonOf<FailureBody>(edit(app, first, total(13)));
      await edit(app, second, []);
      const entries = await auditOf(app, "?action=failure.edit");
      const sent = failure.payloadSha256;
      const hashes = [sent, first.edit?.sha256, second.edit?.sha256, sent];
      assert.deepEqual(
        entries.map(({ target, reason, hashBefore, hashAfter }) => [target, reason, hashBefore, hashAfter]),
        [
          [failure.id, "why", hashes[0], hashes[1]],
          [failure.id, null, hashes[1], hashes[2]],
          [failure.id, null, hashes[2], hashes[3]],
        ],
      );
    }),
  );

  test(
    "is taken away by an empty patch",
    withApp(async (app) => {
      const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
      const edited = await jsonOf<FailureBody>(edit(app, failure, total(12.5)));
      assert.equal((await jsonOf<FailureBody>(edit(app, edited, []))).edit, null);
    }),
  );

  test(
    "is refused when the event would still fail, and says why",
    withApp(async (app) => {
      const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
      const response = await edit(app, failure, total("many"));
      assert.equal(response.status, 422);
      const problem = await problemOf(response);
      assert.deepEqual([problem.code, problem.errors[0]?.pointer], ["EDIT_REFUSED", "/total"]);
      assert.equal((await jsonOf<FailureBody>(app.request(`/v1/failures/${failure.id}`))).edit, null);
      assert.deepEqual(await auditOf(app), []);
    }),
  );

  test(
    "needs the version that it is based on",
    withApp(async (app) => {
      const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
      const blind = await sendJson(app, "PATCH", `/v1/failures/${failure.id}`, total(1));
      assert.equal(blind.status, 428);
      assert.equal((await problemOf(blind)).code, "IF_MATCH_MISSING");
      assert.equal((await edit(app, failure, total(1))).status, 200);
      const stale = await edit(app, failure, total(2));
      assert.equal(stale.status, 412);
      assert.equal((await problemOf(stale)).code, "ETAG_STALE");
      assert.equal((await edit(app, failure, total(3), "", { "if-match": "*" })).status, 200);
    }),
  );

  test(
    "of what is no longer waiting is a conflict",
    withApp(async (app) => {
      const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
      await app.request(`/v1/failures/${failure.id}?reason=x`, { method: "DELETE" });
      const response = await edit(app, failure, total(1), "", { "if-match": "*" });
      assert.equal(response.status, 409);
      assert.equal((await problemOf(response)).code, "STATE_CONFLICT");
    }),
  );

  test(
    "never shows values of personal fields, wherever the failure is shown",
    withApp(async (app) => {
      const failure = await failedEvent(app, "customers", brokenCustomer);
      const patch = [
        { op: "replace", path: "/email", value: "bea@example.com" },
        { op: "replace", path: "/age", value: 36 },
        { op: "add", path: "/born/city", value: "Ulm" },
        { op: "replace", path: "", value: { ...brokenCustomer, email: "bea@example.com", age: 36 } },
      ];
      const kept = await jsonOf<FailureBody>(edit(app, failure, patch));
      assert.deepEqual(
        kept.edit?.patch.map(({ value }) => value),
        ["•••", 36, "•••", { id: "c-1", email: "•••", born: { year: "•••" }, age: 36 }],
      );
      for (const path of ["/v1/failures", `/v1/failures/${failure.id}`]) {
        assert.doesNotMatch(await (await app.request(path)).text(), /bea@|Ulm|1990/, path);
      }
    }),
  );

  for (const [what, body, headers, status, code] of [
    ["no array", { op: "remove" }, {}, 422, "PATCH_INVALID"],
    ["an unknown operation", [{ op: "append", path: "/total" }], {}, 422, "PATCH_INVALID"],
    ["a path to nowhere", [{ op: "remove", path: "/nowhere" }], {}, 422, "PATCH_INVALID"],
    ["too many operations", Array(1001).fill({ op: "test", path: "/id", value: "o-1" }), {}, 422, "PATCH_INVALID"],
    ["another media type", total(1), { "content-type": "text/plain" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
  ] as const) {
    test(
      `is refused when it is ${what}`,
      withApp(async (app) => {
        const failure = await failedEvent(app, "orders", brokenOrder("o-1"));
        const response = await edit(app, failure, body, "", headers);
        assert.equal((await problemOf(response)).code, code);
        assert.equal(response.status, status);
      }),
    );
  }

  for (const [what, body, code] of [
    ["would be rounded", '[{"op":"replace","path":"/total","value":12345678901234567890}]', "NUMBER_NOT_EXACT"],
    ["would lose a member", '[{"op":"replace","path":"/total","value":1,"value":2}]', "JSON_KEY_DUPLICATE"],
    [
      "is nested too deeply",
      `[{"op":"add","path":"/x","value":${"[".repeat(5_000)}${"]".repeat(5_000)}}]`,
      "JSON_TOO_DEEP",
    ],
    ["is no JSON", "[", "JSON_INVALID"],
    ["is empty", "", "BODY_EMPTY"],
  ] as const) {
    test(
      `is refused when what it says ${what}`,
      withApp(async (app) => {
        const { id } = await failedEvent(app, "orders", brokenOrder("o-1"));
        const response = await app.request(`/v1/failures/${id}`, {
          method: "PATCH",
          body,
          headers: { "content-type": "application/json-patch+json", "if-match": "*" },
        });
        assert.ok(response.status === 422 || response.status === 400, String(response.status));
        assert.equal((await problemOf(response)).code, code);
      }),
    );
  }

  test(
    "of a failure that is not there is 404",
    withApp(async (app) => {
      const response = await sendJson(app, "PATCH", "/v1/failures/fail_0", [], { "if-match": "*" });
      assert.equal((await problemOf(response)).code, "FAILURE_UNKNOWN");
    }),
  );
});

describe("a dry run of an edit", () => {
  test(
    "shows what would become of the event, masked, and keeps nothing",
    withApp(async (app) => {
      const failure = await failedEvent(app, "customers", brokenCustomer);
      const patch = [{ op: "replace", path: "/age", value: 36 }];
      // Nothing is kept, so nothing needs a version.
      const response = await sendJson(app, "PATCH", `/v1/failures/${failure.id}?dryRun=true`, patch);
      const masked = { ...brokenCustomer, email: "•••", born: { year: "•••" } };
      assert.deepEqual(await jsonOf(response), {
        before: masked,
        after: { ...masked, age: 36 },
        outcome: "stored",
        results: [{ ...masked, age: 36 }],
      });
      const { edit: kept, version } = await jsonOf<FailureBody>(app.request(`/v1/failures/${failure.id}`));
      assert.deepEqual([kept, version], [null, failure.version]);
      assert.deepEqual(
        (await auditOf(app)).map(({ action, details }) => [action, details]),
        [["payload.view", { masked: true, edited: true }]],
      );
    }),
  );

  test(
    "is refused like the edit",
    withApp(async (app) => {
      const { id } = await failedEvent(app, "orders", brokenOrder("o-1"));
      const response = await sendJson(app, "PATCH", `/v1/failures/${id}?dryRun=true`, []);
      assert.equal((await problemOf(response)).code, "EDIT_REFUSED");
    }),
  );
});
