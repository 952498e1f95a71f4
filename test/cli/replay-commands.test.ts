import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { answerJson, type ReceivedRequest } from "../client/scripted-server.ts";
import { serve } from "./fix-server.ts";
import { endOf, jsonLines, spawnCli, temporaryFolder } from "./run-cli.ts";

const failure = {
  id: "fail_1",
  stream: "orders",
  state: "quarantined",
  code: "CONTRACT_BROKEN",
  errors: [],
  version: 7,
};
const job = (state: string, results: object = {}, more: object = {}) => {
  return { id: "job_1", action: "replay", mode: "run", state, items: 3, results, reasons: [], samples: [], ...more };
};
const bodyOf = (request: ReceivedRequest | undefined) => JSON.parse(request?.body ?? "null") as unknown;
const plan = { items: 3, bytes: 300, streams: { orders: 3 }, states: { quarantined: 3 }, issues: [], replayable: 3 };

describe("failures replay", { concurrency: true }, () => {
  test("plans when it is not told otherwise, and suggests the same words with --dry-run and --apply", async (context) => {
    const server = await serve(context, { "POST /v1/replays": plan });
    const { code, stdout, stderr } = await server.run([
      "failures",
      "replay",
      "--stream",
      "orders",
      "--where",
      "n = a b",
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(jsonLines(stdout), [plan]);
    assert.deepEqual(bodyOf(server.requests[0]), {
      select: { filter: { stream: "orders", where: [{ field: "n", operator: "eq", value: "a b" }] } },
      mode: "plan",
    });
    assert.match(stderr, /Next: eventpulse failures replay --stream orders --where 'n = a b' --dry-run\n.* --apply\n/);
  });

  test("waits for its job and ends with 0 when everything came through", async (context) => {
    let polls = 0;
    const server = await serve(context, {
      "POST /v1/replays": (_, response) => answerJson(response, 202, job("running")),
      "GET /v1/jobs/job_1": (_, response) => {
        polls += 1;
        const done = job("done", { recovered: 2, dropped: 1 }, { mode: "dry-run" });
        answerJson(response, 200, polls < 3 ? job("running", { recovered: polls }) : done);
      },
    });
    const { code, stdout, stderr } = await server.run([
      "failures",
      "replay",
      "--issue",
      "iss_abc",
      "--dry-run",
      "--canary",
      "5",
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(polls, 3);
    assert.deepEqual(jsonLines(stdout), [job("done", { recovered: 2, dropped: 1 }, { mode: "dry-run" })]);
    assert.deepEqual(bodyOf(server.requests[0]), { select: { issue: "iss_abc" }, mode: "dry-run", canary: 5 });
    assert.match(stderr, /eventpulse failures replay --issue iss_abc --canary 5 --apply/);
  });

  test("ends with 3 and says why when some fail still", async (context) => {
    const reasons = [
      { code: "CONTRACT_BROKEN", pointer: "/total", detail: "must be a number", count: 1, exampleId: "fail_3" },
    ];
    const server = await serve(context, {
      "POST /v1/replays": (_, response) => answerJson(response, 202, job("running")),
      "GET /v1/jobs/job_1": job("done", { recovered: 2, failing: 1 }, { reasons }),
    });
    const { code, stdout, stderr } = await server.run([
      "failures",
      "replay",
      "fail_1",
      "fail_3",
      "--apply",
      "--no-json",
    ]);
    assert.equal(code, 3);
    assert.match(stdout, /3 of 3 items · 2 recovered · 1 failing/);
    assert.match(stdout, /1 {2}CONTRACT_BROKEN {2}\/total {3}must be a number {2}fail_3/);
    assert.match(stderr, /eventpulse jobs items job_1 --result failing/);
    assert.deepEqual(bodyOf(server.requests[0]), { select: { ids: ["fail_1", "fail_3"] }, mode: "run" });
  });

  test("sends its request again after a lost answer with the key of the first, so that no job starts twice", async (context) => {
    const server = await serve(context, {
      "POST /v1/replays": (_, response) => {
        if (server.requests.length === 1) response.socket?.destroy();
        else answerJson(response, 202, job("running"));
      },
      "GET /v1/jobs/job_1": job("done", { recovered: 3 }),
    });
    assert.equal((await server.run(["failures", "replay", "fail_1", "--apply"])).code, 0);
    const [first, second] = server.requests.map(({ headers }) => headers["idempotency-key"]);
    assert.ok(first !== undefined && first === second);
  });

  test("with --no-wait starts the job and asks for nothing more", async (context) => {
    const server = await serve(context, {
      "POST /v1/replays": (_, response) => answerJson(response, 202, job("running")),
    });
    const args = ["failures", "replay", "fail_1", "--apply", "--no-wait", "--rate", "2.5", "--reason", "why"];
    const { code, stderr } = await server.run(args);
    assert.equal(code, 0, stderr);
    assert.equal(server.requests.length, 1);
    assert.deepEqual(bodyOf(server.requests[0]), {
      select: { ids: ["fail_1"] },
      mode: "run",
      ratePerSecond: 2.5,
      reason: "why",
    });
    assert.match(stderr, /Next: eventpulse jobs watch job_1\n +eventpulse jobs cancel job_1/);
  });

  test("sends a recipe by its name, or a file as it was written", async (context) => {
    const server = await serve(context, { "POST /v1/replays": plan });
    const file = join(await temporaryFolder(context), "mend.json");
    const recipe =
      '{ "name": "mend", "description": "", "steps": [{ "do": "set", "path": "/n", "value": 12345678901234567890 }] }';
    await writeFile(file, recipe);
    assert.equal((await server.run(["failures", "replay", "fail_1", "--recipe", "comma-totals"])).code, 0);
    assert.equal((await server.run(["failures", "replay", "fail_1", "--recipe", file])).code, 0);
    assert.deepEqual(bodyOf(server.requests[0]), { select: { ids: ["fail_1"] }, mode: "plan", recipe: "comma-totals" });
    assert.ok(server.requests[1]?.body.endsWith(`,"recipe":${recipe}}`));
    assert.deepEqual(bodyOf(server.requests[1]), {
      select: { ids: ["fail_1"] },
      mode: "plan",
      recipe: JSON.parse(recipe) as unknown,
    });
    await writeFile(file, "[1]");
    assert.equal((await server.run(["failures", "replay", "fail_1", "--recipe", file])).code, 3);
    assert.equal(server.requests.length, 2);
  });

  test("leaves its job running at Ctrl-C, and says how to look at it", async (context) => {
    const server = await serve(context, {
      "POST /v1/replays": (_, response) => answerJson(response, 202, job("running")),
      "GET /v1/jobs/job_1": (_, response) => {
        answerJson(response, 200, job("running", { recovered: 1 }));
        child.kill("SIGINT");
      },
    });
    const child = spawnCli(["failures", "replay", "fail_1", "--apply"], { env: { EVENTPULSE_URL: server.url } });
    const { code, stdout, stderr } = await endOf(child);
    assert.equal(code, 130);
    assert.match(stderr, /job_1 goes on without being watched/);
    assert.match(stderr, /Next: eventpulse jobs watch job_1\n +eventpulse jobs cancel job_1/);
    assert.equal(jsonLines(stdout)[0]?.["state"], "running");
    assert.ok(server.asked().every((request) => !request.includes("cancel")));
  });

  test("ends with 2 before it asks for anything when it is not clear which failures or how", async (context) => {
    const server = await serve(context, {});
    for (const wrong of [
      [],
      ["fail_1", "--stream", "orders"],
      ["fail_1", "--dry-run", "--apply"],
      ["fail_1", "--plan", "--apply"],
      ["--issue", "abc"],
      ["fail_1", "--rate", "0"],
      ["fail_1", "--canary", "0"],
    ]) {
      assert.equal((await server.run(["failures", "replay", ...wrong])).code, 2, wrong.join(" "));
    }
    assert.deepEqual(server.requests, []);
  });
});

describe("replay", { concurrency: true }, () => {
  test("asks for the raw objects of a time range, and ends with 0 when outputs only changed", async (context) => {
    const server = await serve(context, {
      "POST /v1/replays": (_, response) => answerJson(response, 202, job("running")),
      "GET /v1/jobs/job_1": job("done", { same: 2, changed: 1 }),
    });
    const range = ["--stream", "orders", "--from", "2026-01-01", "--to", "2026-01-02"];
    const { code, stderr } = await server.run(["replay", ...range, "--apply", "--rate", "20"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(bodyOf(server.requests[0]), {
      select: { raw: { stream: "orders", from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" } },
      mode: "run",
      ratePerSecond: 20,
    });
    assert.equal(
      (await server.run(["replay", "--stream", "orders"])).code,
      2,
      "a range is never meant by leaving it out",
    );
  });
});

describe("failures discard", { concurrency: true }, () => {
  const discarded = { ...failure, state: "discarded" };
  const scheduled = job("scheduled", {}, { action: "discard", startsAt: "2026-01-01T01:00:00.000Z" });

  test("discards one id at once, with a reason", async (context) => {
    const server = await serve(context, { "DELETE /v1/failures/fail_1": discarded });
    assert.equal((await server.run(["failures", "discard", "fail_1"])).code, 2);
    assert.equal((await server.run(["failures", "discard", "fail_1", "--reason", "a test"])).code, 0);
    assert.deepEqual(server.asked(), ["DELETE /v1/failures/fail_1?reason=a+test"]);
  });

  test("counts several or a filter first, and starts a job with a grace period only with --apply and a reason", async (context) => {
    const server = await serve(context, {
      "POST /v1/replays": ({ body }, response) => answerJson(response, 200, body.includes('"plan"') ? plan : scheduled),
    });
    const planned = await server.run(["failures", "discard", "fail_1", "fail_2"]);
    assert.equal(planned.code, 0, planned.stderr);
    assert.deepEqual(bodyOf(server.requests[0]), {
      select: { ids: ["fail_1", "fail_2"] },
      mode: "plan",
      action: "discard",
    });
    assert.equal(
      (await server.run(["failures", "discard", "--stream", "orders", "--apply"])).code,
      2,
      "without a reason",
    );
    const args = ["failures", "discard", "--stream", "orders", "--reason", "a load test", "--apply", "--no-json"];
    const { code, stdout, stderr } = await server.run(args);
    assert.equal(code, 0, stderr);
    assert.deepEqual(bodyOf(server.requests[1]), {
      select: { filter: { stream: "orders" } },
      mode: "run",
      reason: "a load test",
      action: "discard",
      graceSeconds: 3600,
    });
    assert.match(stdout, /job_1 scheduled \(discard\)\n.*\n {2}starts at 2026-01-01T01:00:00.000Z/);
    assert.match(stderr, /eventpulse jobs cancel job_1/);
    await server.run([...args, "--grace", "15m"]);
    assert.equal((bodyOf(server.requests[2]) as { graceSeconds: number }).graceSeconds, 900);
  });
});
