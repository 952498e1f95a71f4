import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { answerJson, answerProblem } from "../client/scripted-server.ts";
import { type FixAnswer, serve } from "./fix-server.ts";
import { jsonLines, temporaryFolder } from "./run-cli.ts";

const failure = {
  id: "fail_1",
  stream: "orders",
  state: "quarantined",
  code: "CONTRACT_BROKEN",
  errors: [],
  version: 7,
};

describe("failures list", { concurrency: true }, () => {
  test("asks with every filter there is, and reads page by page", async (context) => {
    const server = await serve(context, {
      "GET /v1/failures": ({ url }, response) => {
        const first = !url.includes("cursor=");
        answerJson(response, 200, {
          data: [first ? failure : { ...failure, id: "fail_2" }],
          page: { next: first ? "c2" : null },
        });
      },
    });
    const { code, stdout, stderr } = await server.run([
      ...["failures", "list", "--stream", "orders", "--state", "dead", "--class", "bug", "--code", "TRANSFORM_THREW"],
      ...["--issue", "iss_abc", "--contains", "a b", "--where", "total>=5", "--where", "note exists", "--order", "asc"],
      ...["--from", "2026-01-01", "--to", "2026-01-02", "--limit", "10"],
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      jsonLines(stdout).map(({ id }) => id),
      ["fail_1", "fail_2"],
    );
    const query = new URL(server.requests[0]?.url ?? "", server.url).searchParams;
    assert.deepEqual(Object.fromEntries(query), {
      ...{
        stream: "orders",
        state: "dead",
        class: "bug",
        code: "TRANSFORM_THREW",
        fingerprint: "abc",
        contains: "a b",
      },
      ...{ "where[total][gte]": "5", "where[note][exists]": "true", order: "asc", limit: "10" },
      ...{ from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" },
    });
  });
});

describe("failures show", { concurrency: true }, () => {
  test("shows what was found, the hint, the edit and the expiry, and nothing that drives a terminal", async (context) => {
    const errors = [
      {
        pointer: "/total",
        code: "CONTRACT_BROKEN",
        detail: "must be a number",
        actual: '"12\u001b[2J"',
        hint: "send 12",
      },
    ];
    const edit = {
      patch: [{ op: "replace", path: "/total", value: 12 }],
      by: "ann",
      at: "2026-01-01T00:00:00.000Z",
      reason: "the till",
      sha256: "ab",
    };
    const expiresAt = new Date(Date.now() + 49 * 3_600_000).toISOString();
    const server = await serve(context, { "GET /v1/failures/fail_1": { ...failure, errors, edit, expiresAt } });
    const { code, stdout, stderr } = await server.run(["failures", "show", "fail_1", "--no-json"]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout.replaceAll("\n", ""), /\p{Cc}/u);
    assert.match(stdout, /\/total must be a number \(found "12\\u001b\[2J"\)\n +→ send 12/);
    assert.match(stdout, /edited\n.*by +ann/s);
    assert.match(stdout, /"op":"replace","path":"\/total","value":12/);
    assert.match(stdout, /expiresAt .* \(in 2 d\)/);
    assert.match(stderr, /eventpulse failures edit fail_1 --set '\/total=JSON' --dry-run/);
  });

  test("suggests no command that holds a field name which a shell would run", async (context) => {
    const errors = [{ pointer: "/'; rm -rf ~ #", code: "CONTRACT_BROKEN", detail: "is not known" }];
    const server = await serve(context, { "GET /v1/failures/fail_1": { ...failure, errors } });
    const { stderr } = await server.run(["failures", "show", "fail_1", "--no-json"]);
    assert.match(stderr, /--set '\/pointer=JSON'/);
    assert.doesNotMatch(stderr, /rm -rf/);
  });
});

describe("failures payload", { concurrency: true }, () => {
  test("asks unmasked with a reason, says what is masked otherwise, and gives the bytes as they are", async (context) => {
    const server = await serve(context, {
      "GET /v1/failures/fail_1/payload": ({ url }, response) => {
        const masked = url.includes("unmasked") ? {} : { "x-masked-fields": "country, stra%C3%9Fe" };
        response.writeHead(200, { "content-type": "application/octet-stream", ...masked }).end('{"a":\u00a01}\r\n');
      },
    });
    const masked = await server.run(["failures", "payload", "fail_1", "--edited"]);
    assert.equal(masked.stdout, '{"a":\u00a01}\r\n');
    assert.match(masked.stderr, /Masked: country, straße\./);
    assert.match(masked.stderr, /payload fail_1 --unmasked --reason/);
    const whole = await server.run(["failures", "payload", "fail_1", "--unmasked", "--reason", "they asked"]);
    assert.doesNotMatch(whole.stderr, /Masked/);
    assert.deepEqual(server.asked(), [
      "GET /v1/failures/fail_1/payload?edited=true",
      "GET /v1/failures/fail_1/payload?unmasked=true&reason=they+asked",
    ]);
  });
});

describe("failures edit", { concurrency: true }, () => {
  const judgement = { before: { total: "12" }, after: { total: 12 }, outcome: "stored", results: [{ cents: 1200 }] };
  const answers: Record<string, FixAnswer> = {
    "GET /v1/failures/fail_1": failure,
    "PATCH /v1/failures/fail_1": ({ url, body }, response) =>
      url.includes("dryRun=true")
        ? answerJson(response, 200, judgement)
        : answerJson(response, 200, {
            ...failure,
            version: 8,
            edit: body === "[]" ? null : { patch: JSON.parse(body) },
          }),
  };

  test("sends the version it has read and the values as they were written, in the order they were given", async (context) => {
    const server = await serve(context, answers);
    const { code, stdout, stderr } = await server.run([
      ...["failures", "edit", "fail_1", "--set", "/total=12345678901234567890", "--remove", "/note"],
      ...["--set", '/country="DE"', "--reason", "the till"],
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(jsonLines(stdout)[0]?.["version"], 8);
    const patch = server.requests.at(-1);
    assert.equal(patch?.headers["if-match"], '"7"');
    assert.equal(patch?.headers["content-type"], "application/json-patch+json");
    assert.equal(
      patch?.body,
      '[{"op":"add","path":"/total","value":12345678901234567890},{"op":"remove","path":"/note"},' +
        '{"op":"add","path":"/country","value":"DE"}]',
    );
    assert.deepEqual(server.asked(), ["GET /v1/failures/fail_1", "PATCH /v1/failures/fail_1?reason=the+till"]);
  });

  test("shows before, after and the record, and keeps nothing in a dry run", async (context) => {
    const server = await serve(context, answers);
    const args = ["failures", "edit", "fail_1", "--set", "/total=12", "--no-json"];
    const dry = await server.run([...args, "--dry-run"]);
    const shown = '  before  {"total":"12"}\n  after   {"total":12}\n  record  {"cents":1200}\n';
    assert.equal(dry.stdout, shown);
    assert.ok(server.asked().every((request) => !request.startsWith("PATCH") || request.includes("dryRun=true")));
    const kept = await server.run(args);
    assert.equal(kept.stdout, `edited fail_1\n${shown}`);
    assert.match(kept.stderr, /eventpulse failures replay fail_1 --dry-run\n +eventpulse failures retry fail_1/);
  });

  test("takes a JSON Patch from a file or stdin, and an undo as the empty patch", async (context) => {
    const server = await serve(context, answers);
    const file = join(await temporaryFolder(context), "patch.json");
    const patch = '[{"op": "replace", "path": "/total", "value": 1.50}]';
    await writeFile(file, `${patch}\n`);
    assert.equal((await server.run(["failures", "edit", "fail_1", "--patch", file])).code, 0);
    assert.equal((await server.run(["failures", "edit", "fail_1", "--patch", "-"], { input: patch })).code, 0);
    const undone = await server.run(["failures", "edit", "fail_1", "--undo", "--no-json"]);
    assert.equal(undone.stdout, "edit removed fail_1\n");
    const bodies = server.requests.filter(({ method }) => method === "PATCH").map(({ body }) => body);
    assert.deepEqual(bodies, [patch, patch, "[]"]);
  });

  test("ends with 3 and every reason with its hint when the event would fail still", async (context) => {
    const errors = [{ pointer: "/total", code: "CONTRACT_BROKEN", detail: "must be a number", hint: "without quotes" }];
    const server = await serve(context, {
      ...answers,
      "PATCH /v1/failures/fail_1": (_, response) => answerProblem(response, 422, "EDIT_REFUSED", {}, errors),
    });
    const { code, stdout, stderr } = await server.run(["failures", "edit", "fail_1", "--set", '/total="x"']);
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, /because of EDIT_REFUSED\n {2}\/total: must be a number\n {4}→ without quotes\n/);
  });

  test("ends with 1 and keeps nothing when somebody else changed the failure meanwhile", async (context) => {
    const server = await serve(context, {
      ...answers,
      "PATCH /v1/failures/fail_1": (_, response) => answerProblem(response, 412, "ETAG_STALE"),
    });
    const { code, stderr } = await server.run(["failures", "edit", "fail_1", "--undo"]);
    assert.equal(code, 1);
    assert.match(stderr, /because of ETAG_STALE/);
    assert.equal(server.requests.length, 2, "an edit is never repeated over what it has not seen");
  });

  test("ends with 2 before it asks for anything when it is not clear what to change", async (context) => {
    const server = await serve(context, answers);
    for (const wrong of [
      [],
      ["--set", "/a=1", "--undo"],
      ["--undo", "--dry-run"],
      ["--set", "/a=b"],
      ["--patch", "none.json"],
    ]) {
      const { code } = await server.run(["failures", "edit", "fail_1", ...wrong]);
      assert.equal(code, 2, wrong.join(" "));
    }
    assert.deepEqual(server.requests, []);
  });
});
