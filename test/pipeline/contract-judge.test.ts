import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import type { StandardSchema, StreamDefinition } from "../../src/model/definition.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import type { Judgement } from "../../src/pipeline/process/contract.ts";
import { streamOf } from "./stream-of.ts";

const contractOf = (schema: StandardSchema, more: Partial<StreamDefinition> = {}) =>
  compileContract(streamOf(schema, more));

async function judge(schema: StandardSchema, event: unknown, more: Partial<StreamDefinition> = {}): Promise<Judgement> {
  return contractOf(schema, more).judge(event);
}

async function errorsOf(schema: StandardSchema, event: unknown, more: Partial<StreamDefinition> = {}) {
  const judgement = await judge(schema, event, more);
  assert(!judgement.ok, "the event is invalid");
  assert(judgement.errors.every(({ code }) => code === "CONTRACT_BROKEN"));
  return judgement.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

async function outputOf(schema: StandardSchema, event: unknown): Promise<unknown> {
  const judgement = await judge(schema, event);
  assert(judgement.ok, JSON.stringify(judgement));
  return judgement.value;
}

const addOne = (payload: { value: number }) => {
  payload.value += 1;
};

describe("what a judgement gives back", () => {
  test("the event as it was sent, with fields that the contract does not name", async () => {
    const event = { id: "a", extra: { kept: true } };
    assert.equal(await outputOf(z.object({ id: z.string() }), event), event);
  });

  test("the event as it was sent when zod judges refinements but changes nothing", async () => {
    const schema = z
      .object({ low: z.number(), high: z.number() })
      .refine(({ low, high }) => low <= high, "low is above high");
    const event = { low: 1, high: 2, extra: 1 };
    assert.equal(await outputOf(schema, event), event);
    assert.deepEqual(await errorsOf(schema, { low: 3, high: 2 }), [": low is above high"]);
  });

  test("the library's output when the schema changes values: default, transform, coercion, trimming, catch, url", async () => {
    assert.deepEqual(await outputOf(z.object({ a: z.string().default("x") }), {}), { a: "x" });
    assert.deepEqual(await outputOf(z.object({ a: z.string().transform(Number) }), { a: "5" }), { a: 5 });
    assert.deepEqual(await outputOf(z.object({ a: z.coerce.number() }), { a: "5" }), { a: 5 });
    assert.deepEqual(await outputOf(z.object({ a: z.string().trim().toLowerCase() }), { a: " X " }), { a: "x" });
    assert.deepEqual(await outputOf(z.object({ a: z.number().catch(0) }), { a: "x" }), { a: 0 });
    assert.deepEqual(await outputOf(z.object({ a: z.url() }), { a: " https://a.b/c " }), { a: "https://a.b/c" });
    assert.deepEqual(await outputOf(z.object({ a: z.preprocess(String, z.string()) }), { a: 5 }), { a: "5" });
    assert.deepEqual(await outputOf(z.object({ a: z.number().check(addOne) }), { a: 5 }), { a: 6 });
  });

  test("zod's verdict where JSON Schema says too much or too little", async () => {
    await errorsOf(z.object({ a: z.ipv6() }), { a: "1:2" });
    await errorsOf(z.object({ a: z.base64() }), { a: "abc" });
    await errorsOf(z.object({ a: z.number().multipleOf(0.1) }), { a: 0.25 });
    assert.deepEqual(await outputOf(z.object({ a: z.number().multipleOf(0.1) }), { a: 0.3 }), { a: 0.3 });
    await errorsOf(z.object({ a: z.tuple([z.string(), z.number()]) }), { a: ["x"] });
    await errorsOf(z.object({ toString: z.string() }), {});
    await errorsOf(z.object({ a: z.string().refine(async (text) => text === "x") }), { a: "y" });
    await errorsOf(z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })), { a: "x" });
    assert.deepEqual(await outputOf(z.object({ a: z.string().regex(/^é$/iu) }), { a: "É" }), { a: "É" });
  });

  test("keywords in metadata are described, not judged", async () => {
    const schema = z.object({ a: z.number().meta({ description: "of the parcel", minimum: 100 }) });
    assert.deepEqual(await outputOf(schema, { a: 5 }), { a: 5 });
    assert.match(JSON.stringify(contractOf(schema).jsonSchema), /of the parcel/);
  });
});

describe("__proto__ is data", () => {
  const event: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "x": "s"}');

  test("as an unnamed field it is kept, and refused where unnamed fields are", async () => {
    assert.equal(await outputOf(z.object({ x: z.string() }), event), event);
    assert.deepEqual(await errorsOf(z.strictObject({ x: z.string() }), event), [
      "/__proto__: is not a field of the contract",
    ]);
    assert.equal(Reflect.get({}, "polluted"), undefined);
  });

  test("in a record it is judged as every other name", async () => {
    assert.deepEqual(await errorsOf(z.record(z.string(), z.string()), event), [
      "/__proto__: must be a string, is an object",
    ]);
  });

  test("it cannot pose as a required field", async () => {
    const posing: unknown = JSON.parse('{"__proto__": {"x": "s"}}');
    assert.deepEqual(await errorsOf(z.object({ x: z.string() }), posing), ["/x: is missing"]);
  });
});

describe("what an invalid event is told", () => {
  const schema = z.object({
    id: z.string().min(1),
    total: z.number().nonnegative(),
    country: z.enum(["DE", "FR"]),
    at: z.iso.datetime(),
    lines: z.array(z.object({ "a/b": z.int() })).max(2),
    note: z.string().nullable().optional(),
  });

  test("every error, with a JSON Pointer and words", async () => {
    const event = {
      id: "",
      total: -3,
      country: "ES",
      at: "yesterday",
      lines: [{ "a/b": 1 }, { "a/b": 1.5 }, {}],
      note: 5,
    };
    assert.deepEqual((await errorsOf(schema, event)).sort(), [
      "/at: must be a date and time such as 2026-01-31T12:00:00Z",
      '/country: must be one of "DE", "FR"',
      "/id: must have at least 1 character, has 0",
      "/lines/1/a~1b: must be a whole number, is the number 1.5",
      "/lines/2/a~1b: is missing",
      "/lines: must have at most 2 elements, has 3",
      "/note: must be a string or null, is the number 5",
      "/total: must be at least 0, is -3",
    ]);
    assert.deepEqual(await errorsOf(schema, []), [": must be an object, is an array"]);
  });

  test("texts of the event are not quoted", async () => {
    const secret = "hunter2-hunter2";
    const errors = await errorsOf(schema, {
      id: secret,
      total: secret,
      country: secret,
      at: secret,
      lines: secret,
      note: secret,
    });
    assert(!JSON.stringify(errors).includes(secret));
  });

  test("of a union, the alternative that came closest", async () => {
    const kinds = z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("card"), number: z.string(), expires: z.string() }),
      z.object({ kind: z.literal("cash"), amount: z.number() }),
    ]);
    assert.deepEqual(await errorsOf(z.object({ pay: kinds }), { pay: { kind: "card", number: 5 } }), [
      "/pay/expires: is missing",
      "/pay/number: must be a string, is the number 5",
    ]);
    const mixed = z.object({ x: z.union([z.string().min(2), z.object({ y: z.number() })]) });
    assert.deepEqual(await errorsOf(mixed, { x: { y: "no" } }), ["/x/y: must be a number, is a string"]);
    assert.deepEqual(await errorsOf(mixed, { x: true }), [
      "/x: fits none of the alternatives of the contract, is a boolean",
    ]);
  });

  test("the author's own messages", async () => {
    const own = z.object({ country: z.string().length(2, "country is an ISO 3166 code") });
    assert.deepEqual(await errorsOf(own, { country: "Germany" }), ["/country: country is an ISO 3166 code"]);
  });

  test("at most 20 errors, and only the first of an event with thousands of values", async () => {
    const many = z.object({ a: z.array(z.number()) });
    assert.equal((await errorsOf(many, { a: Array.from({ length: 50 }, () => "x") })).length, 20);
    assert.equal((await errorsOf(many, { a: Array.from({ length: 20_000 }, () => "x") })).length, 1);
    const valibot = v.object({ a: v.array(v.number()) });
    assert.equal((await errorsOf(valibot, { a: Array.from({ length: 50 }, () => "x") })).length, 20);
  });

  test("that the schema itself threw, instead of an exception", async () => {
    const thrower = z.object({
      a: z.string().refine(() => {
        throw new TypeError("no table");
      }),
    });
    assert.deepEqual(await errorsOf(thrower, { a: "x" }), [
      ": the schema threw while it judged the event: TypeError: no table",
    ]);
  });
});

describe("personal data", () => {
  const pii = ["person.email", "people.age", "card"];

  test("never appears in the words, whoever wrote them", async () => {
    const person = { email: "ada@example.com" };
    const tell = z
      .object({ person: z.object({ email: z.string() }), card: z.number() })
      .superRefine((event, context) => context.addIssue(`no account of ${event.person.email} with ${event.card}`));
    const errors = await errorsOf(tell, { person, card: 4111 }, { pii });
    assert.deepEqual(errors, [
      ": does not fit the contract; the reason is not shown because it may quote personal data",
    ]);
    const valibot = v.object({ person: v.object({ email: v.number() }), other: v.number() });
    const told = await errorsOf(valibot, { person, other: "free" }, { pii });
    assert(!JSON.stringify(told).includes("ada@example.com"));
    assert.match(told[1] ?? "", /^\/other: .*free/, "what is not personal is still explained");
  });

  test("hides numbers too, also inside lists", async () => {
    const schema = z.object({ people: z.array(z.object({ age: z.number().max(150) })), card: z.string() });
    const errors = await errorsOf(schema, { people: [{ age: 999 }], card: 4111 }, { pii });
    assert.deepEqual(errors, ["/people/0/age: must be at most 150", "/card: must be a string, is a number"]);
  });
});

describe("any Standard Schema", () => {
  test("judges with valibot, points to the place and gives its output", async () => {
    const schema = v.object({
      id: v.string(),
      lines: v.array(v.object({ n: v.number() })),
      at: v.optional(v.string(), "now"),
    });
    assert.deepEqual(await outputOf(schema, { id: "a", lines: [{ n: 1 }] }), { id: "a", lines: [{ n: 1 }], at: "now" });
    assert.match((await errorsOf(schema, { id: "a", lines: [{ n: "x" }] }))[0] ?? "", /^\/lines\/0\/n: /);
    assert.equal(contractOf(schema).jsonSchema, null);
  });

  test("waits for a schema that answers later, also when it rejects", async () => {
    const later = (answer: () => unknown): StandardSchema => ({
      "~standard": { version: 1, vendor: "test", validate: async () => ({ value: answer() }) },
    });
    assert.deepEqual(
      await outputOf(
        later(() => ({ a: 1 })),
        {},
      ),
      { a: 1 },
    );
    const rejecting = later(() => {
      throw new Error("offline");
    });
    assert.deepEqual(await errorsOf(rejecting, {}), [": the schema threw while it judged the event: Error: offline"]);
  });

  test("takes JSON Schema from a library that describes itself", () => {
    const described = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) => ({ value }),
        jsonSchema: { input: ({ target }: { target: string }) => ({ type: "object", target }) },
      },
    } as const;
    assert.deepEqual(contractOf(described).jsonSchema, { type: "object", target: "draft-2020-12" });
  });
});

describe("version", () => {
  test("is 12 hex digits, the same for the same schema and another for another", () => {
    const version = (schema: StandardSchema) => contractOf(schema).version;
    assert.match(version(z.object({ a: z.string() })), /^[0-9a-f]{12}$/);
    assert.equal(version(z.object({ a: z.string() })), version(z.object({ a: z.string() })));
    assert.notEqual(version(z.object({ a: z.string() })), version(z.object({ a: z.string().optional() })));
    assert.match(version(v.object({ a: v.string() })), /^[0-9a-f]{12}$/);
  });
});
