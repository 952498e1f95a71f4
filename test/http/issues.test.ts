import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";
import { auditOf, brokenOrder, failedEvents, sendJson } from "./failed-events.ts";

interface IssueBody {
  readonly id: string;
  readonly state: string;
  readonly owner: string | null;
  readonly note: string | null;
  readonly total: number;
  readonly waiting: number;
  readonly exampleId: string;
  readonly code: string;
  readonly version: number;
  readonly tenant?: string;
  readonly trend?: readonly { readonly time: string; readonly count: number }[];
}

async function found(app: TestApp): Promise<IssueBody> {
  await failedEvents(app, "orders", [brokenOrder("o-1"), brokenOrder("o-2"), brokenOrder("o-3")]);
  const { data } = await jsonOf<PageBody<IssueBody>>(app.request("/v1/issues"));
  assert.equal(data.length, 1);
  return data[0] as IssueBody;
}

describe("issues", () => {
  test(
    "group failures by cause and are listed by every filter",
    withApp(async (app) => {
      const issue = await found(app);
      assert.deepEqual([issue.total, issue.waiting, issue.state, issue.tenant], [3, 3, "open", undefined]);
      for (const [query, expected] of [
        ["stream=orders", 1],
        ["stream=notes", 0],
        ["state=open", 1],
        ["state=resolved", 0],
        [`code=${issue.code}`, 1],
        ["code=OTHER", 0],
      ] as const) {
        const { data } = await jsonOf<PageBody<IssueBody>>(app.request(`/v1/issues?${query}`));
        assert.equal(data.length, expected, query);
      }
      assert.equal((await problemOf(await app.request("/v1/issues?state=closed"))).code, "PARAMETER_INVALID");
      assert.equal((await problemOf(await app.request("/v1/issues?owner=me"))).code, "PARAMETER_UNKNOWN");
    }),
  );

  test(
    "come alone with the hours in which they came",
    withApp(async (app) => {
      const { id } = await found(app);
      const issue = await jsonOf<IssueBody>(app.request(`/v1/issues/${id}`));
      const counted = issue.trend?.reduce((sum, { count }) => sum + count, 0);
      assert.equal(counted, 3);
      for (const { time } of issue.trend ?? []) assert.match(time, /T\d\d:00:00\.000Z$/);
    }),
  );

  test(
    "never answer 304: their counts change and their version does not",
    withApp(async (app) => {
      const { id, version } = await found(app);
      const headers = { "if-none-match": `"${version}"` };
      assert.equal((await app.request(`/v1/issues/${id}`, { headers })).status, 200);
    }),
  );

  test(
    "keep what a change leaves out, and every change has an audit entry",
    withApp(async (app) => {
      const { id } = await found(app);
      const path = `/v1/issues/${id}`;
      const assigned = await jsonOf<IssueBody>(sendJson(app, "PATCH", path, { owner: "ann", note: "the till" }));
      assert.deepEqual([assigned.state, assigned.owner, assigned.note], ["open", "ann", "the till"]);
      const ignored = await jsonOf<IssueBody>(sendJson(app, "PATCH", path, { state: "ignored" }));
      assert.deepEqual([ignored.state, ignored.owner], ["ignored", "ann"]);
      assert.equal((await jsonOf<IssueBody>(sendJson(app, "PATCH", path, { owner: null }))).owner, null);
      assert.deepEqual(
        (await auditOf(app)).map(({ action, target, reason, details }) => [action, target, reason, details]),
        [
          ["issue.change", id, "the till", { owner: "ann" }],
          ["issue.change", id, null, { state: "ignored" }],
          ["issue.change", id, null, { owner: null }],
        ],
      );
    }),
  );

  test(
    "are changed only at the version that If-Match names",
    withApp(async (app) => {
      const { id } = await found(app);
      const etag = (await app.request(`/v1/issues/${id}`)).headers.get("etag") ?? "";
      const change = (state: string) => sendJson(app, "PATCH", `/v1/issues/${id}`, { state }, { "if-match": etag });
      const changed = await change("acknowledged");
      assert.equal(changed.status, 200);
      assert.notEqual(changed.headers.get("etag"), etag);
      const stale = await change("resolved");
      assert.equal(stale.status, 412);
      assert.equal((await problemOf(stale)).code, "ETAG_STALE");
    }),
  );

  for (const [what, body, pointer] of [
    ["a state that only comes by itself", { state: "regressed" }, "/state"],
    ["an unknown member", { status: "open" }, "/status"],
    ["nothing to change", {}, ""],
    ["an owner without a name", { owner: "" }, "/owner"],
    ["a note that is too long", { note: "x".repeat(1001) }, "/note"],
  ] as const) {
    test(
      `refuse a change that is ${what}`,
      withApp(async (app) => {
        const { id } = await found(app);
        const response = await sendJson(app, "PATCH", `/v1/issues/${id}`, body);
        assert.equal(response.status, 422);
        const problem = await problemOf(response);
        assert.deepEqual([problem.code, problem.errors[0]?.pointer], ["BODY_INVALID", pointer]);
        assert.deepEqual(await auditOf(app), []);
      }),
    );
  }

  test(
    "that are not there are 404",
    withApp(async (app) => {
      const answers = [app.request("/v1/issues/iss_0"), sendJson(app, "PATCH", "/v1/issues/iss_0", { state: "open" })];
      for (const answer of answers) assert.equal((await problemOf(await answer)).code, "ISSUE_UNKNOWN");
    }),
  );
});
