import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonOf, type PageBody, problemOf, type TestApp, withApp } from "./app-harness.ts";
import { auditOf, brokenOrder, failedEvents, sendJson } from "./failed-events.ts";

interface JobBody {
  readonly id: string;
  readonly state: string;
  readonly version: number;
}

async function started(app: TestApp, more: object = {}): Promise<JobBody> {
  const { data } = await jsonOf<PageBody<object>>(app.request("/v1/failures"));
  if (data.length === 0) await failedEvents(app, "orders", [brokenOrder("o-1"), brokenOrder("o-2")]);
  const body = { select: { filter: { state: "quarantined" } }, mode: "run", ...more };
  return jsonOf<JobBody>(sendJson(app, "POST", "/v1/replays", body));
}

describe("jobs", () => {
  test(
    "are listed newest first by every filter, page by page",
    withApp(async (app) => {
      const first = await started(app);
      const second = await started(app, { action: "discard", reason: "x" });
      const ids = async (query: string) =>
        (await jsonOf<PageBody<JobBody>>(app.request(`/v1/jobs${query}`))).data.map(({ id }) => id).toSorted();
      assert.deepEqual(await ids(""), [first.id, second.id].toSorted());
      assert.deepEqual(await ids("?state=scheduled"), [second.id]);
      assert.deepEqual(await ids("?action=replay"), [first.id]);
      assert.deepEqual(await ids("?action=reprocess"), []);
      const page = await app.request("/v1/jobs?limit=1");
      const next = /^<([^>]+)>/.exec(page.headers.get("link") ?? "")?.[1] ?? "";
      const [one] = (await jsonOf<PageBody<JobBody>>(page)).data;
      const [other] = (await jsonOf<PageBody<JobBody>>(app.request(next))).data;
      assert.deepEqual([one?.id, other?.id].toSorted(), [first.id, second.id].toSorted());
      assert.equal((await problemOf(await app.request("/v1/jobs?state=over"))).code, "PARAMETER_INVALID");
      assert.equal((await problemOf(await app.request("/v1/jobs?mode=run"))).code, "PARAMETER_UNKNOWN");
      assert.equal((await problemOf(await app.request("/v1/jobs?cursor=x"))).code, "CURSOR_INVALID");
    }),
  );

  test(
    "show their items by result",
    withApp(async (app) => {
      const { id } = await started(app);
      const items = async (query: string) =>
        (
          await jsonOf<PageBody<{ position: number; result: string | null }>>(
            app.request(`/v1/jobs/${id}/items${query}`),
          )
        ).data;
      assert.deepEqual(
        (await items("")).map(({ position, result }) => [position, result]),
        [
          [1, null],
          [2, null],
        ],
      );
      assert.equal((await items("?result=todo")).length, 2);
      assert.equal((await items("?result=recovered")).length, 0);
      const wrong = await app.request(`/v1/jobs/${id}/items?result=lost`);
      assert.equal((await problemOf(wrong)).code, "PARAMETER_INVALID");
    }),
  );

  test(
    "are paused, resumed and cancelled, and each change has its audit entry",
    withApp(async (app) => {
      const { id } = await started(app);
      const change = async (verb: string, body?: object) => {
        const response = await sendJson(app, "POST", `/v1/jobs/${id}/${verb}`, body);
        const job = await jsonOf<JobBody>(response);
        assert.equal(response.headers.get("etag"), `"${job.version}"`);
        return job.state;
      };
      assert.equal(await change("pause", { reason: "too fast" }), "paused");
      assert.equal(await change("resume"), "running");
      assert.equal(await change("cancel", {}), "cancelled");
      assert.equal((await jsonOf<JobBody>(app.request(`/v1/jobs/${id}`))).state, "cancelled");
      assert.deepEqual(
        (await auditOf(app, `?target=${id}`)).map(({ action, reason }) => [action, reason]),
        [
          ["job.start", null],
          ["job.pause", "too fast"],
          ["job.resume", null],
          ["job.cancel", null],
        ],
      );
    }),
  );

  test(
    "refuse a change that their state does not allow",
    withApp(async (app) => {
      const { id } = await started(app);
      const response = await sendJson(app, "POST", `/v1/jobs/${id}/resume`);
      assert.equal(response.status, 409);
      assert.equal((await problemOf(response)).code, "STATE_CONFLICT");
    }),
  );

  test(
    "are changed only at the version that If-Match names",
    withApp(async (app) => {
      const { id } = await started(app);
      const etag = (await app.request(`/v1/jobs/${id}`)).headers.get("etag") ?? "";
      const change = (verb: string) => sendJson(app, "POST", `/v1/jobs/${id}/${verb}`, {}, { "if-match": etag });
      assert.equal((await change("pause")).status, 200);
      const stale = await change("cancel");
      assert.equal(stale.status, 412);
      assert.equal((await problemOf(stale)).code, "ETAG_STALE");
    }),
  );

  test(
    "refuse a reason in another form",
    withApp(async (app) => {
      const { id } = await started(app);
      for (const [body, pointer] of [
        [{ why: "x" }, "/why"],
        [{ reason: "" }, "/reason"],
        [{ reason: 1 }, "/reason"],
      ] as const) {
        const problem = await problemOf(await sendJson(app, "POST", `/v1/jobs/${id}/pause`, body));
        assert.deepEqual([problem.code, problem.errors[0]?.pointer], ["BODY_INVALID", pointer]);
      }
    }),
  );

  test(
    "that are not there are 404, whatever is asked of them",
    withApp(async (app) => {
      for (const [method, path] of [
        ["GET", ""],
        ["GET", "/items"],
        ["POST", "/pause"],
        ["POST", "/resume"],
        ["POST", "/cancel"],
      ] as const) {
        const response = await app.request(`/v1/jobs/job_0${path}`, { method });
        assert.equal(response.status, 404, path);
        assert.equal((await problemOf(response)).code, "JOB_UNKNOWN", path);
      }
    }),
  );
});

describe("recipes", () => {
  test(
    "of the config are listed by name",
    withApp(async (app) => {
      const { data } = await jsonOf<PageBody<object>>(app.request("/v1/recipes"));
      assert.deepEqual(data, [
        { name: "by-hand", kind: "function", description: null, steps: null },
        {
          ...{ name: "totals", kind: "recipe", description: "Texts become numbers." },
          steps: [{ do: "cast", path: "/total", to: "number" }],
        },
      ]);
      assert.equal((await problemOf(await app.request("/v1/recipes?limit=1"))).code, "PARAMETER_UNKNOWN");
    }),
  );
});
