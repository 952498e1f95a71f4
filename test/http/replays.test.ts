import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jsonOf, type PageBody, problemOf, withApp } from "./app-harness.ts";
import { auditOf, brokenOrder, failedEvents, sendJson } from "./failed-events.ts";

interface JobBody {
  readonly id: string;
  readonly action: string;
  readonly mode: string;
  readonly state: string;
  readonly items: number;
  readonly mending: unknown;
  readonly canary: number | null;
  readonly ratePerSecond: number | null;
  readonly reason: string | null;
  readonly selection: unknown;
  readonly createdAt: string;
  readonly startsAt: string;
  readonly tenant?: string;
}

const broken = [brokenOrder("o-1"), brokenOrder("o-2"), { id: "o-3", total: 1, country: 49 }];
const waiting = { filter: { state: "quarantined" } };

describe("POST /v1/replays", () => {
  test(
    "plans what a selection would meet and starts nothing",
    withApp(async (app) => {
      const failures = await failedEvents(app, "orders", broken);
      const plan = async (select: unknown) => {
        const response = await sendJson(app, "POST", "/v1/replays", { select, mode: "plan" });
        assert.equal(response.status, 200, await response.clone().text());
        return (await response.json()) as { items: number; replayable: number; oldestAt: string | null };
      };
      const all = await plan(waiting);
      assert.deepEqual([all.items, all.replayable], [3, 3]);
      assert.match(all.oldestAt ?? "", /Z$/);
      assert.equal((await plan({ ids: [failures[0]?.id, failures[0]?.id] })).items, 1);
      assert.equal((await plan({ issue: `iss_${failures[0]?.fingerprint}` })).items, 2);
      const where = [{ field: "id", operator: "eq", value: "o-3" }];
      assert.equal((await plan({ filter: { stream: "orders", where } })).items, 1);
      assert.equal((await plan({ filter: { contains: "12.5" } })).items, 2);
      assert.equal((await plan({ filter: { to: "2001-01-01T00:00:00Z" } })).items, 0);
      assert.deepEqual((await jsonOf<PageBody<JobBody>>(app.request("/v1/jobs"))).data, []);
      assert.deepEqual(await auditOf(app), []);
    }),
  );

  test(
    "starts a job with a Location, frozen as it was asked for, and writes its audit entry",
    withApp(async (app) => {
      const failures = await failedEvents(app, "orders", broken);
      const select = { ids: failures.map(({ id }) => id) };
      const steer = { recipe: "totals", canary: 2, ratePerSecond: 0.5, reason: "texts from the till" };
      const response = await sendJson(app, "POST", "/v1/replays", { select, mode: "run", ...steer });
      assert.equal(response.status, 202);
      const job = await jsonOf<JobBody>(response);
      assert.match(job.id, /^job_[0-9a-f]{32}$/);
      assert.equal(response.headers.get("location"), `/v1/jobs/${job.id}`);
      assert.deepEqual([job.action, job.mode, job.state, job.items], ["replay", "run", "running", 3]);
      assert.deepEqual([job.canary, job.ratePerSecond, job.reason], [2, 0.5, "texts from the till"]);
      assert.deepEqual(job.selection, { kind: "ids", ids: select.ids });
      assert.equal((job.mending as { recipe: { name: string } }).recipe.name, "totals");
      assert.equal(job.tenant, undefined);
      const [entry] = await auditOf(app);
      assert.deepEqual(
        [entry?.action, entry?.target, entry?.reason, entry?.details],
        ["job.start", job.id, "texts from the till", { items: 3, mode: "run", action: "replay" }],
      );
    }),
  );

  test(
    "takes a recipe as it is, or the name of a function of the config",
    withApp(async (app) => {
      await failedEvents(app, "orders", broken);
      const started = async (recipe: unknown) =>
        (await jsonOf<JobBody>(sendJson(app, "POST", "/v1/replays", { select: waiting, mode: "dry-run", recipe })))
          .mending;
      const steps = [{ do: "cast", path: "/total", to: "number" }];
      assert.deepEqual(await started({ steps }), {
        kind: "recipe",
        recipe: { name: "inline", description: "", steps },
      });
      assert.deepEqual(await started("by-hand"), { kind: "function", name: "by-hand" });
    }),
  );

  test(
    "gives up failures only with a reason, and after an hour unless another time is given",
    withApp(async (app) => {
      await failedEvents(app, "orders", broken);
      const discard = { select: waiting, mode: "run", action: "discard" };
      const silent = await sendJson(app, "POST", "/v1/replays", discard);
      assert.equal(silent.status, 422);
      assert.equal((await problemOf(silent)).code, "REASON_MISSING");
      const wait = async (more: object) => {
        const job = await jsonOf<JobBody>(sendJson(app, "POST", "/v1/replays", { ...discard, reason: "x", ...more }));
        assert.equal(job.state, more === atOnce ? "running" : "scheduled");
        return Date.parse(job.startsAt) - Date.parse(job.createdAt);
      };
      const atOnce = { graceSeconds: 0 };
      assert.equal(await wait({}), 3_600_000);
      assert.equal(await wait({ graceSeconds: 60 }), 60_000);
      assert.equal(await wait(atOnce), 0);
      const trial = await sendJson(app, "POST", "/v1/replays", { ...discard, mode: "dry-run" });
      assert.equal((await jsonOf<JobBody>(trial)).state, "running");
    }),
  );

  test(
    "processes raw objects of a time again",
    withApp(async (app) => {
      await failedEvents(app, "orders", broken);
      const raw = { stream: "orders", from: "2026-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z" };
      const response = await sendJson(app, "POST", "/v1/replays", { select: { raw }, mode: "dry-run" });
      const job = await jsonOf<JobBody>(response);
      assert.deepEqual([job.action, job.items], ["reprocess", 1]);
      const times = { from: "2026-01-01T00:00:00.000Z", to: "2100-01-01T00:00:00.000Z" };
      assert.deepEqual(job.selection, { kind: "raw", stream: "orders", ...times });
    }),
  );

  test(
    "answers with the same job when the same request comes again with its Idempotency-Key",
    withApp(async (app) => {
      await failedEvents(app, "orders", broken);
      const start = (body: object, key: string) =>
        sendJson(app, "POST", "/v1/replays", { mode: "run", ...body }, { "idempotency-key": key });
      const first = await jsonOf<JobBody>(start({ select: waiting }, "once"));
      const again = await jsonOf<JobBody>(start({ select: waiting }, "once"));
      assert.equal(again.id, first.id);
      assert.notEqual((await jsonOf<JobBody>(start({ select: waiting }, "twice"))).id, first.id);
      const other = await start({ select: { filter: { stream: "orders" } } }, "once");
      assert.equal(other.status, 409);
      assert.equal((await problemOf(other)).code, "STATE_CONFLICT");
      assert.equal((await auditOf(app)).length, 2, "one entry a job");
      const bad = await problemOf(await start({ select: waiting }, "two words"));
      assert.equal(bad.errors[0]?.pointer, "/headers/idempotency-key");
    }),
  );

  test(
    "makes a fresh job each time without a key",
    withApp(async (app) => {
      await failedEvents(app, "orders", broken);
      const start = () => jsonOf<JobBody>(sendJson(app, "POST", "/v1/replays", { select: waiting, mode: "run" }));
      assert.notEqual((await start()).id, (await start()).id);
    }),
  );

  for (const [what, body, status, code, pointer] of [
    ["no selection", { mode: "plan" }, 422, "BODY_INVALID", "/select"],
    ["an empty selection", { select: {}, mode: "plan" }, 422, "BODY_INVALID", "/select"],
    ["two selections", { select: { ids: ["a"], issue: "iss_1" }, mode: "plan" }, 422, "BODY_INVALID", "/select"],
    ["a filter without a condition", { select: { filter: {} }, mode: "plan" }, 422, "BODY_INVALID", "/select/filter"],
    [
      "an unknown filter",
      { select: { filter: { strem: "a" } }, mode: "plan" },
      422,
      "BODY_INVALID",
      "/select/filter/strem",
    ],
    ["an unknown member", { select: waiting, mode: "plan", dryRun: true }, 422, "BODY_INVALID", "/dryRun"],
    ["an unknown mode", { select: waiting, mode: "now" }, 422, "BODY_INVALID", "/mode"],
    ["no mode", { select: waiting }, 422, "BODY_INVALID", "/mode"],
    ["no ids", { select: { ids: [] }, mode: "plan" }, 422, "BODY_INVALID", "/select/ids"],
    ["too many ids", { select: { ids: Array(10_001).fill("f") }, mode: "plan" }, 422, "BODY_INVALID", "/select/ids"],
    [
      "a time in words",
      { select: { filter: { from: "today" } }, mode: "plan" },
      422,
      "BODY_INVALID",
      "/select/filter/from",
    ],
    [
      "a turned range",
      { select: { filter: { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" } }, mode: "plan" },
      ...([422, "BODY_INVALID", "/select/filter/from"] as const),
    ],
    [
      "an unknown operator",
      { select: { filter: { where: [{ field: "a", operator: "like", value: "b" }] } }, mode: "plan" },
      ...([422, "BODY_INVALID", "/select/filter/where/0/operator"] as const),
    ],
    [
      "raw objects of no time",
      { select: { raw: { stream: "orders" } }, mode: "plan" },
      422,
      "BODY_INVALID",
      "/select/raw/from",
    ],
    [
      "raw objects that are discarded",
      {
        select: { raw: { stream: "orders", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" } },
        ...{ mode: "run", action: "discard", reason: "x" },
      },
      ...([422, "BODY_INVALID", "/action"] as const),
    ],
    [
      "raw objects of an unknown stream",
      { select: { raw: { stream: "x", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" } }, mode: "plan" },
      ...([404, "STREAM_UNKNOWN", undefined] as const),
    ],
    [
      "a recipe that discards",
      { select: waiting, mode: "plan", action: "discard", recipe: "totals" },
      422,
      "BODY_INVALID",
      "/recipe",
    ],
    ["a replay that waits", { select: waiting, mode: "run", graceSeconds: 5 }, 422, "BODY_INVALID", "/graceSeconds"],
    ["a canary of none", { select: waiting, mode: "run", canary: 0 }, 422, "BODY_INVALID", "/canary"],
    ["a rate of none", { select: waiting, mode: "run", ratePerSecond: 0 }, 422, "BODY_INVALID", "/ratePerSecond"],
    ["an unknown recipe", { select: waiting, mode: "plan", recipe: "none" }, 404, "RECIPE_UNKNOWN", undefined],
    [
      "a name of all objects",
      { select: waiting, mode: "plan", recipe: "constructor" },
      404,
      "RECIPE_UNKNOWN",
      undefined,
    ],
    [
      "a recipe that is wrong",
      { select: waiting, mode: "plan", recipe: { steps: [{ do: "explode", path: "/total" }] } },
      ...([422, "RECIPE_INVALID", "/recipe/steps/0/do"] as const),
    ],
    ["a recipe that is a number", { select: waiting, mode: "plan", recipe: 7 }, 422, "RECIPE_INVALID", "/recipe"],
    ["an unknown issue", { select: { issue: "iss_0" }, mode: "plan" }, 404, "ISSUE_UNKNOWN", undefined],
    ["what fits nothing", { select: { ids: ["fail_0"] }, mode: "run" }, 422, "SELECTION_EMPTY", undefined],
    ["a list", [], 422, "BODY_INVALID", ""],
  ] as const) {
    test(
      `refuses ${what}`,
      withApp(async (app) => {
        const response = await sendJson(app, "POST", "/v1/replays", body);
        const problem = await problemOf(response);
        assert.deepEqual([response.status, problem.code, problem.errors[0]?.pointer], [status, code, pointer]);
        assert.deepEqual(await auditOf(app), []);
      }),
    );
  }

  test(
    "takes as many ids as may be named, however they are written",
    withApp(async (app) => {
      const [failure] = await failedEvents(app, "orders", [brokenOrder("o-1")]);
      const ids = Array.from({ length: 9_999 }, (_, index) => `fail_${String(index).padStart(24, "0")}`);
      const body = JSON.stringify({ select: { ids: [...ids, failure?.id] }, mode: "plan" }, null, 2);
      const plan = await jsonOf<{ items: number }>(app.request("/v1/replays", { method: "POST", body }));
      assert.ok(plan.items >= 1);
    }),
  );
});
