import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { csvPieces, jsonEvents, type LocatedEvent, ndjsonEvents } from "../../src/cli/located-event.ts";
import { limits } from "../../src/model/limits.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const shown = (events: readonly LocatedEvent[]) => events.map(({ bytes, line }) => [text(bytes), line]);

describe("JSON file", () => {
  const events = (content: string | Uint8Array) => jsonEvents(Buffer.from(content));

  test("is one event, or the elements of its array, with their bytes and lines", () => {
    assert.deepEqual(shown(events('\ufeff {"a" : 1.0}\n')), [['{"a" : 1.0}', 1]]);
    assert.deepEqual(shown(events('[\n  {"a":\n 1},\n\n  5, "x\\n]"\n]')), [
      ['{"a":\n 1}', 2],
      ["5", 5],
      ['"x\\n]"', 5],
    ]);
    assert.deepEqual(events("[]"), []);
  });

  for (const [what, content, code] of [
    ["broken JSON", '{"a"', "JSON_INVALID"],
    ["nothing", "", "JSON_INVALID"],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "UTF8_INVALID"],
    ["a tower of lists", "[".repeat(100_000) + "]".repeat(100_000), "JSON_TOO_DEEP"],
  ] as const) {
    test(`is refused as ${code} when it holds ${what}`, () => {
      assert.throws(() => events(content), { code });
    });
  }
});

describe("lines", () => {
  const collect = async (...chunks: readonly (string | Uint8Array)[]) => {
    async function* source() {
      for (const chunk of chunks) yield Buffer.from(chunk);
    }
    const events: LocatedEvent[] = [];
    for await (const some of ndjsonEvents(source())) events.push(...some);
    return shown(events);
  };

  test("are events with their line, blank ones are not", async () => {
    assert.deepEqual(await collect('\ufeff{"a":1}\n\n \t\r\n{"b":2}'), [
      ['{"a":1}', 1],
      ['{"b":2}', 4],
    ]);
  });

  test("are the same however the stream is cut", async () => {
    const whole = Buffer.from('{"ü":"😀"}\r\n\n{"b":2}\n');
    const expected = await collect(whole);
    for (let at = 1; at < whole.length; at++) {
      assert.deepEqual(await collect(whole.subarray(0, at), whole.subarray(at)), expected, `cut at ${at}`);
    }
  });

  test("that never end are refused before they fill the memory", async () => {
    const chunks = Array.from({ length: 12 }, () => "x".repeat(1024 * 1024));
    await assert.rejects(collect(...chunks), { code: "EVENT_TOO_LARGE" });
    assert.ok(limits.bodyBytesMax < 12 * 1024 * 1024);
  });
});

describe("CSV file", () => {
  const pieces = (content: string, bytesMax: number) =>
    [...csvPieces(Buffer.from(content), bytesMax)].map(({ body, lines }) => [text(body), lines] as const);

  test("is one piece when it is small", () => {
    assert.deepEqual(pieces('\ufeffid,note\n1,"a\nb"\n\n2,x', 1_000), [
      ['id,note\n1,"a\nb"\n2,x'.replace("\n2", "\n\n2"), [2, 5]],
    ]);
    assert.deepEqual(pieces("id\n", 1_000), [["id\n", []]]);
    assert.deepEqual(pieces("", 1_000), [["", []]]);
  });

  test("is cut between rows, each piece with the header, no row lost or doubled", () => {
    const rows = Array.from({ length: 100 }, (_, index) => `${index},"line\nbreak ""${index}"""`);
    const found = pieces(`id,note\r\n${rows.join("\r\n")}\r\n`, 200);
    assert.ok(found.length > 10);
    assert.ok(found.every(([body]) => String(body).startsWith("id,note\r\n") && String(body).length <= 200));
    assert.equal(found.map(([body]) => String(body).slice("id,note\r\n".length)).join(""), `${rows.join("\r\n")}\r\n`);
    assert.deepEqual(
      found.flatMap(([, lines]) => lines),
      rows.map((_, index) => 2 + 2 * index),
    );
  });

  test("gives a row that is too large a piece of its own", () => {
    const found = pieces(`id\n1\n${"x".repeat(500)}\n2\n`, 100);
    assert.deepEqual(
      found.map(([, lines]) => lines),
      [[2], [3], [4]],
    );
  });
});
