import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import type { ObjectStore, UploadLink, UploadLinkRequest } from "../../src/ports/object-store.ts";

export interface ObjectStoreHarness {
  readonly store: ObjectStore;
  now(): number;
  /** Lets at least this much of the platform's time pass. */
  wait(millis: number): Promise<void>;
  /** Sends a body through a link with these headers; true when it was taken. `url` changes the link. */
  send(
    link: UploadLink,
    body: Uint8Array,
    change?: { readonly url?: string; readonly contentType?: string },
  ): Promise<boolean>;
  close(): Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

const badKeys = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "a/./b",
  "a/../b",
  "../a",
  "a\u0000b",
  "\ud800",
  "é".repeat(257),
];

const goodKeys = [
  "a",
  "a/b",
  "a/b/c",
  "a.b",
  "a~",
  "a%2Fb",
  "a b/c d",
  "...",
  ".a",
  "a\\b",
  'a:b*?"<>|',
  "\n",
  "é/😀",
  "~work/a",
  "CON",
  "a\u007f",
  "x".repeat(512),
  `${"é".repeat(100)}/${"😀".repeat(70)}`,
  `${"y".repeat(128)}/${"y".repeat(129)}`,
  `${"x".repeat(64)}..`,
];

/** One test for each sentence of `src/ports/object-store.ts`. */
export function objectStoreContract(create: () => Promise<ObjectStoreHarness>): void {
  describe("object-store", () => {
    bodies(create);
    listing(create);
    uploadLinks(create);
  });
}

function withObjects(create: () => Promise<ObjectStoreHarness>) {
  return (body: (harness: ObjectStoreHarness) => Promise<void>) => async () => {
    const harness = await create();
    try {
      await body(harness);
    } finally {
      await harness.close();
    }
  };
}

function bodies(create: () => Promise<ObjectStoreHarness>): void {
  const stored = withObjects(create);

  test(
    "takes every valid key and gives its own body back",
    stored(async ({ store }) => {
      for (const key of goodKeys) assert.equal(await store.put(key, bytes(key), { name: "n" }), "created", key);
      for (const key of goodKeys) {
        assert.equal(Buffer.from((await store.get(key)) ?? []).toString(), key);
        assert.equal((await store.head(key))?.key, key);
      }
      assert.deepEqual((await keysOf(store, "")).sort(), goodKeys.toSorted());
    }),
  );

  test(
    "throws OBJECT_KEY_INVALID from every method for a key that is none",
    stored(async ({ store, now }) => {
      const request = { contentType: "text/csv", bytes: 1, sha256: null, expiresAt: now() + 1000 };
      for (const key of badKeys) {
        const calls = [
          () => store.put(key, bytes("x")),
          () => store.get(key),
          () => store.head(key),
          () => store.delete(key),
          () => store.uploadLink(key, request),
        ];
        for (const call of calls) await assert.rejects(call(), { code: "OBJECT_KEY_INVALID" }, JSON.stringify(key));
      }
      for (const prefix of badKeys) assert.deepEqual(await keysOf(store, prefix), []);
    }),
  );

  test(
    "keeps the first body and metadata when a key is put twice",
    stored(async ({ store }) => {
      assert.equal(await store.put("a", bytes("first"), { by: "one" }), "created");
      assert.equal(await store.put("a", bytes("second"), { by: "two" }), "exists");
      assert.equal(String(await store.get("a")), "first");
      assert.deepEqual((await store.head("a"))?.metadata, { by: "one" });
    }),
  );

  test(
    "keeps one body with its own metadata when a key is put many times at once",
    stored(async ({ store }) => {
      for (let round = 0; round < 5; round++) {
        const key = `raw/new folder ${round}/a`;
        const writers = Array.from({ length: 8 }, (_, writer) => String(writer));
        const results = await Promise.all(
          writers.map((writer) => store.put(key, bytes(writer.repeat(1 + Number(writer) * 1000)), { writer })),
        );
        assert.equal(results.filter((result) => result === "created").length, 1);
        const winner = String(results.indexOf("created"));
        assert.deepEqual((await store.head(key))?.metadata, { writer: winner });
        assert.equal(String(await store.get(key)), winner.repeat(1 + Number(winner) * 1000));
      }
    }),
  );

  test(
    "tells what is known of an object, and gives its bytes unchanged, also none",
    stored(async ({ store, now }) => {
      const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const metadata = { name: 'é 😀 "file".csv', stream: "orders", empty: "" };
      await store.put("a/all", all.subarray(1), metadata);
      await store.put("a/none", new Uint8Array(0));
      const head = await store.head("a/all");
      assert.ok(head !== null && Math.abs(head.storedAt - now()) < 60_000);
      assert.deepEqual({ ...head, storedAt: 0 }, { key: "a/all", bytes: 255, storedAt: 0, metadata });
      assert.deepEqual(Buffer.from((await store.get("a/all")) ?? []), all.subarray(1));
      assert.equal((await store.get("a/none"))?.byteLength, 0);
      assert.deepEqual((await store.head("a/none"))?.metadata, {});
    }),
  );

  test(
    "takes 2 KB of metadata and throws OBJECT_TOO_LARGE for more",
    stored(async ({ store }) => {
      const metadata = { text: "x".repeat(2044) };
      await store.put("fits", bytes("x"), metadata);
      assert.deepEqual((await store.head("fits"))?.metadata, metadata);
      await assert.rejects(store.put("more", bytes("x"), { text: "x".repeat(2045) }), { code: "OBJECT_TOO_LARGE" });
      assert.equal(await store.get("more"), null);
    }),
  );

  test(
    "answers null for what is not there",
    stored(async ({ store }) => {
      await store.put("a/b", bytes("x"));
      for (const key of ["a", "b", "a/b/c", "A/b"]) {
        assert.equal(await store.get(key), null);
        assert.equal(await store.head(key), null);
      }
    }),
  );

  test(
    "removes an object, and takes the removal of what is not there",
    stored(async ({ store }) => {
      await store.put("a", bytes("1"));
      await store.put("a/b", bytes("2"));
      await store.delete("a");
      await store.delete("a");
      await store.delete("never/was");
      assert.equal(await store.get("a"), null);
      assert.deepEqual(await keysOf(store, ""), ["a/b"]);
      assert.equal(await store.put("a", bytes("3")), "created");
      assert.equal(String(await store.get("a")), "3");
    }),
  );
}

function listing(create: () => Promise<ObjectStoreHarness>): void {
  const stored = withObjects(create);

  test(
    "lists by UTF-8 bytes, not by UTF-16 units, and across folders",
    stored(async ({ store }) => {
      const long = "z".repeat(64);
      const keys = [
        "a",
        "a!",
        "a/b",
        "a/b/c",
        "a0",
        "a-",
        "\uffee",
        "😀",
        "é",
        "z",
        long,
        `${long}/a`,
        `${long}!`,
        `${long}a`,
      ];
      for (const key of keys) await store.put(key, bytes(key));
      const sorted = keys.toSorted((left, right) => Buffer.compare(bytes(left), bytes(right)));
      assert.notDeepEqual(sorted, keys.toSorted(), "the two orders differ for these keys");
      assert.deepEqual(await keysOf(store, ""), sorted);
      for await (const { key, bytes: length } of store.list("")) assert.equal(length, Buffer.byteLength(key));
    }),
  );

  test(
    "lists the keys that start with the prefix, wherever it ends",
    stored(async ({ store }) => {
      const long = "p".repeat(100);
      const keys = ["raw/a/1", "raw/a/2", "raw/ab/1", "raw", "rawest", "x/raw/a", `${long}/1`, `${long}q/2`];
      for (const key of keys) await store.put(key, bytes("x"));
      for (const prefix of [
        "",
        "r",
        "raw",
        "raw/",
        "raw/a",
        "raw/a/",
        "raw/a/1",
        "raw/a/1/",
        "none",
        "p",
        long,
        `${long}/`,
      ]) {
        const expected = keys.filter((key) => key.startsWith(prefix)).sort();
        assert.deepEqual(await keysOf(store, prefix), expected, prefix);
      }
    }),
  );

  test(
    "lists more than one page",
    stored(async ({ store }) => {
      const keys = Array.from({ length: 1100 }, (_, number) => `many/${String(number).padStart(4, "0")}`);
      for (let start = 0; start < keys.length; start += 100) {
        await Promise.all(keys.slice(start, start + 100).map((key) => store.put(key, bytes(""))));
      }
      assert.deepEqual(await keysOf(store, "many/"), keys);
    }),
  );
}

function uploadLinks(create: () => Promise<ObjectStoreHarness>): void {
  const stored = withObjects(create);
  const body = bytes("id,total\n1,7\n");
  const requestAt = (now: number, change: Partial<UploadLinkRequest> = {}): UploadLinkRequest => ({
    contentType: "text/csv",
    bytes: body.byteLength,
    sha256: hash("sha256", body, "hex"),
    expiresAt: now + 10_000,
    ...change,
  });

  test(
    "makes a link that puts this one object, once or more, and keeps the first",
    stored(async ({ store, now, send }) => {
      for (const sha256 of [hash("sha256", body, "hex"), null]) {
        const key = `uploads/${sha256 === null ? "unchecked" : "é checked"}`;
        const link = await store.uploadLink(key, requestAt(now(), { sha256 }));
        assert.equal(link.method, "PUT");
        assert.equal(await send(link, body), true);
        await send(link, body);
        assert.deepEqual(Buffer.from((await store.get(key)) ?? []), body);
      }
      assert.equal((await keysOf(store, "")).length, 2);
    }),
  );

  test(
    "refuses another type, length or content through a link",
    stored(async ({ store, now, send }) => {
      const link = await store.uploadLink("uploads/a", requestAt(now()));
      const other = Buffer.from(body);
      other[0] = 0x49;
      assert.equal(await send(link, other), false, "other content");
      assert.equal(await send(link, body.subarray(1)), false, "too short");
      assert.equal(await send(link, Buffer.concat([body, body])), false, "too long");
      assert.equal(await send(link, body, { contentType: "text/html" }), false, "another type");
      assert.equal(await store.get("uploads/a"), null);
      assert.equal(await send(link, body), true);
    }),
  );

  test(
    "refuses a link in which anything was changed",
    stored(async ({ store, now, send }) => {
      const link = await store.uploadLink("uploads/a", requestAt(now()));
      const url = new URL(link.url);
      for (const name of url.searchParams.keys()) {
        const changed = new URL(link.url);
        const value = changed.searchParams.get(name) ?? "";
        changed.searchParams.set(name, `${value.slice(0, -1)}${value.endsWith("1") ? "2" : "1"}`);
        assert.equal(await send(link, body, { url: changed.href }), false, name);
        changed.searchParams.delete(name);
        assert.equal(await send(link, body, { url: changed.href }), false, `without ${name}`);
      }
      const elsewhere = new URL(link.url);
      elsewhere.pathname = elsewhere.pathname.replace("/a", "/b");
      assert.equal(await send(link, body, { url: elsewhere.href }), false, "another path");
      assert.deepEqual(await keysOf(store, ""), []);
    }),
  );

  test(
    "refuses a link from its expiry on",
    stored(async ({ store, now, send, wait }) => {
      const link = await store.uploadLink("uploads/a", requestAt(now(), { expiresAt: now() + 2000 }));
      await wait(2000);
      assert.equal(await send(link, body), false);
      assert.equal(await store.get("uploads/a"), null);
    }),
  );
}
