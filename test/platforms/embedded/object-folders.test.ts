import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { clearUnfinishedObjects, fileObjectStore } from "../../../src/platforms/embedded/object-store.ts";
import { verifyUpload, verifyUploadLink } from "../../../src/platforms/embedded/upload-link.ts";
import { storeFolder } from "./store-folder.ts";

const secret = "a secret of the test";

async function withFolder(body: (directory: string, store: ReturnType<typeof fileObjectStore>) => Promise<void>) {
  const folder = await storeFolder();
  const directory = join(folder.directory, "objects");
  const baseUrl = () => "http://127.0.0.1:8080";
  try {
    await body(directory, fileObjectStore({ directory, clock: folder.clock, secret, baseUrl }));
  } finally {
    await folder.remove();
  }
}

describe("objects in folders", () => {
  test("lie in folders that follow their keys, the body as it came", () =>
    withFolder(async (directory, store) => {
      await store.put("raw/orders/2026/11/16/ab 1", Buffer.from("body"));
      const path = join(directory, "raw", "orders", "2026", "11", "16", "ab%201~");
      assert.equal(await readFile(join(path, "body"), "utf8"), "body");
      assert.deepEqual((await readdir(path)).sort(), ["body", "object.json"]);
    }));

  test("do not appear half written, and leave nothing behind after a crash and a start", () =>
    withFolder(async (directory, store) => {
      await store.put("a", Buffer.from("body"));
      const unfinished = join(directory, "~work", "crashed");
      await mkdir(unfinished, { recursive: true });
      await writeFile(join(unfinished, "body"), "half");
      const keys: string[] = [];
      for await (const { key } of store.list("")) keys.push(key);
      assert.deepEqual(keys, ["a"]);
      await clearUnfinishedObjects(directory);
      assert.deepEqual(await readdir(directory), ["a~"]);
      assert.equal(await store.put("b", Buffer.from("x")), "created");
    }));

  test("leave no files of a put that lost, nor of a removed object", () =>
    withFolder(async (directory, store) => {
      await Promise.all([1, 2, 3, 4].map((number) => store.put("a", Buffer.from(String(number)))));
      await store.delete("a");
      assert.deepEqual(await readdir(directory), ["~work"]);
      assert.deepEqual(await readdir(join(directory, "~work")), []);
    }));
});

describe("upload links", () => {
  const request = { contentType: "text/csv", bytes: 3, sha256: null, expiresAt: 2_000 };

  test("lead to the upload's address, and hold with another host or only path and query", () =>
    withFolder(async (_, store) => {
      const { url, headers } = await store.uploadLink("uploads/orders/é 1", request);
      assert.ok(url.startsWith("http://127.0.0.1:8080/v1/uploads/%C3%A9%201/content?"), url);
      assert.deepEqual(headers, { "content-type": "text/csv" });
      const grant = { key: "uploads/orders/é 1", contentType: "text/csv", bytes: 3, sha256: null };
      const { pathname, search } = new URL(url);
      for (const form of [url, `${pathname}${search}`, `https://example.com${pathname}${search}`]) {
        assert.deepEqual(verifyUploadLink(secret, form, 1_999), grant);
      }
    }));

  test("are refused with LINK_INVALID when forged and LINK_EXPIRED from their end on", () =>
    withFolder(async (_, store) => {
      const { url } = await store.uploadLink("uploads/a", request);
      assert.throws(() => verifyUploadLink(secret, url, 2_000), { code: "LINK_EXPIRED" });
      for (const forged of [
        url.replace("bytes=3", "bytes=4"),
        url.replace("expires=2000", "expires=9999"),
        "",
        "::",
        "/",
      ]) {
        assert.throws(() => verifyUploadLink(secret, forged, 0), { code: "LINK_INVALID" }, forged);
      }
      assert.throws(() => verifyUploadLink("another secret", url, 0), { code: "LINK_INVALID" });
    }));

  test("name what does not fit a body", () => {
    const grant = { key: "a", contentType: "text/csv", bytes: 3, sha256: "00" };
    assert.throws(() => verifyUpload(grant, "text/csv", Buffer.from("ab")), { code: "BODY_TRUNCATED" });
    assert.throws(() => verifyUpload(grant, "text/csv", Buffer.from("abcd")), { code: "BODY_TOO_LARGE" });
    assert.throws(() => verifyUpload(grant, "text/html", Buffer.from("abc")), { code: "LINK_INVALID" });
    assert.throws(() => verifyUpload(grant, "text/csv", Buffer.from("abc")), { code: "LINK_INVALID" });
  });
});
