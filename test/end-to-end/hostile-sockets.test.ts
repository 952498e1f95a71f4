import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HostileServer, startHostileServer } from "./hostile-server.ts";
import { openLiveTail } from "./live-tail.ts";
import { type RawOptions, rawExchange } from "./raw-exchange.ts";
import type { Problem } from "./running.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";
export default defineConfig({ name: "sockets", streams: { anything: stream({ schema: z.looseObject({}) }) } });
`;

const requestTimeoutSeconds = 1;
/** The bodies of 64 MB that may be in memory at once, twice: they are garbage before they are gone. */
const growthMegabytesMax = 200;

const get = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";
const post = "POST /v1/streams/anything/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

type Case = readonly [name: string, bytes: string, status: number, code: string, options?: RawOptions];
const cases: readonly Case[] = [
  ["a request line that is none", "GARBAGE\r\n\r\n", 400, "REQUEST_MALFORMED"],
  ["bytes that are no text", "\x00\x01\xff\r\n\r\n", 400, "REQUEST_MALFORMED"],
  ["TLS to a port without it", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "REQUEST_MALFORMED"],
  ["HTTP/2 to a port without it", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "REQUEST_MALFORMED"],
  ["a method that is none", `FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n`, 400, "REQUEST_MALFORMED"],
  ["a NUL in the address", "GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "REQUEST_MALFORMED"],
  ["a control character in a header", `${get}X: a\x01b\r\n\r\n`, 400, "REQUEST_MALFORMED"],
  ["a bare line feed between headers", "GET / HTTP/1.1\nHost: localhost\n\n", 400, "REQUEST_MALFORMED"],
  ["no Host", "GET /health/live HTTP/1.1\r\n\r\n", 400, "REQUEST_MALFORMED"],
  ["a Host that is none", "GET /health/live HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "REQUEST_MALFORMED"],
  ["a user in the Host", "GET /health/live HTTP/1.1\r\nHost: evil@localhost\r\n\r\n", 400, "REQUEST_MALFORMED"],
  [
    "another Host, as DNS rebinding sends it",
    "GET /v1/balance HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    403,
    "HOST_NOT_ALLOWED",
  ],
  [
    "a Host that begins as ours",
    "GET /v1/balance HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n",
    403,
    "HOST_NOT_ALLOWED",
  ],
  ["a Host that ends as ours", "GET /v1/balance HTTP/1.1\r\nHost: evil-127.0.0.1\r\n\r\n", 403, "HOST_NOT_ALLOWED"],
  ["two Hosts", "GET /v1/balance HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 403, "HOST_NOT_ALLOWED"],
  [
    "another Host with our Origin",
    "GET /v1/balance HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n",
    403,
    "HOST_NOT_ALLOWED",
  ],
  [
    "our Host with another Origin",
    `GET /v1/balance HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n`,
    403,
    "ORIGIN_NOT_ALLOWED",
  ],
  [
    "an address of another scheme",
    "GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    400,
    "REQUEST_MALFORMED",
  ],
  ["a tunnel", "CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"],
  ["TRACE", "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"],
  ["a header that is too large", `${get}X: ${"x".repeat(20_000)}\r\n\r\n`, 431, "HEADERS_TOO_LARGE"],
  [
    "an address that is too large",
    `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    431,
    "HEADERS_TOO_LARGE",
  ],
  ["too many headers", `${get}${"a: b\r\n".repeat(4_000)}\r\n`, 431, "HEADERS_TOO_LARGE"],
  [
    "a length and chunks",
    `${post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    "REQUEST_MALFORMED",
  ],
  ["two lengths", `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `, 400, "REQUEST_MALFORMED"],
  ["a negative length", `${post}Content-Length: -2\r\n\r\n{}`, 400, "REQUEST_MALFORMED"],
  ["a length beyond all numbers", `${post}Content-Length: ${"9".repeat(40)}\r\n\r\n{}`, 400, "REQUEST_MALFORMED"],
  ["a length that is too large", `${post}Content-Length: 99999999\r\n\r\n{`, 413, "BODY_TOO_LARGE"],
  ["a transfer encoding that is unknown", `${post}Transfer-Encoding: gzip\r\n\r\n{}`, 400, "REQUEST_MALFORMED"],
  [
    "a chunk without a size",
    `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    400,
    "REQUEST_MALFORMED",
  ],
  ["a body that is cut off", `${post}Content-Length: 20\r\n\r\n{"a":`, 400, "BODY_TRUNCATED", { halfClose: true }],
  [
    "a chunked body that is cut off",
    `${post}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n`,
    400,
    "BODY_TRUNCATED",
    { halfClose: true },
  ],
  ["a body that never ends", `${post}Content-Length: 20\r\n\r\n{"a":`, 408, "BODY_TOO_SLOW"],
  ["headers that never end", "GET /health/live HTTP/1.1\r\nHost: local", 408, "BODY_TOO_SLOW"],
];

describe("hostile sockets", { concurrency: false }, () => {
  let server: HostileServer;
  before(async () => {
    server = await startHostileServer(config, requestTimeoutSeconds);
  });
  after(() => server.close());

  const exchange = async (parts: readonly string[], options?: RawOptions) => {
    const found = await rawExchange(
      server.port,
      parts.map((part) => Buffer.from(part, "latin1")),
      options,
    );
    for (const { status } of found.answers) server.saw(status);
    return found;
  };
  const expectAnswer = async (bytes: string, status: number, code: string, options?: RawOptions) => {
    const { answers } = await exchange([bytes], options);
    const [answer] = answers;
    assert.equal(answer?.status, status, answer?.body);
    assert.equal(answer?.headers["content-type"], "application/problem+json");
    const problem = JSON.parse(answer?.body ?? "") as Problem;
    assert.deepEqual([problem.code, problem.status], [code, status]);
    assert.equal(answer?.headers["x-request-id"], problem.requestId);
  };

  for (const [name, bytes, status, code, options] of cases) {
    test(`${name}: ${status} ${code}`, () => expectAnswer(bytes, status, code, options));
  }

  test("a client that sends a byte at a time is given up after the time for a request, not later", async () => {
    const started = Date.now();
    const dribble = [`${post}Content-Length: 100\r\n\r\n`, ...Array<string>(60).fill(" ")];
    const { answers } = await exchange(dribble, { pauseMillis: 100, millisMax: 10_000 });
    assert.equal(answers[0]?.status, 408);
    assert.ok(Date.now() - started < 4_000);
  });

  test("a request that expects something is answered as any other, after a 100 where that was asked for", async () => {
    const odd = await exchange([`${post}Content-Length: 2\r\nExpect: 200-maybe\r\n\r\n{}`]);
    assert.equal(odd.answers[0]?.status, 202);
    const asked = await exchange([`${post}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`, "{}"], {
      answers: 2,
      pauseMillis: 50,
    });
    assert.deepEqual(
      asked.answers.map(({ status }) => status),
      [100, 202],
    );
  });

  test("requests that come at once are answered in order; what follows them and is no HTTP ends the connection", async () => {
    const one = (text: string) => `${post}Content-Length: ${text.length}\r\n\r\n${text}`;
    const good = await exchange([`${one("{}")}${one("nonsense")}${get}\r\n`], { answers: 3 });
    assert.deepEqual(
      good.answers.map(({ status }) => status),
      [202, 400, 200],
    );
    const bad = await exchange([one("{}"), "GARBAGE\r\n\r\n"], { answers: 2, pauseMillis: 200 });
    assert.deepEqual(
      bad.answers.map(({ status }) => status),
      [202, 400],
    );
    assert.match(bad.answers[1]?.headers["connection"] ?? "", /close/i);
  });

  test("what is no HTTP in the middle of an answer ends it, and is not answered into it", async () => {
    const { bytes, endedByServer } = await exchange(
      ["GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n", "GARBAGE\r\n\r\n"],
      {
        answers: 2,
        pauseMillis: 300,
      },
    );
    assert.match(bytes.toString(), /^HTTP\/1\.1 200[\s\S]*: listening/);
    assert.equal(bytes.toString().match(/HTTP\/1\.1/g)?.length, 1);
    assert.ok(endedByServer);
  });

  test("clients that hang up anywhere leave nothing behind: not memory, not a listener, not a word in the log", async () => {
    const whole = `${post}Content-Length: 40\r\n\r\n{"text":"${"x".repeat(29)}"}`;
    for (let end = 1; end < whole.length; end += 3) {
      await exchange([whole.slice(0, end)], { millisMax: 5 });
    }
    for (let listener = 0; listener < 150; listener++) {
      const tail = await openLiveTail(server);
      tail.close();
    }
    const tail = await openLiveTail(server);
    tail.close();
    // Bodies of 9 MB that are cut off: counted for ever, eight of them would fill the room for all bodies.
    const most = "x".repeat(9 * 2 ** 20);
    for (let body = 0; body < 12; body++) {
      await exchange([`${post}Content-Length: ${10 * 2 ** 20}\r\n\r\n${most}`], { millisMax: 30 });
    }
    assert.equal((await server.send("anything", "{}")).accepted, 1);
  });

  test("more bodies at once than there is room for are refused with 429, also after many that were cut off", async () => {
    const begun = `${post}Content-Length: ${10 * 2 ** 20}\r\n\r\n${"x".repeat(9 * 2 ** 20)}`;
    const held = await Promise.all(Array.from({ length: 9 }, () => exchange([begun])));
    const statuses = new Set(held.map(({ answers }) => answers[0]?.status));
    assert.deepEqual([...statuses].sort(), [408, 429]);
    const busy = held.find(({ answers }) => answers[0]?.status === 429)?.answers[0];
    assert.equal((JSON.parse(busy?.body ?? "") as Problem).code, "TOO_BUSY");
    assert.match(busy?.headers["retry-after"] ?? "", /^[1-9]\d*$/);
    assert.equal((await server.send("anything", "{}")).accepted, 1);
  });

  test("after all of it the server is ready, has answered nothing with a 5xx, and has not grown", () =>
    server.survived(growthMegabytesMax));
});
