import assert from "node:assert/strict";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { RawDraft } from "../../../src/model/raw-object.ts";
import { type AcceptedObject, EmbeddedRawLog, type RawLogOptions } from "../../../src/platforms/embedded/raw-log.ts";
import type { RawPosition } from "../../../src/platforms/embedded/raw-position.ts";
import { type RawEntry, RawReader } from "../../../src/platforms/embedded/raw-reader.ts";
import { RawRetention } from "../../../src/platforms/embedded/raw-retention.ts";

const start: RawPosition = { segment: 0, offset: 0 };
let directory = "";
let logs: EmbeddedRawLog[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "eventpulse-raw-log-"));
  logs = [];
});
afterEach(async () => {
  for (const log of logs) await log.close();
  rmSync(directory, { recursive: true, force: true });
});

function draft(text: string, stream = "orders", receivedAt = Date.UTC(2026, 0, 2)): RawDraft {
  const body = Buffer.from(text);
  const meta = {
    tenant: "default",
    stream,
    door: "http",
    format: "json",
    receivedAt,
    contentType: "application/json",
    headers: {},
    idSeed: "00112233445566",
    idSeedFromClient: false,
    events: 1,
    principal: "test",
  } as const;
  return { meta, body };
}

async function open(
  options: Partial<RawLogOptions> = {},
): Promise<{ log: EmbeddedRawLog; accepted: AcceptedObject[]; ends: RawPosition[]; health: (string | null)[] }> {
  const accepted: AcceptedObject[] = [];
  const ends: RawPosition[] = [];
  const health: (string | null)[] = [];
  const log = await EmbeddedRawLog.open({
    directory,
    checkpoint: start,
    onDurable: (objects, end) => {
      accepted.push(...objects);
      ends.push(end);
    },
    onHealth: (problem) => health.push(problem),
    ...options,
  });
  logs.push(log);
  return { log, accepted, ends, health };
}

function entries(): RawEntry[] {
  const reader = new RawReader(directory);
  const found: RawEntry[] = [];
  for (const name of readdirSync(directory).sort()) {
    let position = { segment: Number.parseInt(name, 16), offset: 0 };
    for (
      let entry = reader.at(position, Number.POSITIVE_INFINITY);
      entry !== null;
      entry = reader.at(position, Number.POSITIVE_INFINITY)
    ) {
      found.push(entry);
      position = entry.next;
    }
  }
  reader.close();
  return found;
}

const texts = () =>
  entries().map((entry) => (entry.kind === "erased" ? "erased" : `${entry.kind}:${Buffer.from(entry.object.body)}`));

function segments(): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}

describe("raw log", () => {
  test("gives back every object byte for byte under its key", async () => {
    const { log } = await open();
    const bodies = ['{"a":1}', '[{"é":"\\u0000"}]', `{"x":"${"y".repeat(300_000)}"}`];
    const keys = await Promise.all(bodies.map((body) => log.append(draft(body))));
    for (const [index, key] of keys.entries()) {
      const object = await log.read(key);
      assert.equal(Buffer.from(object?.body ?? []).toString(), bodies[index]);
      assert.match(key, /^raw\/orders\/2026\/01\/02\/[0-9a-f]{8}-[0-9a-f]{8}$/);
    }
    assert.equal(await log.read("raw/orders/2026/01/02/00000099-00000000"), null);
    assert.equal(await log.read("raw/other/2026/01/02/00000001-00000000"), null);
  });

  test("shares one flush among objects that arrive together", async () => {
    const { log, ends, accepted } = await open();
    await Promise.all(Array.from({ length: 100 }, (_, index) => log.append(draft(`{"n":${index}}`))));
    assert.equal(accepted.length, 100);
    assert.ok(ends.length - 1 <= 2, `${ends.length - 1} flushes`);
  });

  test("ends a segment after its time although it is not full, so that retention can delete it", async () => {
    const { log, ends } = await open({ segmentMillisMax: 100 });
    await log.append(draft('{"n":1}'));
    await until(() => ends.at(-1)?.segment === 2);
    assert.deepEqual(ends.at(-1), { segment: 2, offset: 0 });
    await log.append(draft('{"n":2}'));
    assert.deepEqual(texts(), ['object:{"n":1}', 'object:{"n":2}']);
    const sweep = new RawRetention(directory).sweep(2, Date.UTC(2027, 0, 1), () => 1, 1);
    assert.deepEqual(sweep, { segmentsDeleted: 1, objectsErased: 0 });
  });

  test("keeps large objects whole while space for the next ones is being prepared", async () => {
    const { log } = await open();
    const body = (n: number) => `{"n":"${String(n).padStart(4, "0").repeat(100_000)}"}`;
    for (let round = 0; round < 9; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => log.append(draft(body(round * 20 + index)))));
    }
    const found = new Set(texts());
    assert.equal(found.size, 180);
    for (let n = 0; n < 180; n++) assert.ok(found.has(`object:${body(n)}`), `object ${n}`);
    assert.ok(segments().length >= 2);
  });

  test("finds after a stop without a close exactly what was acknowledged", async () => {
    const { log } = await open();
    for (let n = 0; n < 20; n++) await log.append(draft(`{"n":${n}}`));
    // A copy of the folder is what a machine finds that lost its power.
    const { accepted, log: second } = await open();
    assert.equal(accepted.length, 20);
    assert.equal(
      second.inFlightBytes,
      accepted.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    assert.deepEqual(
      texts(),
      Array.from({ length: 20 }, (_, n) => `object:{"n":${n}}`),
    );
  });

  test("starts again from the checkpoint, not from the beginning", async () => {
    const { log, ends } = await open();
    await log.append(draft('{"n":1}'));
    const checkpoint = ends.at(-1) as RawPosition;
    await log.append(draft('{"n":2}'));
    await log.close();
    const { accepted } = await open({ checkpoint });
    assert.equal(accepted.length, 1);
  });

  test("leaves out a frame that a crash cut off at any byte, and keeps those before it", async () => {
    const { log, ends } = await open();
    await log.append(draft('{"n":1}'));
    const before = (ends.at(-1) as RawPosition).offset;
    await log.append(draft('{"n":2}'));
    const after = (ends.at(-1) as RawPosition).offset;
    await log.close();
    const [segment = ""] = segments();
    const whole = readFileSync(segment);
    for (let cut = before; cut < after; cut++) {
      // What was not written yet is preallocated zeros.
      writeFileSync(segment, Buffer.concat([whole.subarray(0, cut), Buffer.alloc(10_000)]));
      const { accepted, log: recovered } = await open();
      assert.equal(accepted.length, 1, `cut at ${cut}`);
      await recovered.close();
      for (const other of segments().slice(1)) rmSync(other);
      assert.deepEqual(texts(), ['object:{"n":1}'], `cut at ${cut}`);
    }
  });

  test("detects a flipped byte anywhere in an acknowledged frame and still reads the frames around it", async () => {
    const { log, ends } = await open();
    const offsets = [0];
    for (let n = 1; n <= 3; n++) {
      await log.append(draft(`{"n":${n}}`));
      offsets.push((ends.at(-1) as RawPosition).offset);
    }
    await log.close();
    const [segment = ""] = segments();
    const whole = readFileSync(segment);
    for (let at = offsets[1] as number; at < (offsets[3] as number); at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] as number) ^ 0x10;
      writeFileSync(segment, flipped);
      const found = texts();
      assert.equal(found[0], 'object:{"n":1}', `flipped at ${at}`);
      assert.equal(found.filter((text) => text.startsWith("corrupt")).length, 1, `flipped at ${at}: ${found}`);
      const middle = at < (offsets[2] as number);
      assert.ok(found.includes(middle ? 'object:{"n":3}' : 'object:{"n":2}'), `flipped at ${at}: ${found}`);
    }
  });

  test("stops accepting when the disk is full, keeps reading, and goes on by itself when there is space", async () => {
    let free = 10 ** 12;
    const { log, health } = await open({ freeBytes: async () => free });
    const key = await log.append(draft('{"n":1}'));
    free = 1000;
    await until(() => log.problem !== null);
    await assert.rejects(log.append(draft('{"n":2}')), { code: "NOT_DURABLE" });
    assert.equal(Buffer.from((await log.read(key))?.body ?? []).toString(), '{"n":1}');
    free = 10 ** 12;
    await until(() => log.problem === null);
    await log.append(draft('{"n":3}'));
    assert.equal(health.length, 2);
    await log.close();
    assert.deepEqual(texts(), ['object:{"n":1}', 'object:{"n":3}']);
  });

  test("refuses with TOO_BUSY while too much waits to be processed, and takes more as it is processed", async () => {
    const { log } = await open({ inFlightBytesMax: 1_000 });
    while (log.inFlightBytes <= 1_000) await log.append(draft('{"n":1}'));
    await assert.rejects(log.append(draft('{"n":2}')), { code: "TOO_BUSY", retryAfterSeconds: 5 });
    log.processed(log.inFlightBytes);
    await log.append(draft('{"n":3}'));
  });

  test("refuses new objects once it is closing, and finishes those it took", async () => {
    const { log } = await open();
    const taken = log.append(draft('{"n":1}'));
    const closed = log.close();
    await assert.rejects(log.append(draft('{"n":2}')), { code: "SHUTTING_DOWN" });
    await taken;
    await closed;
    assert.deepEqual(texts(), ['object:{"n":1}']);
  });

  test("gives a sealed segment only the space it needs", async () => {
    const { log, ends } = await open();
    await log.append(draft('{"n":1}'));
    await log.close();
    assert.equal(statSync(segments()[0] ?? "").size, ends.at(-1)?.offset);
  });

  test("names corrupt bytes instead of giving them out", async () => {
    const { log } = await open();
    const key = await log.append(draft('{"n":1}'));
    await log.append(draft('{"n":2}'));
    await log.close();
    const file = openSync(segments()[0] ?? "", "r+");
    writeSync(file, "X", statSync(segments()[0] ?? "").size / 2 - 3);
    const reader = new RawReader(directory);
    assert.throws(() => reader.read(key), { code: "RAW_CORRUPT" });
    reader.close();
  });
});

describe("retention of the raw log", () => {
  const day = 24 * 60 * 60 * 1000;
  const now = Date.UTC(2026, 5, 1);

  test("deletes a segment when all in it has expired, and never one that is still processed", async () => {
    const { log } = await open();
    await log.append(draft('{"n":1}', "orders", now - 8 * day));
    await log.close();
    const retention = new RawRetention(directory);
    assert.deepEqual(
      retention.sweep(99, now, () => 9 * day, 9 * day),
      { segmentsDeleted: 0, objectsErased: 0 },
    );
    const segment = Number.parseInt(readdirSync(directory)[0] ?? "", 16);
    assert.deepEqual(
      retention.sweep(segment, now, () => 7 * day, day),
      { segmentsDeleted: 0, objectsErased: 0 },
    );
    assert.deepEqual(
      retention.sweep(segment + 1, now, () => 9 * day, day),
      { segmentsDeleted: 0, objectsErased: 0 },
    );
    assert.deepEqual(
      retention.sweep(segment + 1, now, () => 7 * day, day),
      { segmentsDeleted: 1, objectsErased: 0 },
    );
    assert.deepEqual(readdirSync(directory), []);
  });

  test("overwrites the objects of a stream that keeps them shorter than its neighbours", async () => {
    const { log } = await open();
    const secret = await log.append(draft('{"secret":1}', "visits", now - 2 * day));
    const kept = await log.append(draft('{"n":1}', "orders", now - 2 * day));
    await log.close();
    const [segment = ""] = segments();
    const sweep = () =>
      new RawRetention(directory).sweep(99, now, (stream) => (stream === "visits" ? day : 7 * day), day);
    assert.deepEqual(sweep(), { segmentsDeleted: 0, objectsErased: 1 });
    assert.equal(readFileSync(segment).includes("secret"), false);
    const reader = new RawReader(directory);
    assert.equal(reader.read(secret), null);
    assert.equal(Buffer.from(reader.read(kept)?.body ?? []).toString(), '{"n":1}');
    reader.close();
    assert.deepEqual(sweep(), { segmentsDeleted: 0, objectsErased: 0 });
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 5_000 && !condition(); waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(condition(), "the condition came true in 5 s");
}
