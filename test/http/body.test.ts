import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";
import { BodyReader } from "../../src/http/body.ts";
import { EventPulseError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { jsonOf, problemOf, type TestApp, withApp } from "./app-harness.ts";

const event = JSON.stringify({ id: "o-1", total: 1 });

const brokenChecksum = gzipSync(event);
brokenChecksum.fill(0, brokenChecksum.length - 8, brokenChecksum.length - 4);

function post(app: TestApp, body: Uint8Array, encoding: string, query = "") {
  return app.request(`/v1/streams/orders/events${query}`, {
    method: "POST",
    body,
    headers: { "content-encoding": encoding },
  });
}

describe("a compressed body", () => {
  for (const [encoding, body] of [
    ["gzip", gzipSync(event)],
    ["GZIP", gzipSync(event)],
    ["x-gzip", gzipSync(event)],
    ["zstd", zstdCompressSync(event)],
    ["identity", Buffer.from(event)],
    ["gzip", Buffer.concat([gzipSync(event.slice(0, 5)), gzipSync(event.slice(5))])],
  ] as const) {
    test(
      `is read with ${encoding} (${body.length} bytes)`,
      withApp(async (app) => {
        assert.equal((await jsonOf<{ accepted: number }>(post(app, body, encoding))).accepted, 1);
      }),
    );
  }

  for (const [encoding, body] of [
    ["br", brotliCompressSync(event)],
    ["gzip, gzip", gzipSync(gzipSync(event))],
    ["deflate", Buffer.from(event)],
    ["constructor", Buffer.from(event)],
    ["x-zstd", zstdCompressSync(event)],
  ] as const) {
    test(
      `with the encoding ${encoding} is refused as 415`,
      withApp(async (app) => {
        const response = await post(app, body, encoding);
        assert.equal(response.status, 415);
        assert.equal((await problemOf(response)).code, "ENCODING_UNSUPPORTED");
      }),
    );
  }

  for (const [what, encoding, body] of [
    ["gzip that ends too early", "gzip", gzipSync(event).subarray(0, 20)],
    ["gzip with a wrong checksum", "gzip", brokenChecksum],
    ["no gzip at all", "gzip", Buffer.from(event)],
    ["an empty body", "gzip", Buffer.alloc(0)],
    ["zstd that ends too early", "zstd", zstdCompressSync(event).subarray(0, 12)],
    ["no zstd at all", "zstd", Buffer.from(event)],
  ] as const) {
    test(
      `that is ${what} is refused as ENCODING_INVALID`,
      withApp(async (app) => {
        const response = await post(app, body, encoding);
        assert.equal(response.status, 400);
        assert.equal((await problemOf(response)).code, "ENCODING_INVALID");
      }),
    );
  }

  for (const [encoding, bomb] of [
    ["gzip", gzipSync(Buffer.alloc(limits.bodyBytesMax + 1, 0x20))],
    ["zstd", zstdCompressSync(Buffer.alloc(limits.bodyBytesMax + 1, 0x20))],
  ] as const) {
    test(
      `of ${bomb.length} bytes that grows past the limit with ${encoding} is refused as 413`,
      withApp(async (app) => {
        const response = await post(app, bomb, encoding);
        assert.equal(response.status, 413);
        assert.equal(response.headers.get("link"), '</v1/uploads>; rel="related"');
        const { code, detail } = await problemOf(response);
        assert.equal(code, "BODY_TOO_LARGE");
        assert.match(detail, /10485760 bytes.*POST \/v1\/uploads/);
      }),
    );
  }

  test(
    "of gigabytes is given up at the limit, not inflated",
    { timeout: 20_000 },
    withApp(async (app) => {
      // Members of gzip follow each other: 400 times 10 MB in 4 MB.
      const bomb = Buffer.concat(Array<Uint8Array>(400).fill(gzipSync(Buffer.alloc(limits.bodyBytesMax))));
      const before = process.memoryUsage().rss;
      assert.equal((await post(app, bomb, "gzip")).status, 413);
      const grownMegabytes = (process.memoryUsage().rss - before) / 1024 / 1024;
      assert.ok(grownMegabytes < 200, `memory grew by ${grownMegabytes} MB`);
    }),
  );

  test(
    "that claims a window of 128 MB is refused",
    withApp(async (app) => {
      const params = {
        [constants.ZSTD_c_windowLog]: 27,
        [constants.ZSTD_c_compressionLevel]: 1,
        [constants.ZSTD_c_contentSizeFlag]: 0,
      };
      const frame = zstdCompressSync(Buffer.alloc(9 * 1024 * 1024, 0x20), { params });
      assert.equal((await problemOf(await post(app, frame, "zstd"))).code, "ENCODING_INVALID");
    }),
  );

  test("is counted until the request is done, so that many small ones cannot fill the memory together", async () => {
    const bodies = new BodyReader();
    const body = gzipSync(Buffer.alloc(limits.bodyBytesMax));
    const request = () => new Request("http://localhost/", { method: "POST", headers: { "content-encoding": "gzip" } });
    let finish = () => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let inHand = 0;
    let busy = 0;
    const all = Array.from({ length: 40 }, () =>
      bodies
        .withBody(request(), { readBody: async () => body }, () => {
          inHand++;
          return held;
        })
        .catch((error: unknown) => {
          assert.ok(error instanceof EventPulseError && error.code === "TOO_BUSY");
          busy++;
        }),
    );
    while (inHand + busy < 40) await new Promise((resolve) => setTimeout(resolve, 5));
    finish();
    await Promise.all(all);
    const most = Math.ceil(limits.requestBytesInMemoryMax / limits.bodyBytesMax) + 4;
    assert.ok(inHand <= most && busy > 0, `${inHand} of 40 were in memory at once`);
    assert.equal(
      await bodies.withBody(request(), { readBody: async () => body }, (plain) => plain.length),
      limits.bodyBytesMax,
    );
  });
});

test(
  "a body over the limit is a 413 that names the limits and the way for larger sets",
  withApp(async (app) => {
    const response = await app.request("/v1/streams/orders/events", {
      method: "POST",
      body: new Uint8Array(limits.bodyBytesMax + 1),
    });
    assert.equal(response.status, 413);
    assert.match((await problemOf(response)).detail, /10485760.*10000 events.*POST \/v1\/uploads/);
  }),
);
