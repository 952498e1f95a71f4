import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import * as z from "zod";
import { bundledProject } from "../../../src/config/bundled-project.ts";
import { defineConfig } from "../../../src/config/define-config.ts";
import { stream } from "../../../src/config/stream.ts";
import type { RawMeta } from "../../../src/model/raw-object.ts";
import { createUpload } from "../../../src/pipeline/ingest/upload.ts";
import { uploadKeys } from "../../../src/pipeline/ingest/upload-ticket.ts";
import { compileContract } from "../../../src/pipeline/process/compile-contract.ts";
import type { WorkContext } from "../../../src/pipeline/process/process-work.ts";
import { takeObject } from "../../../src/platforms/aws/handlers/object-intake.ts";
import { s3RawLog } from "../../../src/platforms/aws/raw-log.ts";
import { testBucket } from "./test-bucket.ts";

const schema = z.object({ id: z.string(), total: z.coerce.number() });
const config = defineConfig({ name: "shop", streams: { orders: stream({ schema, key: "id" }) } });
const project = bundledProject({ config, recipes: {} }, {});
const contracts = new Map([...project.streams].map(([name, one]) => [name, compileContract(one)]));

describe("what S3 tells of", () => {
  let bucket: Awaited<ReturnType<typeof testBucket>>;
  let raw: ReturnType<typeof s3RawLog>;
  const pending = new Map<string, RawMeta>();
  const context = { project, contracts, clock: Date.now, random: () => 0.5 } as unknown as WorkContext;
  const take = (key: string) =>
    takeObject(
      { kind: "object", key, time: Date.now() },
      { stores: { objects: bucket.objects, raw }, context, tenants: ["default", "acme"] },
    );
  const put = (Key: string, Body: string, ContentType?: string) =>
    bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body, ContentType }));

  before(async () => {
    bucket = await testBucket();
    raw = s3RawLog({
      objects: bucket.objects,
      pending: {
        add: async (key, meta) => void pending.set(key, meta),
        remove: async (key) => void pending.delete(key),
      },
      random: () => randomBytes(8).toString("hex"),
    });
  });
  after(() => bucket.remove());

  /** Puts a file by a link, as its holder does. */
  async function upload(body: string) {
    const { ticket, link } = await createUpload(bucket, {
      ...{ tenant: "default", principal: "key", stream: "orders", fileName: "é.csv", contentType: "text/csv" },
      ...{ bytes: Buffer.byteLength(body), sha256: null, requestedAt: Date.now() },
      random: randomBytes(12).toString("hex"),
    });
    assert.ok((await fetch(link.url, { method: "PUT", headers: link.headers, body })).ok);
    return uploadKeys(ticket.id)?.raw ?? "";
  }

  test("a file of an upload link is read, counted and known from then on", async () => {
    const key = await upload("id,total\na,1\nb,x\n");
    const [first, again] = [await take(key), await take(key)];
    const outcome = await first?.outcome();
    assert.deepEqual([outcome?.records.length, outcome?.failures.length, outcome?.meta.events], [1, 1, 2]);
    assert.deepEqual(again?.object.meta, first?.object.meta);
    assert.deepEqual(await raw.read(key), first?.object);
    assert.deepEqual((await again?.outcome())?.records, outcome?.records);
  });

  test("a file that cannot be read at all is one failure with all of its bytes", async () => {
    const outcome = await (await take(await upload('id,total\n"a,1\n')))?.outcome();
    const [failure, ...others] = outcome?.failures ?? [];
    assert.deepEqual(others, []);
    assert.deepEqual([failure?.code, failure?.class, failure?.stage], ["CSV_INVALID", "invalid", "decode"]);
  });

  test("a file in the inbox becomes a raw object, the same one however often S3 tells of it", async () => {
    await put("inbox/default/orders/a + b%20.ndjson", '{"id":"a","total":1}\n{"id":"b","total":2}\n');
    const before = new Set(pending.keys());
    for (const _ of [1, 2]) assert.equal(await take("inbox/default/orders/a + b%20.ndjson"), null);
    const [key = "", ...others] = [...pending.keys()].filter((one) => !before.has(one));
    assert.deepEqual(others, []);
    const outcome = await (await take(key))?.outcome();
    assert.deepEqual([outcome?.records.length, outcome?.meta.door, outcome?.meta.principal], [2, "upload", "inbox"]);
  });

  test("a file in the inbox of a tenant is the tenant's", async () => {
    await put("inbox/acme/orders/a.ndjson", '{"id":"a","total":1}\n');
    const before = new Set(pending.keys());
    assert.equal(await take("inbox/acme/orders/a.ndjson"), null);
    const [key = ""] = [...pending.keys()].filter((one) => !before.has(one));
    const outcome = await (await take(key))?.outcome();
    assert.deepEqual([outcome?.meta.tenant, outcome?.records.length], ["acme", 1]);
  });

  test("a file in the inbox that cannot be taken is a failure at once", async () => {
    await put("inbox/default/orders//bad.json", "{nope", "application/json");
    await put("inbox/default/other/x.json", "{}");
    const codes: (string | undefined)[] = [];
    for (const key of ["inbox/default/orders//bad.json", "inbox/default/other/x.json"]) {
      codes.push((await (await take(key))?.outcome())?.failures[0]?.code);
    }
    assert.deepEqual(codes, ["JSON_INVALID", "STREAM_REMOVED"]);
  });

  test("nothing is what is gone, belongs to no tenant of the stage, or is no raw object", async () => {
    await put("inbox/somebody/orders/x.json", "{}");
    await put("raw/orders/2026/01/02/stray", "{}");
    const keys = ["inbox/somebody/orders/x.json", "inbox/default/orders/gone.json", "raw/orders/2026/01/02/stray"];
    for (const key of [...keys, "raw/orders/2026/01/02/gone", "uploads/orders/2026/01/02/x", "meta/raw/x"]) {
      assert.equal(await take(key), null, key);
    }
  });
});
