import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { Project, StreamDefinition } from "../../src/model/definition.ts";
import type { NotificationDraft } from "../../src/model/notification.ts";
import type { OutcomeSubject } from "../../src/model/outcome.ts";
import type { RawFormat, RawMeta } from "../../src/model/raw-object.ts";
import { uploadFileName, uploadMetadata, uploadRawMeta } from "../../src/pipeline/ingest/upload-metadata.ts";
import { uploadNoticeId, uploadNoticeText } from "../../src/pipeline/notify/upload-notice.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { processRaw } from "../../src/pipeline/process/process-raw.ts";
import { failObject } from "../../src/pipeline/process/process-work.ts";
import { streamOf } from "./stream-of.ts";

const receivedAt = Date.UTC(2026, 0, 31, 12);
const rawKey = "raw/orders/2026/01/31/upl_20260131_orders_5f0c2b9e1a7d4c3890ab12cd";
const schema = z.object({ id: z.string(), total: z.number(), email: z.email().optional() });

function metaOf(format: RawFormat, events: number, change: Partial<RawMeta> = {}, fileName = "january.csv"): RawMeta {
  const contentType = format === "csv" ? "text/csv" : "application/x-ndjson";
  const meta: RawMeta = {
    ...{ tenant: "acme", stream: "orders", door: "upload", format, receivedAt, contentType, headers: {} },
    ...{ idSeed: "00112233445566", idSeedFromClient: false, events, principal: "ann" },
  };
  const kept = uploadRawMeta(uploadMetadata(meta, fileName, "00"));
  assert.ok(kept !== null);
  return { ...kept, ...change };
}

const projectOf = (stream: StreamDefinition): Project => ({
  ...{
    name: "shop",
    streams: new Map([["orders", stream]]),
    anomalies: [],
    alerts: [],
    sources: [],
    recipes: new Map(),
  },
});

async function notices(
  body: string,
  meta: RawMeta,
  stream = streamOf(schema),
  subject: OutcomeSubject = { kind: "object" },
): Promise<readonly NotificationDraft[]> {
  const context = { project: projectOf(stream), contract: compileContract(stream), random: () => 0.5 };
  const records = { loadStates: async () => [] };
  const raw = { key: rawKey, meta, body: Buffer.from(body) };
  const index = subject.kind === "object" ? null : 0;
  return (await processRaw(raw, subject, index, { ...context, records })).notifications;
}

const csv = (rows: readonly string[]) => ["id,total", ...rows, ""].join("\r\n");

describe("the notice of an upload", () => {
  test("names the rows of a table as a spreadsheet does, and why they could not be taken", async () => {
    const rows = ["a,1", "b,many", "c,", "d,2", "e,some", "f,none", "g"];
    const [notice, ...more] = await notices(csv(rows), metaOf("csv", 7));
    assert.deepEqual(more, []);
    assert.deepEqual(
      { ...notice, text: notice?.text.split("\n") },
      {
        id: uploadNoticeId(rawKey),
        tenant: "acme",
        topic: "upload",
        stream: "orders",
        subject: "january.csv: 5 of 7 rows could not be taken",
        text: [
          "january.csv: 5 of 7 rows could not be taken.",
          "",
          '- "total" must be a number: rows 3, 6 and 7',
          '- "total" is missing: row 4',
          "- The row has 1 cells, the header 2: row 8",
          "",
          "The line of names is row 1; empty lines do not count. They are kept as you sent them until 2026-02-07.",
          'Correct these rows and upload them again, without the others; or ask the owner of "orders" to replay them.',
        ],
        data: { stream: "orders", fileName: "january.csv", rawKey, events: 7, failed: 5 },
        destinations: [],
        group: `upload:${rawKey}`,
        cooldownMillis: 0,
        incident: null,
      },
    );
  });

  test("is one for a whole file of failures, and stays short", async () => {
    const rows = Array.from({ length: 3_000 }, (_, row) => (row % 3 === 2 ? `${row},1` : `${row},x${row}`));
    const [notice] = await notices(csv(rows), metaOf("csv", 3_000));
    assert.equal(notice?.subject, "january.csv: 2,000 of 3,000 rows could not be taken");
    assert.match(notice.text, /- "total" must be a number: rows 2, 3, 5, 6, 8, 9, 11, 12 and 1,992 more\n/);
    assert.ok(notice.text.length < 1_000);
    const [whole] = await notices(csv(Array.from({ length: 50 }, (_, row) => `${row},x`)), metaOf("csv", 50));
    assert.match(whole?.text ?? "", /: rows 2 to 51\n/);
  });

  test("lists ten reasons and counts the rest", async () => {
    const wide = z.object(Object.fromEntries(Array.from({ length: 12 }, (_, field) => [`field${field}`, z.number()])));
    const [notice] = await notices("{}\n", metaOf("ndjson", 1, {}, "wide.ndjson"), streamOf(wide));
    const reasons = notice?.text.split("\n").filter((line) => line.startsWith("- ")) ?? [];
    assert.equal(reasons.length, 11);
    assert.deepEqual([reasons[0], reasons[10]], ['- "field0" is missing: line 1', "- and 2 more reasons"]);
    assert.equal(notice?.subject, "wide.ndjson: 1 of 1 line could not be taken");
  });

  test("says nothing of the values, and nothing of the trade", async () => {
    const lines = [
      { id: "a", total: -1, email: "ann@example.com" },
      { id: "b", total: 1, email: "secret-mail" },
      { id: "c", total: true },
      [1],
    ];
    const strict = z.strictObject({
      id: z.string(),
      total: z.number().min(0),
      email: z.email().optional(),
    });
    const body = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"id":\n{"id":"d","total":1,"hint":"Ann"}\n`;
    const [notice] = await notices(body, metaOf("ndjson", 6), streamOf(strict, { pii: ["email"] }));
    assert.deepEqual(notice?.text.split("\n").slice(2, 8), [
      '- "total" must be at least 0: line 1',
      '- "email" must be an email address: line 2',
      '- "total" must be a number: line 3',
      "- it is not made of names with values: line 4",
      "- it is not valid JSON: line 5",
      '- "hint" is not expected: line 6',
    ]);
    assert.doesNotMatch(notice.text, /-1|secret|Ann|contract|schema|pointer|quarantine/i);
  });

  test("does not ask for another file when the fault is not in it", () => {
    const raw = { key: rawKey, meta: metaOf("csv", 2), body: Buffer.from(csv(["a,1", "b,2"])) };
    const project = projectOf(streamOf(schema));
    const { notifications } = failObject(raw, { kind: "object" }, null, "OBJECT_POISON", "It ends all.", project);
    assert.equal(notifications.length, 1);
    assert.match(notifications[0]?.text ?? "", /- the fault is not in the file: rows 2 and 3\n/);
    assert.match(notifications[0]?.text ?? "", /You need not change the file/);
  });

  test("takes a retention that ends after the last date there is", async () => {
    const kept = 999_999_999 * 86_400_000;
    const stream = streamOf(schema, { retention: { raw: kept, records: kept, failures: kept } });
    const [notice] = await notices(csv(["a,many"]), metaOf("csv", 1), stream);
    assert.match(notice?.text ?? "", /until 9999-12-31\./);
  });

  test("is not written when nothing fails, for other doors, nor for later attempts at one event", async () => {
    const bad = csv(["a,many"]);
    assert.deepEqual(await notices(csv(["a,1"]), metaOf("csv", 1)), []);
    assert.deepEqual(await notices('{"id":1}', metaOf("ndjson", 1, { door: "http" })), []);
    assert.deepEqual(
      await notices(bad, metaOf("csv", 1), streamOf(schema), { kind: "event", index: 0, attempt: 2 }),
      [],
    );
  });

  test("shows what came to light after it was decided", () => {
    const told = { text: "january.csv: 2 of 9 rows could not be taken.", data: { failed: 2 } };
    const file = { fileName: "january.csv", format: "csv", events: 9 } as const;
    assert.equal(uploadNoticeText(told, { ...file, failed: 2 }), told.text);
    assert.equal(uploadNoticeText(told, { ...file, failed: 0 }), told.text);
    assert.match(
      uploadNoticeText(told, { ...file, failed: 3 }) ?? "",
      /^january.*taken\.\n\n1 more could not be taken: their id is there already with other values/,
    );
    assert.equal(uploadNoticeText(null, { ...file, failed: 0 }), null);
    assert.match(
      uploadNoticeText(null, { ...file, failed: 1 }) ?? "",
      /^january\.csv: 1 of 9 rows could not be taken: /,
    );
  });
});

describe("the name of an uploaded file", () => {
  for (const name of [
    "january.csv",
    "Übersicht 'März'.csv",
    "売上 100%.csv",
    "a\nb\u0000.csv",
    "x".repeat(255),
    "\u{1f600}".repeat(127),
  ]) {
    test(`stays with it as it is, in ASCII metadata below 2 KB: ${JSON.stringify(name.slice(0, 20))}`, () => {
      const meta = metaOf("csv", 1, { stream: "s".repeat(128) }, name);
      assert.equal(uploadFileName(meta), name);
      const metadata = uploadMetadata(meta, name, "0".repeat(64));
      const bytes = Object.entries(metadata).flat().join("");
      assert.ok(/^[\x20-\x7e]*$/.test(bytes) && bytes.length < 2048);
      assert.ok(/^[\x20-\x7e]*$/.test(meta.headers["content-disposition"] ?? ""));
    });
  }

  test("is not known of a file that was kept without it, whose notice says your file", async () => {
    const { "file-name": _, ...older } = uploadMetadata(metaOf("csv", 1), "january.csv", "00");
    const meta = uploadRawMeta(older);
    assert.ok(meta !== null && uploadFileName(meta) === null);
    const [notice] = await notices(csv(["a,many"]), meta);
    assert.equal(notice?.subject, "Your file: 1 of 1 row could not be taken");
  });

  test("with half a character in it is kept with a replacement for that half, and does not fail", () => {
    assert.equal(uploadFileName(metaOf("csv", 1, {}, "a\ud800.csv")), "a\ufffd.csv");
  });

  test("breaks no line of a subject", async () => {
    const [notice] = await notices(csv(["a,many"]), metaOf("csv", 1, {}, `a\r\nBcc: x\u202e${"y".repeat(200)}`));
    assert.match(notice?.subject ?? "", /^a Bcc: x y{90,100}…: 1 of 1 row could not be taken$/);
  });
});
