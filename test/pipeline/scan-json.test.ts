import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { inspectJson } from "../../src/pipeline/ingest/inspect-json.ts";
import { scanJson } from "../../src/pipeline/ingest/scan-json.ts";

const seed = Number(process.env["EVENTPULSE_SEED"] ?? Date.now() % 2 ** 31);
console.error(`scan-json: EVENTPULSE_SEED=${seed}`);

function elements(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const { ranges } = scanJson(bytes, 0, bytes.length);
  return Array.from({ length: ranges.length / 2 }, (_, index) =>
    bytes.toString("utf8", ranges[2 * index], ranges[2 * index + 1]),
  );
}

function keysOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce(
    (sum: number, child) => sum + keysOf(child),
    Array.isArray(value) ? 0 : Object.keys(value).length,
  );
}

describe("scanJson", () => {
  test("finds exactly the text of each element of an array, whatever the white space", () => {
    const property = fc.property(fc.array(fc.jsonValue({ maxDepth: 5 })), fc.nat(2), (values, indent) => {
      const text = ` ${JSON.stringify(values, null, indent)}\n`;
      assert.deepEqual(
        elements(text).map((element) => JSON.parse(element)),
        JSON.parse(text),
      );
    });
    fc.assert(property, { seed, numRuns: 500 });
  });

  test("takes a value that is no array as the only element", () => {
    assert.deepEqual(elements(' {"a": [1, 2]} '), ['{"a": [1, 2]}']);
    assert.deepEqual(elements('"x,]"'), ['"x,]"']);
  });

  test("counts as many keys as the parsed value has when none comes twice", () => {
    const property = fc.property(fc.array(fc.jsonValue({ maxDepth: 5 })), (values) => {
      const bytes = Buffer.from(JSON.stringify(values));
      assert.equal(scanJson(bytes, 0, bytes.length).keys, keysOf(JSON.parse(bytes.toString())));
    });
    fc.assert(property, { seed, numRuns: 500 });
  });

  test("allows 64 levels in an event, also inside an outer array, and not one more", () => {
    const nested = (levels: number) => `${"[".repeat(levels - 1)}{}${"]".repeat(levels - 1)}`;
    const event = (levels: number) => `{"a":${nested(levels - 1)}}`;
    for (const [text, tooDeep] of [
      [event(64), false],
      [event(65), true],
      [`[${event(64)}]`, false],
      [`[${event(65)}]`, true],
    ] as const) {
      const bytes = Buffer.from(text);
      assert.equal(scanJson(bytes, 0, bytes.length).tooDeep, tooDeep, text.slice(0, 20));
    }
  });

  test("stops at a million open brackets without a deep stack", () => {
    const bytes = Buffer.from("[".repeat(1_000_000));
    assert.equal(scanJson(bytes, 0, bytes.length).tooDeep, true);
  });
});

describe("inspectJson", () => {
  const codes = (text: string) => inspectJson(text).map(({ code, pointer }) => `${code} ${pointer}`);

  test("names the key that comes twice, also when it is written with an escape", () => {
    assert.deepEqual(codes('{"a":{"b/c":1,"\\u0062/c":2}}'), ["JSON_KEY_DUPLICATE /a/b~1c"]);
  });

  test("names numbers that would lose digits and leaves those that would not", () => {
    const text = '{"a":9007199254740993,"b":[9007199254740991,1e400],"c":123456789012345.678,"d":-1E+2}';
    assert.deepEqual(codes(text), ["NUMBER_NOT_EXACT /a", "NUMBER_NOT_EXACT /b/1"]);
  });

  test("finds nothing in what JSON.stringify writes", () => {
    const property = fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(2), (value, indent) => {
      assert.deepEqual(inspectJson(JSON.stringify(value, null, indent)), []);
    });
    fc.assert(property, { seed, numRuns: 300 });
  });
});
