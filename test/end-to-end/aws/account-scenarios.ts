import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { GetBucketLifecycleConfigurationCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { awsCost, callsPerObject } from "../../../src/cli/aws-cost.ts";
import { awsPrices } from "../../../src/cli/aws-prices.ts";
import { sidecarKey } from "../../../src/platforms/aws/encode-raw-meta.ts";
import { itemKeys } from "../../../src/platforms/aws/item-keys.ts";
import { PendingObjects } from "../../../src/platforms/aws/pending-objects.ts";
import { recordKeyOf } from "../../../src/platforms/aws/record-items.ts";
import { eventually, expectProblem, type FailureRow, type RecordRow } from "../running.ts";
import { type AwsPlatform, type AwsRunning, keyOfNobody } from "./aws-platform.ts";
import type { RecordingProxy } from "./recording-proxy.ts";

const config = `
import { defineConfig, stream } from "eventpulse";
import { z } from "zod";

const schema = z.object({ id: z.string(), total: z.number() });
const [inbox, described, large] = [0, 1, 2].map(() => stream({ schema, key: "id" }));
const short = stream({ schema, key: "id", retention: "1d" });
const priced = stream({ schema: z.looseObject({ orderId: z.string(), total: z.number() }), key: "orderId" });
export default defineConfig({ name: "account", streams: { inbox, described, large, short, priced } });
`;

const day = 24 * 60 * 60;
const batches = 5;
const eventsPerBatch = 100;

/** What lies in the account: for how long, whose it is, and what it costs. */
export function accountScenarios(platform: AwsPlatform): void {
  describe("the account", { concurrency: false }, () => {
    let running: AwsRunning;
    before(async () => {
      running = await platform.start(config);
    });
    after(() => running.close());

    test("what a stream keeps for a day goes with it, and the bucket keeps raw objects for a week", async () => {
      const { rawKey } = await running.send("short", [{ id: "good", total: 1 }, { id: "bad" }]);
      await running.settled();
      const [record] = await running.list<RecordRow & { receivedAt: string }>("/v1/streams/short/records");
      const [failure] = await running.list<FailureRow & { expiresAt: string; firstSeenAt: string }>(
        "/v1/failures?stream=short",
      );
      const received = Date.parse(record?.receivedAt ?? "") / 1000;
      const ends = Math.ceil(received + day);
      assert.equal(Math.ceil(Date.parse(failure?.expiresAt ?? "") / 1000), ends);
      const key = recordKeyOf("default", "short", record?.id ?? "");
      const table = running.table();
      const ttl = async (item: typeof key) => (item === null ? null : (await table.get(item))?.ttl);
      assert.equal(await ttl(key), ends);
      assert.equal(await ttl(itemKeys.marker(rawKey)), ends);
      // Two days longer, in which its expiry is taken out of the counts; readers leave it out from its end on.
      assert.equal(await ttl(itemKeys.failure(failure?.id ?? "")), ends + 2 * day);
      assert.equal(await ttl(itemKeys.failurePayload(failure?.id ?? "")), ends + 2 * day);
      const { Rules: rules = [] } = await running.s3.send(
        new GetBucketLifecycleConfigurationCommand({ Bucket: running.deployment.rawBucket }),
      );
      assert.ok(rules.some(({ Status, Expiration }) => Status === "Enabled" && Expiration?.Days === 7));
    });

    test("a key of a tenant that the stage does not name lets nobody in, and all others work", async () => {
      const headers = { authorization: `Bearer ${keyOfNobody}` };
      await expectProblem(await running.request("/v1/me", { headers }), 401, "KEY_INVALID");
      assert.deepEqual(await running.of("acme").get("/v1/me"), { name: "key", tenant: "acme" });
    });

    test("what is put into the inbox of a tenant that the stage does not have is left alone, and nothing of it shows", async () => {
      await running.putObject("inbox/other-tenant/inbox/theirs.ndjson", '{"id":"theirs","total":1}\n{"id":"bad"}\n');
      await running.putObject("inbox/default/inbox/ours.ndjson", '{"id":"ours","total":1}\n');
      await eventually(() => running.get("/v1/streams/inbox/records/ours"));
      await running.settled();
      const records = await running.list<RecordRow>("/v1/streams/inbox/records");
      assert.deepEqual(
        records.map(({ eventId }) => eventId),
        ["ours"],
      );
      assert.deepEqual(await running.list("/v1/failures?stream=inbox"), []);
      assert.equal((await running.balance("inbox")).accepted, 1);
    });

    test("without a key, or with one of nobody, nothing is told and nothing is taken", async () => {
      for (const authorization of ["", "Bearer nobody"]) {
        const call = (path: string, init: RequestInit = {}) =>
          fetch(new URL(path, running.url), {
            ...init,
            headers: { authorization, "content-type": "application/json" },
          });
        for (const path of ["/v1/streams/inbox/records", "/v1/failures", "/v1/balance", "/v1/me"]) {
          await expectProblem(await call(path), 401, "KEY_INVALID");
        }
        const body = JSON.stringify({ id: "nobody", total: 1 });
        await expectProblem(await call("/v1/streams/inbox/events", { method: "POST", body }), 401, "KEY_INVALID");
      }
      assert.equal((await running.balance("inbox")).accepted, 1);
    });

    test("attributes that are too long for the metadata of S3 lie beside the object, and its failures have them", async () => {
      const extensions = Object.fromEntries(
        Array.from({ length: 10 }, (_, index) => [`ce-extra${index}`, randomBytes(225).toString("base64url")]),
      );
      const send = (id: string, body: object) => {
        const attributes = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/shop", "ce-type": "t" };
        return running.send("described", body, { ...attributes, ...extensions });
      };
      await send("1", { id: "good", total: 1 });
      const { rawKey } = await send("2", { id: "bad" });
      await running.settled();
      const head = { Bucket: running.deployment.rawBucket, Key: sidecarKey(rawKey) };
      assert.ok(((await running.s3.send(new HeadObjectCommand(head))).ContentLength ?? 0) > 3_000);
      const [record] = await running.list<RecordRow>("/v1/streams/described/records");
      const [failure] = await running.list<FailureRow & { headers: Record<string, string> }>(
        "/v1/failures?stream=described",
      );
      for (const [name, value] of Object.entries(extensions)) {
        assert.equal(record?.attributes?.[name.slice("ce-".length)], value);
        assert.equal(failure?.headers[name], value);
      }
    });

    test("a file that is no JSON becomes one failure with all of its bytes, which a retry does not lose", async () => {
      const text = `[${randomBytes(300_000).toString("base64")}`;
      await running.putObject("inbox/default/large/broken.json", text);
      const failure = await eventually(async () => {
        const [row] = await running.list<FailureRow & { payloadBytes: number }>("/v1/failures?stream=large");
        assert.ok(row !== undefined, "the failure is there");
        return row;
      });
      assert.deepEqual([failure.payloadBytes, failure.state, failure.stage], [text.length, "quarantined", "decode"]);
      const payload = async () => (await running.request(`/v1/failures/${failure.id}/payload`)).text();
      assert.equal(await payload(), text);
      await running.settled();
      const response = await running.request(`/v1/failures/${failure.id}/retry`, { method: "POST" });
      assert.equal(response.status, 202);
      await eventually(async () => {
        const { state, attempts } = await running.get<FailureRow>(`/v1/failures/${failure.id}`);
        assert.deepEqual([state, attempts], ["quarantined", 2]);
      });
      assert.equal(await payload(), text);
      const { accepted, quarantined } = await running.balance("large");
      assert.deepEqual([accepted, quarantined], [1, 1]);
    });

    test("a batch of 100 events of 1 KB makes no more calls than its price is reckoned with", async (t) => {
      const pending = new PendingObjects(running.table());
      const send = async () => {
        const { rawKey } = await running.send("priced", Array.from({ length: eventsPerBatch }, order));
        await eventually(async () => assert.equal(await pending.get(rawKey), null));
      };
      // What comes once in the life of a function and of a minute is not of these.
      await send();
      const used = ["http", "process"].map((name) => spent(running.proxy(name)));
      for (let batch = 0; batch < batches; batch++) await send();
      const total = (pick: keyof Spent) => used.reduce((sum, measure) => sum + measure()[pick], 0) / batches;
      const measured = {
        puts: total("puts"),
        gets: total("gets"),
        sends: total("sends"),
        writeUnits: total("writeUnits") - eventsPerBatch,
        readUnits: total("readUnits"),
      };
      const traffic = {
        eventBytes: 1024,
        batch: eventsPerBatch,
        retentionDays: 7,
        traces: 0.01,
        objectsPerInvocation: 1,
        seriesPerObject: 0,
      };
      const { usdPerMillionEvents } = awsCost({ eventsPerMonth: 1_000_000, ...traffic }, awsPrices);
      t.diagnostic(
        `of a raw object: ${JSON.stringify(measured)}; ${usdPerMillionEvents.toFixed(3)} USD per million events`,
      );
      assert.ok(measured.puts <= callsPerObject.puts, `${measured.puts} puts`);
      assert.ok(measured.gets <= callsPerObject.gets, `${measured.gets} gets`);
      // The one that is reckoned with is EventBridge's.
      assert.equal(measured.sends, 0);
      assert.ok(measured.writeUnits <= callsPerObject.writeUnits, `${measured.writeUnits} write units`);
      assert.ok(measured.readUnits <= callsPerObject.readUnits, `${measured.readUnits} read units`);
      assert.ok(usdPerMillionEvents <= 1, `${usdPerMillionEvents} USD`);
    });
  });
}

interface Spent {
  readonly puts: number;
  readonly gets: number;
  readonly sends: number;
  readonly writeUnits: number;
  readonly readUnits: number;
}

/** What a function has spent since now. */
function spent({ calls, units }: RecordingProxy): () => Spent {
  const count = (action: string) => [...(calls.get(action)?.values() ?? [])].reduce((sum, times) => sum + times, 0);
  const now = (): Spent => ({
    puts: count("s3:PutObject"),
    gets: count("s3:GetObject"),
    sends: count("sqs:SendMessage"),
    writeUnits: units.write,
    readUnits: units.read,
  });
  const before = now();
  return () => {
    const after = now();
    const names = Object.keys(before) as (keyof Spent)[];
    return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Spent;
  };
}

/** An event as a shop sends them: 1 KB of JSON, half of it text that repeats from event to event. */
function order(_: unknown, index: number): object {
  return {
    orderId: randomUUID(),
    customer: { id: randomUUID(), name: `Customer ${index}`, mail: `customer-${index}@example.com`, country: "DE" },
    total: index * 7.5,
    currency: "EUR",
    items: Array.from({ length: 8 }, (_, item) => ({
      sku: randomUUID(),
      title: `Article ${item} of the catalogue`,
      quantity: 1 + (item % 3),
      price: 9.99 + item,
    })),
  };
}
