import { setTimeout as pause } from "node:timers/promises";
import type { ObjectStore } from "../../../src/ports/object-store.ts";
import { type ObjectStoreHarness, objectStoreContract } from "../../contracts/object-store.ts";
import { isSignedPut } from "./signed-put.ts";
import { testBucket } from "./test-bucket.ts";

objectStoreContract(create);

async function create(): Promise<ObjectStoreHarness> {
  const { objects, remove } = await testBucket();
  return {
    store: routed(objects),
    now: Date.now,
    wait: async (millis) => void (await pause(millis)),
    async send(link, body, { url = link.url, contentType } = {}) {
      const headers = { ...link.headers, ...(contentType !== undefined && { "content-type": contentType }) };
      if (!isSignedPut({ url, headers, body }, "test", Date.now())) return false;
      return (await fetch(url, { method: link.method, headers, body: Buffer.from(body) })).ok;
    },
    close: remove,
  };
}

/** The emulator's router knows no key with a line break in it, which S3 takes: another character stands for it. */
function routed(objects: ObjectStore): ObjectStore {
  const out = (key: string) => key.replaceAll("\n", "\ue00a");
  const back = <Known extends { readonly key: string }>(known: Known): Known => ({
    ...known,
    key: known.key.replaceAll("\ue00a", "\n"),
  });
  return {
    ...objects,
    put: (key, body, metadata) => objects.put(out(key), body, metadata),
    get: (key) => objects.get(out(key)),
    async head(key) {
      const known = await objects.head(out(key));
      return known === null ? null : back(known);
    },
    async *list(prefix) {
      for await (const listed of objects.list(prefix)) yield back(listed);
    },
  };
}
