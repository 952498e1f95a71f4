import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { StandardSchema, StreamDefinition } from "../../src/model/definition.ts";
import type { FailureDraft } from "../../src/model/failure.ts";
import type { RawMeta } from "../../src/model/raw-object.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { failRaw } from "../../src/pipeline/process/fail-raw.ts";
import { processRaw } from "../../src/pipeline/process/process-raw.ts";
import { rawObject } from "./failure-of.ts";
import { projectOf } from "./project-of.ts";
import { streamOf } from "./stream-of.ts";

const project = projectOf();
const subject = { kind: "object" } as const;

/** What processing makes of one event that fails. */
async function failureFrom(
  body: string,
  schema: StandardSchema,
  more: Partial<StreamDefinition> = {},
  meta: Partial<RawMeta> = {},
): Promise<FailureDraft> {
  const contract = compileContract(streamOf(schema, more));
  const records = { loadStates: () => Promise.resolve([]) } as never;
  const context = { project, contract, records, random: () => 0 };
  const { failures } = await processRaw(rawObject(body, meta), subject, null, context);
  return failures[0] ?? assert.fail("the event fails");
}

async function explained(body: unknown, schema: StandardSchema, more: Partial<StreamDefinition> = {}) {
  const { errors } = await failureFrom(JSON.stringify(body), schema, more);
  return Object.fromEntries(errors.map(({ pointer, actual, hint }) => [pointer, { actual, hint }]));
}

describe("a failure says of each error", () => {
  const schema = z.strictObject({
    id: z.string(),
    total: z.number(),
    at: z.iso.datetime(),
    note: z.string().max(5).optional(),
    person: z.object({ email: z.email(), age: z.number() }).optional(),
  });
  const good = { id: "a", total: 1, at: "2026-01-31T12:00:00Z" };

  test("what was found, and what to do about it", async () => {
    const { id: _, ...rest } = good;
    assert.deepEqual(
      await explained(
        { ...rest, total: "7.5", at: "2026-01-31 12:00", note: "too long", extra: [1, { a: null }] },
        schema,
      ),
      {
        "/id": { actual: undefined, hint: "Set it with an edit or a recipe, or make it optional in the contract." },
        "/total": {
          actual: '"7.5"',
          hint: 'It reads as a number: a recipe mends all such events with {"do":"cast","path":"/total","to":"number"}.',
        },
        "/at": {
          actual: '"2026-01-31 12:00"',
          hint: 'It reads as a timestamp: a recipe mends all such events with {"do":"cast","path":"/at","to":"timestamp"}.',
        },
        "/note": {
          actual: '"too long"',
          hint: "Correct it with an edit or a recipe; if such values are right, change the contract.",
        },
        "/extra": { actual: '[1,{"a":null}]', hint: "Remove or rename it with a recipe, or add it to the contract." },
      },
    );
  });

  test("the same when the library judges, and where words are its own", async () => {
    const refined = schema.refine(() => true);
    const { "/total": total } = await explained({ ...good, total: "7" }, refined);
    assert.equal(total?.actual, '"7"');
    assert.match(total?.hint ?? "", /"do":"cast","path":"\/total","to":"number"/);
  });

  test("nothing personal, also not inside or in the place of an object", async () => {
    const pii = ["person.email"];
    const inside = await explained({ ...good, person: { email: "not-an-email", age: "5" } }, schema, { pii });
    assert.deepEqual([inside["/person/email"]?.actual, inside["/person/age"]?.actual], ['"•••"', '"5"']);
    const wrong = await explained({ ...good, person: ["secret@example.com"] }, schema, { pii });
    assert.equal(wrong["/person"]?.actual, '["•••"]');
    const { errors } = await failureFrom(JSON.stringify({ ...good, person: "secret@example.com" }), schema, { pii });
    assert.doesNotMatch(JSON.stringify(errors), /secret/);
    for (const judged of [schema, schema.refine(() => true)]) {
      const number = await failureFrom(JSON.stringify({ ...good, person: 4915112345 }), judged, { pii });
      assert.deepEqual([number.errors.length, number.errors[0]?.actual], [1, '"•••"']);
      assert.doesNotMatch(JSON.stringify(number.errors), /4915112345/);
    }
  });

  test("no more than 100 characters of it", async () => {
    const { "/note": text } = await explained({ ...good, note: 'é"'.repeat(1000) }, schema);
    assert.equal(text?.actual?.length, 100);
    assert.match(text?.actual ?? "", /^"é\\"é.*…$/);
    const { "/extra": list } = await explained(
      { ...good, extra: { n: Array.from({ length: 1000 }, (_, n) => n) } },
      schema,
    );
    assert.match(list?.actual ?? "", /^\{"n":\[0,1,2,.*…$/);
    assert.equal(list?.actual?.length, 100);
  });

  test("what to do about a key, a time, a whole event and a transform", async () => {
    const open = z.looseObject({});
    assert.match((await explained({}, open, { key: "id" }))["/id"]?.hint ?? "", /a value of its own/);
    const time = await explained({ at: "1769860800000" }, open, { time: "at" });
    assert.deepEqual(time["/at"]?.actual, '"1769860800000"');
    assert.match(time["/at"]?.hint ?? "", /"to":"timestamp"/);
    assert.match((await explained({ at: "soon" }, open, { time: "at" }))["/at"]?.hint ?? "", /2026-01-31T12:00:00Z/);
    const whole = await explained(5, open);
    assert.deepEqual(
      [whole[""]?.actual, whole[""]?.hint],
      [undefined, "Replace the whole event with an object, or discard it."],
    );
    const duplicate = (await failureFrom('{"a":1,"a":2}', open)).errors[0];
    assert.deepEqual([duplicate?.pointer, duplicate?.actual], ["/a", undefined]);
    assert.match(duplicate?.hint ?? "", /replace it as a whole/);
    const result = (await failureFrom('{"n":"sent"}', open, { transform: () => ({ n: Number.NaN }) })).errors[0];
    assert.deepEqual([result?.pointer, result?.actual], ["/n", undefined]);
    assert.match(result?.hint ?? "", /Correct the transform/);
  });

  test("of a CloudEvent's time what the envelope had, not the data", async () => {
    const envelope = {
      specversion: "1.0",
      id: "1",
      source: "/s",
      type: "t",
      time: "+272000-01-01T00:00:00Z",
      data: { time: "other" },
    };
    const { errors } = await failureFrom(JSON.stringify(envelope), z.looseObject({}), {}, { format: "cloudevent" });
    assert.deepEqual(
      errors.map(({ code, pointer, actual }) => [code, pointer, actual]),
      [["TIME_INVALID", "/time", '"+272000-01-01T00:00:00Z"']],
    );
  });
});

test("a failure of which no byte is left says that nobody can recover it, any other how", () => {
  const reason = { stage: "decode", class: "poison", code: "RAW_CORRUPT", errors: [] } as const;
  const { failures } = failRaw(rawObject("not json", { events: 2 }), subject, null, reason, project);
  assert.deepEqual(
    failures.map(({ recoverable, recoverableWhy }) => [
      recoverable,
      /damaged|ask the sender/.exec(recoverableWhy)?.[0],
    ]),
    [
      [true, "damaged"],
      [false, "ask the sender"],
    ],
  );
  const whys = (["invalid", "bug", "transient", "poison", "conflict", "security"] as const).map((kind) => {
    const other = { ...reason, class: kind, code: "INTERNAL" };
    return failRaw(rawObject("{}"), subject, null, other, project).failures[0]?.recoverableWhy;
  });
  assert.equal(new Set(whys).size, 6);
});
