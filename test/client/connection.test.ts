import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { connect, delayMillis, sleep } from "../../src/client/connection.ts";
import { type Answer, answerJson, answerProblem, startScriptedServer } from "./scripted-server.ts";

async function serve(context: TestContext, answer: Answer) {
  const server = await startScriptedServer(answer);
  context.after(() => server.close());
  return server;
}

describe("connection", () => {
  test("sends the key as a bearer token, and none where there is none", async (context) => {
    const server = await serve(context, (_, response) => answerJson(response, 200, {}));
    await connect({ url: `${server.url}/`, key: "epk_1" }).json("GET", "/v1/me");
    await connect({ url: server.url, key: null }).json("GET", "/v1/me", {
      query: { a: "x&y", b: null, c: ["1", "2"] },
    });
    const [first, second] = server.requests;
    assert.equal(first?.headers.authorization, "Bearer epk_1");
    assert.equal(first?.url, "/v1/me");
    assert.equal(second?.headers.authorization, undefined);
    assert.equal(second?.url, "/v1/me?a=x%26y&c=1&c=2");
  });

  test("throws the problem that the server tells, with its code, errors and wait", async (context) => {
    const errors = [{ pointer: "/query/limit", code: "PARAMETER_INVALID", detail: "must be a number" }];
    const server = await serve(context, (_, response) => answerProblem(response, 400, "PARAMETER_INVALID", {}, errors));
    await assert.rejects(connect({ url: server.url, key: null }).json("GET", "/"), {
      name: "EventPulseError",
      code: "PARAMETER_INVALID",
      message: "because of PARAMETER_INVALID",
      errors,
    });
    assert.equal(server.requests.length, 1, "what cannot get better is not tried again");
  });

  for (const [status, code] of [
    [408, "BODY_TOO_SLOW"],
    [429, "TOO_BUSY"],
    [503, "NOT_DURABLE"],
  ] as const) {
    test(`sends a ${status} again, also when it is no GET: nothing was done`, async (context) => {
      const server = await serve(context, (_, response, index) =>
        index === 0
          ? answerProblem(response, status, code, { "retry-after": "0" })
          : answerJson(response, 200, { ok: true }),
      );
      assert.deepEqual(await connect({ url: server.url, key: null }).json("POST", "/", { body: "{}" }), { ok: true });
      assert.equal(server.requests.length, 2);
    });
  }

  test("waits as long as Retry-After says", async (context) => {
    const server = await serve(context, (_, response, index) =>
      index === 0 ? answerProblem(response, 429, "TOO_BUSY", { "retry-after": "1" }) : answerJson(response, 200, {}),
    );
    const startedAt = performance.now();
    await connect({ url: server.url, key: null }).json("GET", "/");
    assert.ok(performance.now() - startedAt >= 990);
  });

  test("sends a GET, or what has an Idempotency-Key, again after a lost connection and a 500, and nothing else", async (context) => {
    const lose: Answer = (_, response, index) => {
      if (index === 0) response.destroy();
      else if (index === 1) answerProblem(response, 500, "INTERNAL");
      else answerJson(response, 200, { index });
    };
    const get = await serve(context, lose);
    assert.deepEqual(await connect({ url: get.url, key: null }).json("GET", "/"), { index: 2 });
    const keyed = await serve(context, lose);
    const headers = { "idempotency-key": "k1" };
    assert.deepEqual(await connect({ url: keyed.url, key: null }).json("POST", "/", { body: "{}", headers }), {
      index: 2,
    });
    assert.deepEqual(
      keyed.requests.map(({ headers }) => headers["idempotency-key"]),
      ["k1", "k1", "k1"],
    );
    const plain = await serve(context, lose);
    await assert.rejects(connect({ url: plain.url, key: null }).json("POST", "/", { body: "{}" }), {
      code: "SERVER_UNREACHABLE",
    });
    assert.equal(plain.requests.length, 1);
  });

  test("sends again when the answer breaks off in the middle", async (context) => {
    const server = await serve(context, (_, response, index) => {
      if (index > 0) return answerJson(response, 200, { whole: true });
      response.writeHead(200, { "content-length": "100" });
      response.write('{"who');
      setTimeout(() => response.destroy(), 20);
    });
    assert.deepEqual(await connect({ url: server.url, key: null }).json("GET", "/"), { whole: true });
  });

  test("gives up after as many tries as it was told", async (context) => {
    const server = await serve(context, (_, response) =>
      answerProblem(response, 503, "SHUTTING_DOWN", { "retry-after": "0" }),
    );
    await assert.rejects(connect({ url: server.url, key: null, attemptsMax: 3 }).json("GET", "/"), {
      code: "SHUTTING_DOWN",
    });
    assert.equal(server.requests.length, 3);
  });

  test("names an address where nothing listens SERVER_UNREACHABLE", async (context) => {
    const server = await serve(context, () => undefined);
    await server.close();
    await assert.rejects(connect({ url: server.url, key: null, attemptsMax: 1 }).json("GET", "/"), {
      code: "SERVER_UNREACHABLE",
    });
  });

  test("takes neither a redirect nor something that is not JSON for an answer", async (context) => {
    const other = await serve(context, (_, response) => answerJson(response, 200, {}));
    const redirect = await serve(context, (_, response) => response.writeHead(307, { location: other.url }).end());
    const connection = connect({ url: redirect.url, key: "epk_1", attemptsMax: 1 });
    await assert.rejects(connection.json("GET", "/"), { code: "SERVER_UNREACHABLE" });
    assert.equal(other.requests.length, 0, "the key went nowhere else");
    const page = await serve(context, (_, response) => response.writeHead(200).end("<html>"));
    await assert.rejects(connect({ url: page.url, key: null }).json("GET", "/"), { code: "ANSWER_INVALID" });
    const lost = await serve(context, (_, response) => response.writeHead(404).end("<html>"));
    await assert.rejects(connect({ url: lost.url, key: null }).json("GET", "/"), { code: "ANSWER_INVALID" });
  });

  test("ends at once with the signal's reason, also while it waits", async (context) => {
    const server = await serve(context, (_, response) =>
      answerProblem(response, 429, "TOO_BUSY", { "retry-after": "60" }),
    );
    const controller = new AbortController();
    const answer = connect({ url: server.url, key: null }).json("GET", "/", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await assert.rejects(answer, /enough/);
    await assert.rejects(sleep(60_000, AbortSignal.abort(new Error("before"))), /before/);
  });

  test("waits ever longer with jitter, at most ten seconds unless the server asks for more", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((attempt) => delayMillis(attempt, null, () => 0.999_999));
    assert.ok(waits.every((wait, index) => wait >= (waits[index - 1] ?? 0)));
    assert.equal(Math.round(waits.at(-1) ?? 0), 10_000);
    assert.equal(
      delayMillis(1, null, () => 0),
      100,
    );
    assert.equal(
      delayMillis(1, 30, () => 0),
      30_000,
    );
    assert.equal(
      delayMillis(1, 86_400, () => 0),
      120_000,
    );
  });
});
