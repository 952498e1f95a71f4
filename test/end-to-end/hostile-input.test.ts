import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { limits } from "../../src/model/limits.ts";
import { fixture, fixtureMissing } from "../fixtures.ts";
import { type HostileServer, startHostileServer } from "./hostile-server.ts";
import { expectProblem, type FailureRow, type RecordRow } from "./running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const anything = stream({ schema: z.looseObject({}) });
const copied = stream({ schema: z.looseObject({}), transform: (event) => ({ ...event, polluted: ({}).polluted ?? null }) });
const keyed = stream({ schema: z.looseObject({ id: z.string() }), key: "id" });
export default defineConfig({ name: "hostile", streams: { anything, copied, keyed } });
`;

/** What the doors may hold at once, and V8's own way of growing before it collects. */
const growthMegabytesMax = 250;
const json = { "content-type": "application/json" };

describe("hostile input", { concurrency: false }, () => {
  let server: HostileServer;
  before(async () => {
    server = await startHostileServer(config);
  });
  after(() => server.close());

  const post = (body: string | Uint8Array, headers: Record<string, string> = json, stream = "anything") =>
    server.request(`/v1/streams/${stream}/events`, { method: "POST", headers, body: body as string });

  const missing = fixtureMissing("json/JSONTestSuite");
  describe("JSONTestSuite", { skip: missing }, () => {
    const files = (prefix: string) => {
      const folder = fixture("json/JSONTestSuite");
      const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
      return names.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    };

    test("every text that is no JSON is refused with a problem that names its code", async () => {
      const refused = files("n_");
      assert.equal(refused.length, 188);
      for (const { name, bytes } of refused) {
        const response = await post(bytes);
        const problem = (await response.clone().json()) as { code: string };
        assert.match(problem.code, /^(?:JSON_INVALID|JSON_TOO_DEEP|UTF8_INVALID|BODY_EMPTY)$/, name);
        await expectProblem(response, problem.code === "JSON_TOO_DEEP" ? 422 : 400, problem.code);
      }
      assert.equal((await server.balance("anything")).accepted, 0);
    });

    test("every text that is JSON is taken, except the two that say a key twice", async () => {
      const taken = files("y_");
      assert.equal(taken.length, 95);
      const refused: string[] = [];
      for (const { name, bytes } of taken) {
        const response = await post(bytes);
        if (response.status === 202) continue;
        await expectProblem(response, 422, "JSON_KEY_DUPLICATE");
        refused.push(name);
      }
      assert.deepEqual(refused, ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"]);
    });
  });

  const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
  const zeros = (megabytes: number) => Buffer.alloc(megabytes * 2 ** 20, 0x20);
  /** Gzip members follow one another: 90 of 100 MB each in 9 MB. */
  const gzipBomb = () => Buffer.concat(Array(90).fill(gzipSync(zeros(100), { level: 9 })));
  const refused: readonly (readonly [
    string,
    string | (() => string | Uint8Array),
    Record<string, string>,
    number,
    string,
  ])[] = [
    ["an event that is nested too deeply", nested(limits.jsonDepthMax + 1), json, 422, "JSON_TOO_DEEP"],
    ["a hundred thousand brackets", "[".repeat(100_000), json, 422, "JSON_TOO_DEEP"],
    ["an event that is too large", `{"text":"${"x".repeat(limits.eventBytesMax)}"}`, json, 413, "EVENT_TOO_LARGE"],
    ["a body that is too large", () => zeros(11), json, 413, "BODY_TOO_LARGE"],
    ["too many events in an array", `[${"{},".repeat(10_000)}{}]`, json, 413, "EVENTS_TOO_MANY"],
    ["too many lines", "{}\n".repeat(10_001), { "content-type": "application/x-ndjson" }, 413, "EVENTS_TOO_MANY"],
    ["no body", "", json, 400, "BODY_EMPTY"],
    ["nothing but lines", "\n\r\n \n", { "content-type": "application/x-ndjson" }, 400, "BODY_EMPTY"],
    ["bytes that are no UTF-8", () => Buffer.from('{"a":"\xff"}', "latin1"), json, 400, "UTF8_INVALID"],
    [
      "half of a surrogate pair in UTF-8",
      () => Buffer.from("7b2261223a22eda080227d", "hex"),
      json,
      400,
      "UTF8_INVALID",
    ],
    ["an overlong encoding", () => Buffer.from("7b2261223a22c080227d", "hex"), json, 400, "UTF8_INVALID"],
    ["UTF-16", () => Buffer.from('\ufeff{"a":1}', "utf16le"), json, 400, "UTF8_INVALID"],
    ["another charset", "{}", { "content-type": "application/json; charset=iso-8859-1" }, 415, "ENCODING_UNSUPPORTED"],
    ["a key twice", '{"a":1,"\\u0061":2}', json, 422, "JSON_KEY_DUPLICATE"],
    ["an integer that no double holds", '{"a":9007199254740993}', json, 422, "NUMBER_NOT_EXACT"],
    ["a number beyond all doubles", '{"a":-1e999}', json, 422, "NUMBER_NOT_EXACT"],
    ["plain text", "{}", { "content-type": "text/plain" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["a form", "a=1", { "content-type": "application/x-www-form-urlencoded" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["CSV in a request", "a\n1", { "content-type": "text/csv" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    ["a content type that is none", "{}", { "content-type": ";;;=" }, 415, "CONTENT_TYPE_UNSUPPORTED"],
    [
      "gzip that ends too early",
      () => gzipSync('{"a":1}').subarray(0, 12),
      { ...json, "content-encoding": "gzip" },
      400,
      "ENCODING_INVALID",
    ],
    ["gzip that is none", "{}", { ...json, "content-encoding": "gzip" }, 400, "ENCODING_INVALID"],
    ["zstd that is none", "{}", { ...json, "content-encoding": "zstd" }, 400, "ENCODING_INVALID"],
    [
      "zstd that ends too early",
      () => zstdCompressSync('{"a":1}').subarray(0, 10),
      { ...json, "content-encoding": "zstd" },
      400,
      "ENCODING_INVALID",
    ],
    ["another encoding", "{}", { ...json, "content-encoding": "br" }, 415, "ENCODING_UNSUPPORTED"],
    [
      "two encodings",
      () => gzipSync(gzipSync("{}")),
      { ...json, "content-encoding": "gzip, gzip" },
      415,
      "ENCODING_UNSUPPORTED",
    ],
    [
      "an encoding named after what every object has",
      "{}",
      { ...json, "content-encoding": "constructor" },
      415,
      "ENCODING_UNSUPPORTED",
    ],
    ["a gzip bomb", gzipBomb, { ...json, "content-encoding": "gzip" }, 413, "BODY_TOO_LARGE"],
    ["a zstd bomb", () => zstdCompressSync(zeros(500)), { ...json, "content-encoding": "zstd" }, 413, "BODY_TOO_LARGE"],
    [
      "a CloudEvent that is none",
      '{"specversion":"1.0"}',
      { "content-type": "application/cloudevents+json" },
      400,
      "CLOUDEVENT_INVALID",
    ],
    [
      "an Idempotency-Key that is too long",
      "{}",
      { ...json, "idempotency-key": "k".repeat(300) },
      400,
      "PARAMETER_INVALID",
    ],
  ];
  for (const [name, body, headers, status, code] of refused) {
    test(`${name} is refused: ${status} ${code}`, async () => {
      const bytes = typeof body === "function" ? body() : body;
      const { accepted } = await server.balance("anything");
      const started = Date.now();
      await expectProblem(await post(bytes, headers), status, code);
      // Decompressing gigabytes would take longer than all of this, also where a busy disk holds everything up for seconds.
      assert.ok(Date.now() - started < 15_000, "refused quickly");
      assert.equal((await server.balance("anything")).accepted, accepted, "nothing was kept");
    });
  }

  test("a body without a length is refused as soon as it is too large", async () => {
    let sent = 0;
    const sentMax = 100 * 2 ** 20;
    const endless = new ReadableStream<Uint8Array>({
      // A pull that always answers at once can keep this process from ever reading the answer.
      async pull(controller) {
        await setImmediate();
        sent += 2 ** 16;
        if (sent < sentMax) controller.enqueue(new Uint8Array(2 ** 16).fill(0x20));
        else controller.close();
      },
    });
    const init = { method: "POST", headers: json, body: endless, duplex: "half" };
    await expectProblem(
      await server.request("/v1/streams/anything/events", init as RequestInit),
      413,
      "BODY_TOO_LARGE",
    );
    assert.ok(sent < sentMax);
  });

  test("what is just within a limit is taken", async () => {
    const bodies: readonly (readonly [string | Uint8Array, Record<string, string>])[] = [
      [nested(limits.jsonDepthMax), json],
      [`{"text":"${"x".repeat(limits.eventBytesMax - 11)}"}`, json],
      [`[${"{},".repeat(9_999)}{}]`, json],
      [zstdCompressSync('{"a":1}'), { ...json, "content-encoding": "zstd" }],
      [gzipSync('{"a":1}'), { ...json, "content-encoding": "gzip" }],
      [gzipSync('{"a":1}'), { ...json, "content-encoding": "GZIP" }],
      [Buffer.from('\ufeff{"a":1}'), json],
      ["{}", { "content-type": 'application/json; charset="UTF-8"' }],
    ];
    for (const [body, headers] of bodies) assert.equal((await post(body, headers)).status, 202);
  });

  test("a bad event fails alone, whatever is bad about it", async () => {
    const bad = [
      `{"id":"big","text":"${"x".repeat(limits.eventBytesMax)}"}`,
      '{"id":"twice","a":1,"a":2}',
      '{"id":"n","a":1e400}',
      "[]",
      "null",
      '"text"',
      '{"id":""}',
      "{}",
    ];
    const body = [...bad, '{"id":"good"}'].join("\n");
    const { accepted, invalid } = await server.send("keyed", body, { "content-type": "application/x-ndjson" });
    assert.equal(accepted, bad.length + 1);
    await server.settled();
    const failures = await server.list<FailureRow>("/v1/failures?stream=keyed");
    const codes = failures.sort((a, b) => a.rawIndex - b.rawIndex).map(({ code, class: kind }) => `${code} ${kind}`);
    assert.deepEqual(codes, [
      "EVENT_TOO_LARGE security",
      "JSON_KEY_DUPLICATE invalid",
      "NUMBER_NOT_EXACT invalid",
      "EVENT_NOT_OBJECT invalid",
      "EVENT_NOT_OBJECT invalid",
      "EVENT_NOT_OBJECT invalid",
      "KEY_MISSING invalid",
      "CONTRACT_BROKEN invalid",
    ]);
    assert.deepEqual(
      invalid.map(({ index }) => index),
      // An empty key fits the contract; only processing finds it.
      [0, 1, 2, 3, 4, 5, 7],
    );
    const payload = await server.request(`/v1/failures/${failures[0]?.id}/payload`);
    assert.equal(await payload.text(), bad[0]);
    assert.equal((await server.balance("keyed")).stored, 1);
  });

  test("names that objects have anyway are data: kept, returned unchanged, and nothing is polluted", async () => {
    const texts = [
      '{"__proto__":{"polluted":true},"n":1}',
      '{"constructor":{"prototype":{"polluted":true}},"n":2}',
      '{"n":3,"inner":{"__proto__":{"polluted":true},"list":[{"__proto__":"text"}]}}',
      '{"toString":1,"valueOf":null,"hasOwnProperty":"x","toJSON":"y","then":"z","length":-1,"n":4}',
      '{"":{"":""},"n":5}',
    ];
    for (const stream of ["anything", "copied"]) {
      const { rawKey } = await server.send(stream, `[${texts.join(",")}]`);
      await server.settled();
      const response = await server.request(`/v1/streams/${stream}/records?limit=1000`, {
        headers: { accept: "application/x-ndjson" },
      });
      const lines = (await response.text()).split("\n").filter((line) => line.includes(rawKey));
      // As text: JSON.parse and deepEqual would both hide a prototype.
      const data = lines.map((line) => line.slice(line.indexOf('"data":') + 7, line.indexOf(',"rawKey"')));
      const expected = stream === "anything" ? texts : texts.map((text) => text.replace(/}$/, ',"polluted":null}'));
      assert.deepEqual(data.sort(), [...expected].sort());
    }
  });

  test("numbers come back with the digits that were sent", async () => {
    const text = '{"a":9007199254740992,"b":-0,"c":1.0,"d":1E3,"e":0.1,"f":1e-300,"g":100000000000000000000}';
    const { rawKey } = await server.send("anything", text);
    await server.settled();
    const response = await server.request("/v1/streams/anything/records?limit=1000");
    assert.ok((await response.text()).includes(`"data":${text},"rawKey":"${rawKey}"`));
  });

  const addresses: readonly (readonly [string, RequestInit, number, string])[] = [
    ["/nothing", {}, 404, "ROUTE_UNKNOWN"],
    ["/v1/streams/nothing/records", {}, 404, "STREAM_UNKNOWN"],
    ["/v1/streams/__proto__/records", {}, 404, "STREAM_UNKNOWN"],
    ["/v1/streams/constructor/records", {}, 404, "STREAM_UNKNOWN"],
    ["/v1/streams/%00/records", {}, 404, "STREAM_UNKNOWN"],
    ["/v1/streams/anything%0d%0aSet-Cookie:%20a=b/records", {}, 404, "STREAM_UNKNOWN"],
    ["/v1/streams/anything/records/..%2f..%2fsecrets.json", {}, 404, "RECORD_UNKNOWN"],
    ["/v1/streams/%zz/records", {}, 404, "STREAM_UNKNOWN"],
    ["/v1/failures/fail_' OR '1'='1", {}, 404, "FAILURE_UNKNOWN"],
    ["/v1/anomalies/x", {}, 404, "ANOMALY_UNKNOWN"],
    ["/v1/uploads/../../secrets.json", {}, 404, "ROUTE_UNKNOWN"],
    ["/v1/streams/anything/records?nothing=1", {}, 400, "PARAMETER_UNKNOWN"],
    ["/v1/streams/anything/records?__proto__=1", {}, 400, "PARAMETER_UNKNOWN"],
    ["/v1/streams/anything/records?constructor=1", {}, 400, "PARAMETER_UNKNOWN"],
    ["/v1/streams/anything/records?limit=0", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?limit=1e3", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?limit=1&limit=2", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?from=yesterday", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?from=2026-02-30T00:00:00Z", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?where[a]=1", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?where[a][like]=1", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?cursor=%ff", {}, 400, "PARAMETER_INVALID"],
    ["/v1/streams/anything/records?cursor=nonsense", {}, 400, "CURSOR_INVALID"],
    ["/v1/streams/anything/records?cursor=%0d%0aSet-Cookie:%20a=b", {}, 400, "CURSOR_INVALID"],
    ["/v1/failures?cursor=eyJhIjoxfQ", {}, 400, "CURSOR_INVALID"],
    ["/v1/anomalies?cursor=bnVsbA", {}, 400, "CURSOR_INVALID"],
    ["/v1/notifications?cursor=W10", {}, 400, "CURSOR_INVALID"],
    ["/v1/streams/anything/events", { method: "PUT", body: "x" }, 405, "METHOD_NOT_ALLOWED"],
    ["/v1/balance", { method: "DELETE" }, 405, "METHOD_NOT_ALLOWED"],
    ["/health/live", { method: "POST", body: "x" }, 405, "METHOD_NOT_ALLOWED"],
    ["/v1/balance", { headers: { origin: "https://evil.example" } }, 403, "ORIGIN_NOT_ALLOWED"],
    ["/v1/balance", { headers: { origin: "null" } }, 403, "ORIGIN_NOT_ALLOWED"],
    ["/v1/balance", { headers: { authorization: "Bearer wrong" } }, 401, "KEY_INVALID"],
    ["/v1/uploads", { method: "POST", headers: json, body: "{" }, 400, "JSON_INVALID"],
    ["/v1/uploads", { method: "POST", headers: json, body: '{"stream":7}' }, 422, "BODY_INVALID"],
    ["/v1/uploads", { method: "POST", headers: json, body: "x".repeat(70_000) }, 413, "BODY_TOO_LARGE"],
    ["/v1/anomalies/x", { method: "PATCH", headers: json, body: '{"state":"gone"}' }, 422, "BODY_INVALID"],
    ["/v1/failures/x/retry", { method: "POST" }, 404, "FAILURE_UNKNOWN"],
    ["/v1/failures/x?reason=because", { method: "DELETE" }, 404, "FAILURE_UNKNOWN"],
  ];
  test("a wrong address, parameter, method or sender is answered with its own code", async () => {
    for (const [path, init, status, code] of addresses) {
      const response = await server.request(path, init);
      assert.equal(response.headers.get("set-cookie"), null);
      if (status === 405) assert.match(response.headers.get("allow") ?? "", /[A-Z]+.*OPTIONS/, path);
      await expectProblem(response, status, code).catch((error: unknown) => assert.fail(`${path}: ${error}`));
    }
  });

  test("HEAD answers as GET without a body, OPTIONS says what is allowed", async () => {
    const head = await server.request("/v1/streams/anything/records?limit=1", { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    const unknown = await server.request("/nothing", { method: "HEAD" });
    assert.deepEqual([unknown.status, await unknown.text()], [404, ""]);
    const options = await server.request("/v1/streams/anything/events", { method: "OPTIONS" });
    assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, POST, HEAD, OPTIONS"]);
    assert.equal(options.headers.get("access-control-allow-origin"), null);
    assert.equal((await server.request("/v1/live", { method: "HEAD" })).status, 200);
  });

  test("a condition with line breaks stays inside the Link header", async () => {
    await server.send("anything", [{ a: "x" }, { a: "x" }, { a: "x" }]);
    await server.settled();
    const where = encodeURIComponent("where[a\r\nX-Evil: 1][exists]");
    const response = await server.request(`/v1/streams/anything/records?limit=1&${where}=false`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-evil"), null);
    assert.match(response.headers.get("link") ?? "", /%0D%0A/);
  });

  test("X-Request-Id is sent back when it is safe, else replaced", async () => {
    const idOf = async (given: string) =>
      (await server.request("/health/live", { headers: { "x-request-id": given } })).headers.get("x-request-id");
    assert.equal(await idOf("abc-123"), "abc-123");
    for (const unsafe of ["a b", "<script>", "x".repeat(500), "é"]) assert.match((await idOf(unsafe)) ?? "", /^req_/);
  });

  test("after all of it the server is ready, has answered nothing with a 5xx, and has not grown", async () => {
    const records = await server.list<RecordRow>("/v1/streams/anything/records");
    assert.ok(records.length > 0);
    assert.deepEqual(await server.list<FailureRow>("/v1/failures?code=INTERNAL"), []);
    await server.survived(growthMegabytesMax);
  });
});
