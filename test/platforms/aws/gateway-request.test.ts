import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  type GatewayEvent,
  gatewayEnvironment,
  gatewayRequest,
  gatewayResult,
  requestBytesMax,
} from "../../../src/platforms/aws/handlers/gateway-request.ts";

const event = (change: Partial<GatewayEvent> = {}): GatewayEvent => ({
  httpMethod: "GET",
  path: "/v1/streams",
  body: null,
  isBase64Encoded: false,
  multiValueHeaders: { Host: ["api.example.com"] },
  multiValueQueryStringParameters: null,
  ...change,
});
const requestOf = (change: Partial<GatewayEvent> = {}) => gatewayRequest(event(change), new AbortController().signal);

describe("a request of API Gateway", () => {
  test("keeps every value of headers and of the query, as they were decoded", () => {
    const request = requestOf({
      multiValueHeaders: { Host: ["api.example.com"], Accept: ["text/csv", "application/json"] },
      multiValueQueryStringParameters: { "where[a b][eq]": ["ü&=", "2"], cursor: ["+/="] },
    });
    assert.equal(request.headers.get("accept"), "text/csv, application/json");
    const url = new URL(request.url);
    assert.equal(url.origin, "https://api.example.com");
    assert.deepEqual(url.searchParams.getAll("where[a b][eq]"), ["ü&=", "2"]);
    assert.equal(url.searchParams.get("cursor"), "+/=");
  });

  test("keeps what would end a path in it", () => {
    assert.equal(new URL(requestOf({ path: "/v1/records/a#b?c%20d%" }).url).pathname, "/v1/records/a%23b%3Fc%20d%25");
  });

  test("gives the bytes of the body, and refuses more than the function can be sent", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x80]);
    const environment = gatewayEnvironment(event({ body: bytes.toString("base64"), isBase64Encoded: true }));
    assert.deepEqual(await environment.readBody(10), bytes);
    await assert.rejects(environment.readBody(2), { code: "BODY_TOO_LARGE", message: /POST \/v1\/uploads/ });
    const large = gatewayEnvironment(event({ body: "x".repeat(requestBytesMax + 1) }));
    await assert.rejects(large.readBody(Number.MAX_SAFE_INTEGER), { code: "BODY_TOO_LARGE" });
    assert.equal((await gatewayEnvironment(event()).readBody(10)).length, 0);
  });
});

describe("an answer through API Gateway", () => {
  test("is text where it is text, and Base64 where it is not", async () => {
    const text = await gatewayResult(new Response("é", { status: 201, headers: { "x-a": "1" } }), requestOf());
    assert.deepEqual([text.statusCode, text.body, text.isBase64Encoded], [201, "é", false]);
    assert.deepEqual(text.multiValueHeaders["x-a"], ["1"]);
    const bytes = await gatewayResult(new Response(Buffer.from([0xff])), requestOf());
    assert.deepEqual([bytes.body, bytes.isBase64Encoded], ["/w==", true]);
  });

  test("is compressed when it is large and the client takes it", async () => {
    const body = "x".repeat(1_000_000);
    for (const [accept, compressed] of [
      ["gzip, br", true],
      ["br;q=1, gzip;q=0.5", true],
      ["gzip;q=0", false],
      ["br", false],
    ] as const) {
      const request = requestOf({ multiValueHeaders: { "Accept-Encoding": [accept] } });
      const result = await gatewayResult(new Response(body), request);
      assert.equal(result.isBase64Encoded, compressed, accept);
      if (compressed) assert.equal(gunzipSync(Buffer.from(result.body, "base64")).toString(), body);
    }
  });

  test("is a problem when it is larger than a function may give", async () => {
    const response = new Response("x".repeat(6_000_001), { headers: { "x-request-id": "req_1" } });
    const result = await gatewayResult(response, requestOf());
    assert.equal(result.statusCode, 413);
    const { code, requestId } = JSON.parse(result.body) as { code: string; requestId: string };
    assert.deepEqual([code, requestId], ["OBJECT_TOO_LARGE", "req_1"]);
  });
});
