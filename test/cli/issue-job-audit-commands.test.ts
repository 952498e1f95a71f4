import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AuditDraft, type AuditEntry, auditEntry, auditHash, auditStart } from "../../src/model/audit.ts";
import { answerJson, answerProblem } from "../client/scripted-server.ts";
import { type FixAnswer, serve } from "./fix-server.ts";
import { jsonLines } from "./run-cli.ts";

const issue = {
  ...{ id: "iss_abc", stream: "orders", state: "open", code: "CONTRACT_BROKEN", pointer: "/total" },
  ...{ detail: "must be a number", waiting: 3, total: 1_234, exampleId: "fail_1", owner: null, note: null },
};

describe("issues", { concurrency: true }, () => {
  test("are listed with what waits, and shown with a trend by the hour", async (context) => {
    const trend = [{ time: new Date().toISOString(), count: 4 }];
    const server = await serve(context, {
      "GET /v1/issues": [issue],
      "GET /v1/issues/iss_abc": { ...issue, trend },
    });
    const list = await server.run([
      "issues",
      "list",
      "--stream",
      "orders",
      "--state",
      "open",
      "--code",
      "X",
      "--no-json",
    ]);
    assert.equal(list.code, 0, list.stderr);
    assert.match(list.stdout, /iss_abc {2}orders {2}open +3 {2}1,234 .*\/total must be a number/);
    assert.match(list.stderr, /eventpulse issues show iss_abc\n +eventpulse failures replay --issue iss_abc --dry-run/);
    const shown = await server.run(["issues", "show", "iss_abc", "--no-json"]);
    assert.match(shown.stdout, /^iss_abc open\n {2}\/total must be a number\n/);
    // The hour may turn between the two clocks.
    assert.match(shown.stdout, /last 24 h {2}\|[ ]{22,23}█[ ]?\| up to 4 an hour/);
    assert.equal(server.asked()[0], "GET /v1/issues?stream=orders&state=open&code=X&limit=50");
  });

  test("are acknowledged, ignored, resolved, reopened and edited; what is not said is not sent", async (context) => {
    const server = await serve(context, {
      "PATCH /v1/issues/iss_abc": ({ body }, response) => answerJson(response, 200, { ...issue, ...JSON.parse(body) }),
      "PATCH /v1/issues/iss_none": (_, response) => answerProblem(response, 404, "ISSUE_UNKNOWN"),
    });
    const changes = [
      [["acknowledge", "--owner", "ann"], { state: "acknowledged", owner: "ann" }, "acknowledged"],
      [["ignore", "--note", "known"], { state: "ignored", note: "known" }, "ignored"],
      [["resolve"], { state: "resolved" }, "resolved"],
      [["reopen", "--owner", ""], { state: "open", owner: null }, "opened"],
      [["edit", "--note", ""], { note: null }, "changed"],
    ] as const;
    for (const [[name = "", ...options], body, done] of changes) {
      const { code, stdout, stderr } = await server.run(["issues", name, "iss_abc", ...options, "--no-json"]);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${done} iss_abc\n`);
      assert.deepEqual(JSON.parse(server.requests.at(-1)?.body ?? ""), body);
    }
    assert.equal((await server.run(["issues", "edit", "iss_abc"])).code, 2);
    const both = await server.run(["issues", "resolve", "iss_none", "iss_abc"]);
    assert.equal(both.code, 1);
    assert.equal(jsonLines(both.stdout)[0]?.["state"], "resolved", "one that fails does not keep the others");
  });
});

const job = (state: string, results: object = {}, more: object = {}) => {
  return { id: "job_1", action: "replay", mode: "run", state, items: 3, results, reasons: [], samples: [], ...more };
};

describe("jobs", { concurrency: true }, () => {
  test("are listed with what is done, shown, and their items listed by result", async (context) => {
    const item = { position: 2, target: "fail_2", result: "failing", detail: "must be a number", recordId: null };
    const server = await serve(context, {
      "GET /v1/jobs": [job("running", { recovered: 1, failing: 1 }, { createdBy: "ann", reason: null })],
      "GET /v1/jobs/job_1": job("paused", { recovered: 1, failing: 1 }, { stateReason: "the canary" }),
      "GET /v1/jobs/job_1/items": [item],
    });
    const list = await server.run(["jobs", "list", "--state", "running", "--action", "replay", "--no-json"]);
    assert.match(list.stdout, /job_1 {2}replay {2}run {3}running {2}2\/3 {3}1 recovered, 1 failing/);
    const shown = await server.run(["jobs", "show", "job_1", "--no-json"]);
    assert.match(shown.stdout, /^job_1 paused: the canary/);
    assert.match(shown.stderr, /Next: eventpulse jobs resume job_1\n +eventpulse jobs items job_1 --result failing/);
    const items = await server.run(["jobs", "items", "job_1", "--result", "failing"]);
    assert.deepEqual(jsonLines(items.stdout), [item]);
    assert.match(items.stderr, /Next: eventpulse failures show fail_2/);
    assert.equal(server.asked()[2], "GET /v1/jobs/job_1/items?result=failing&limit=100");
  });

  test("are paused, resumed and cancelled, with a reason", async (context) => {
    const server = await serve(context, {
      "POST /v1/jobs/job_1/pause": job("paused"),
      "POST /v1/jobs/job_1/resume": job("running"),
      "POST /v1/jobs/job_1/cancel": (_, response) => answerProblem(response, 409, "STATE_CONFLICT"),
    });
    assert.equal((await server.run(["jobs", "pause", "job_1", "--no-json"])).stdout, "paused job_1\n");
    const resumed = await server.run(["jobs", "resume", "job_1", "--reason", "mended"]);
    assert.match(resumed.stderr, /Next: eventpulse jobs watch job_1/);
    assert.equal((await server.run(["jobs", "cancel", "job_1"])).code, 1);
    assert.deepEqual(
      server.requests.map(({ body }) => JSON.parse(body) as unknown),
      [{}, { reason: "mended" }, {}],
    );
  });

  test("are watched to their end, through a moment of trouble", async (context) => {
    const states = ["scheduled", "running", "trouble", "cancelled"];
    const server = await serve(context, {
      "GET /v1/jobs/job_1": (_, response) => {
        const state = states.shift() ?? "cancelled";
        if (state === "trouble") answerProblem(response, 503, "SHUTTING_DOWN");
        else answerJson(response, 200, job(state));
      },
    });
    const { code, stdout, stderr } = await server.run(["jobs", "watch", "job_1"]);
    assert.equal(code, 1, stderr);
    assert.equal(jsonLines(stdout)[0]?.["state"], "cancelled");
    assert.deepEqual(states, []);
  });
});

const draft = (target: string): AuditDraft => ({
  ...{ tenant: "default", actor: "ann", action: "failure.edit", target, reason: "the till" },
  ...{ hashBefore: "a".repeat(64), hashAfter: null, details: { operations: 2, masked: true } },
});

/** A log of so many entries, as the model makes it. */
function chain(length: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let index = 0; index < length; index += 1) {
    entries.push(auditEntry(draft(`fail_${index}`), entries.at(-1) ?? null, 1_767_225_600_123 + index));
  }
  return entries;
}

/** A log over pages of two, as the API shows it. */
function auditPages(entries: readonly AuditEntry[]): FixAnswer {
  return ({ url }, response) => {
    const first = Number(new URL(url, "http://localhost").searchParams.get("cursor") ?? 0);
    const data = entries.slice(first, first + 2).map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() }));
    answerJson(response, 200, {
      data,
      page: { next: first + 2 < entries.length ? String(first + 2) : null, limit: 2 },
    });
  };
}

describe("audit", { concurrency: true }, () => {
  test("is listed with every filter", async (context) => {
    const server = await serve(context, { "GET /v1/audit": auditPages(chain(3)) });
    const filters = ["--action", "failure.edit", "--target", "fail_1", "--actor", "ann", "--from", "2026-01-01"];
    const { code, stdout, stderr } = await server.run(["audit", "list", ...filters, "--no-json"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 {2}2026-01-01T00:00:00.123Z {2}ann +failure.edit {2}fail_0 +the till/);
    assert.equal(
      server.asked()[0],
      "GET /v1/audit?action=failure.edit&target=fail_1&actor=ann&from=2026-01-01T00:00:00.000Z&limit=100",
    );
  });

  test("is whole when every entry follows the one before; the head is printed to be kept", async (context) => {
    const entries = chain(5);
    const server = await serve(context, { "GET /v1/audit": auditPages(entries) });
    const { code, stdout, stderr } = await server.run(["audit", "verify"]);
    assert.equal(code, 0, stderr);
    const head = entries[4]?.hash ?? "";
    assert.deepEqual(jsonLines(stdout), [{ whole: true, entries: 5, head, sequence: null, problem: null }]);
    assert.match(stderr, new RegExp(`Next: eventpulse audit verify --head ${head}`));
    const noted = await server.run(["audit", "verify", "--head", entries[2]?.hash ?? "", "--no-json"]);
    assert.equal(noted.code, 0);
    assert.match(noted.stdout, /^✔ the audit log is whole: 5 entries\n {2}head [0-9a-f]{64}\n$/);
  });

  test("is whole when it is empty, unless something was noted", async (context) => {
    const server = await serve(context, { "GET /v1/audit": auditPages([]) });
    const { code, stdout } = await server.run(["audit", "verify", "--head", auditStart]);
    assert.equal(code, 0);
    assert.equal(jsonLines(stdout)[0]?.["head"], auditStart);
    assert.equal((await server.run(["audit", "verify", "--head", "b".repeat(64)])).code, 5);
  });

  const broken: readonly (readonly [string, (entries: AuditEntry[]) => void, RegExp])[] = [
    ["changed", (entries) => entries.splice(2, 1, { ...(entries[2] as AuditEntry), actor: "bob" }), /Entry 3/],
    ["moved in time", (entries) => entries.splice(2, 1, { ...(entries[2] as AuditEntry), at: 0 }), /Entry 3/],
    ["removed", (entries) => entries.splice(2, 1), /Entry 3/],
    ["removed at the start", (entries) => entries.splice(0, 1), /Entry 1/],
    [
      "replaced by one with a right hash of its own",
      (entries) => {
        const forged = { ...(entries[2] as AuditEntry), actor: "bob" };
        entries.splice(2, 1, { ...forged, hash: auditHash(forged) });
      },
      /Entry 4|entry 3/i,
    ],
  ];
  for (const [what, spoil, named] of broken) {
    test(`ends with 5 and names the entry when one was ${what}`, async (context) => {
      const entries = chain(5);
      spoil(entries);
      const server = await serve(context, { "GET /v1/audit": auditPages(entries) });
      const { code, stdout } = await server.run(["audit", "verify"]);
      assert.equal(code, 5);
      const [result] = jsonLines(stdout);
      assert.equal(result?.["whole"], false);
      assert.match(String(result?.["problem"]), named);
    });
  }

  test("ends with 5 when its end was cut off or all of it was written anew, seen by the head noted before", async (context) => {
    const head = chain(5)[4]?.hash ?? "";
    const server = await serve(context, { "GET /v1/audit": auditPages(chain(4)) });
    assert.equal((await server.run(["audit", "verify"])).code, 0, "which the chain alone cannot show");
    const { code, stdout } = await server.run(["audit", "verify", "--head", head, "--no-json"]);
    assert.equal(code, 5);
    assert.match(stdout, /✘ the audit log is not whole: The noted head is not in the chain/);
    assert.equal((await server.run(["audit", "verify", "--head", "abc"])).code, 2);
  });
});

describe("recipes", () => {
  test("are listed with their steps", async (context) => {
    const recipes = [
      {
        name: "comma-totals",
        description: "12,50 to 12.5",
        kind: "recipe",
        steps: [{ do: "replace" }, { do: "cast" }],
      },
      { name: "split", kind: "function", description: null, steps: null },
    ];
    const server = await serve(context, { "GET /v1/recipes": recipes });
    const { code, stdout, stderr } = await server.run(["recipes", "list", "--no-json"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /comma-totals {2}replace, cast {2}12,50 to 12.5\nsplit +function\n/);
    assert.match(stderr, /--recipe comma-totals --dry-run/);
    assert.deepEqual(server.asked(), ["GET /v1/recipes"], "without parameters, of which it takes none");
  });
});
