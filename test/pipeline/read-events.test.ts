import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { EventPulseError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import type { RawFormat } from "../../src/model/raw-object.ts";
import { readEvents } from "../../src/pipeline/ingest/read-events.ts";
import { fixture, fixtureMissing } from "../fixtures.ts";

function read(body: string | Uint8Array, format: RawFormat = "json", headers: Record<string, string> = {}) {
  return readEvents({
    format,
    headers,
    body: Buffer.from(body as string),
    eventsMax: 10_000,
    csvColumns: { n: "integer", ok: "boolean" },
  });
}

function refusal(body: string | Uint8Array, format: RawFormat = "json"): string {
  try {
    const events = read(body, format);
    return events[0]?.errors?.[0]?.code ?? "accepted";
  } catch (error) {
    assert.ok(error instanceof EventPulseError, String(error));
    assert.ok(error.status >= 400 && error.status < 500, error.code);
    return error.code;
  }
}

describe("JSONTestSuite", () => {
  const skip = fixtureMissing("json/JSONTestSuite");
  const files = () => readdirSync(fixture("json/JSONTestSuite"));
  const body = (file: string) => readFileSync(join(fixture("json/JSONTestSuite"), file));

  test("refuses every n_ file", { skip }, () => {
    const wrong = files().filter((file) => file.startsWith("n_"));
    assert.equal(wrong.length, 188);
    assert.deepEqual(
      wrong.filter((file) => refusal(body(file)) === "accepted"),
      [],
    );
  });

  test("parses every y_ file, and names the two with a key that comes twice", { skip }, () => {
    const right = files().filter((file) => file.startsWith("y_"));
    assert.equal(right.length, 95);
    const refused = right.filter((file) => refusal(body(file)) !== "accepted");
    assert.deepEqual(refused, ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"]);
    assert.deepEqual(
      refused.map((file) => refusal(body(file))),
      ["JSON_KEY_DUPLICATE", "JSON_KEY_DUPLICATE"],
    );
  });
});

describe("readEvents", () => {
  test("keeps the bytes of each event as they were sent", () => {
    const events = read(' [ {"a" : 1} ,\n{"b":"\\u00e9é"} ] ');
    assert.deepEqual(
      events.map(({ original }) => Buffer.from(original).toString()),
      ['{"a" : 1}', '{"b":"\\u00e9é"}'],
    );
  });

  test("takes __proto__ as data, never as a prototype", () => {
    const [event] = read('{"__proto__":{"admin":true}}');
    assert.deepEqual(Object.keys(event?.data as object), ["__proto__"]);
    assert.equal((event?.data as { admin?: boolean }).admin, undefined);
  });

  test("lets a bad line fail alone and keeps the number of every line", () => {
    const events = read('{"a":1}\n\n{"a":\r\n{"a":9007199254740993}\n{"a":3}', "ndjson");
    assert.deepEqual(
      events.map(({ index, errors }) => [index, errors?.[0]?.code ?? null]),
      [
        [0, null],
        [1, "JSON_INVALID"],
        [2, "NUMBER_NOT_EXACT"],
        [3, null],
      ],
    );
  });

  test("never quotes the body in an error", () => {
    assert.throws(
      () => read('{"password":hunter2}'),
      (error: Error) => !error.message.includes("hunter2"),
    );
  });

  test("lets an event that is too large fail alone", () => {
    const large = JSON.stringify({ a: "x".repeat(limits.eventBytesMax) });
    assert.deepEqual(
      read(`[{"a":1},${large}]`).map(({ errors }) => errors?.[0]?.code ?? null),
      [null, "EVENT_TOO_LARGE"],
    );
  });

  test("refuses invalid UTF-8, an empty body, too deep nesting and too many events, each by name", () => {
    assert.equal(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), "UTF8_INVALID");
    assert.equal(refusal(""), "BODY_EMPTY");
    assert.equal(refusal("\n \n", "ndjson"), "BODY_EMPTY");
    assert.equal(refusal(`{"a":${"[".repeat(64)}${"]".repeat(64)}}`), "JSON_TOO_DEEP");
    assert.equal(refusal("[".repeat(1_000_000)), "JSON_TOO_DEEP");
    assert.equal(refusal(`[${"{},".repeat(10_000)}{}]`), "EVENTS_TOO_MANY");
    assert.equal(refusal("{}\n".repeat(10_001), "ndjson"), "EVENTS_TOO_MANY");
  });

  test("reads CSV cells as the contract's types and leaves what is not exactly one as text", () => {
    const [first, second] = read('\ufeffid,n,ok,note\r\n1,7,true,"a ""b"", c"\r\n2,0x10,,\r\n', "csv");
    assert.deepEqual(first?.data, { id: "1", n: 7, ok: true, note: 'a "b", c' });
    assert.deepEqual(second?.data, { id: "2", n: "0x10", note: "" });
    assert.equal(Buffer.from(first?.original ?? []).toString(), '1,7,true,"a ""b"", c"');
  });

  test("keeps a CSV row's own bytes, without the blank lines before it", () => {
    const rows = read('id,n\n1,7\n\n\n"a\nb",8\n', "csv");
    assert.deepEqual(
      rows.map(({ original }) => Buffer.from(original).toString()),
      ["1,7", '"a\nb",8'],
    );
  });

  test("lets a CSV row with another number of cells fail alone", () => {
    assert.deepEqual(
      read("a,b\n1,2\n1\n1,2,3\n3,4\n", "csv").map(({ errors }) => errors?.[0]?.code ?? null),
      [null, "CSV_INVALID", "CSV_INVALID", null],
    );
  });

  test("reads CloudEvents in structured and batched mode, one bad envelope failing alone", () => {
    const envelope = {
      specversion: "1.0",
      id: "1",
      source: "/s",
      type: "t",
      time: "2026-01-02T03:04:05Z",
      data: { a: 1 },
    };
    const [event] = read(JSON.stringify(envelope), "cloudevent");
    assert.deepEqual(event?.data, { a: 1 });
    assert.equal(event?.attributes?.["source"], "/s");
    const base64 = { ...envelope, data: undefined, data_base64: Buffer.from('{"a":2}').toString("base64") };
    const batch = read(JSON.stringify([envelope, { ...envelope, id: "" }, base64]), "cloudevent-batch");
    assert.deepEqual(
      batch.map(({ errors }) => errors?.[0]?.pointer ?? null),
      [null, "/id", null],
    );
    assert.deepEqual(batch[2]?.data, { a: 2 });
  });

  test("reads CloudEvents in binary mode from percent-encoded headers", () => {
    const headers = {
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": "%E2%82%AC",
      "ce-source": "/s",
      "ce-type": "t",
    };
    const [event] = read('{"a":1}', "cloudevent-binary", headers);
    assert.equal(event?.attributes?.["id"], "€");
    assert.throws(() => read('{"a":1}', "cloudevent-binary", { "ce-specversion": "0.3" }), {
      code: "CLOUDEVENT_INVALID",
    });
  });
});
