import assert from "node:assert/strict";
import { test } from "node:test";
import { gatewayAnswer, proxyEvent } from "./proxy-event.ts";

const request = {
  id: "r",
  method: "POST",
  target: "/v1/a%2Fb?where[x][eq]=1&limit=2&limit=3&q=a+b",
  rawHeaders: ["Host", "api.example.com", "X-Many", "1", "X-Many", "2"],
  body: Buffer.from([0, 255]),
  sourceIp: "127.0.0.1",
  stage: "dev",
  time: 0,
};

test("a request becomes a proxy event: every value kept, the last one alone, the body in base64", () => {
  const event = proxyEvent(request);
  assert.equal(event.path, "/v1/a%2Fb");
  assert.equal(event.requestContext.path, "/dev/v1/a%2Fb");
  assert.deepEqual(event.multiValueHeaders["X-Many"], ["1", "2"]);
  assert.equal(event.headers["X-Many"], "2");
  assert.deepEqual(event.multiValueQueryStringParameters?.["limit"], ["2", "3"]);
  assert.deepEqual(event.queryStringParameters, { "where[x][eq]": "1", limit: "3", q: "a b" });
  assert.deepEqual([event.body, event.isBase64Encoded], ["AP8=", true]);
  const empty = proxyEvent({ ...request, target: "/", body: Buffer.alloc(0) });
  assert.deepEqual([empty.body, empty.queryStringParameters, empty.isBase64Encoded], [null, null, false]);
});

test("a result becomes an answer: headers by the list that has all values, some under another name", () => {
  const answer = gatewayAnswer({
    statusCode: 401,
    headers: { "x-a": "1", "www-authenticate": "Bearer" },
    multiValueHeaders: { "X-A": ["1", "2"] },
    body: "AP8=",
    isBase64Encoded: true,
  });
  assert.deepEqual(answer, {
    status: 401,
    headers: [
      ["X-A", "1"],
      ["X-A", "2"],
      ["x-amzn-Remapped-www-authenticate", "Bearer"],
    ],
    body: Buffer.from([0, 255]),
  });
});

test("a result of another form is none", () => {
  for (const result of [null, "text", {}, { statusCode: "no" }, { statusCode: 200, body: {} }])
    assert.equal(gatewayAnswer(result), null);
});
