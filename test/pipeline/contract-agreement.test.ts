import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import type { StandardSchema } from "../../src/model/definition.ts";
import { simulateEvents } from "../../src/pipeline/ingest/simulate.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { inspectZodSchema } from "../../src/pipeline/process/inspect-zod-schema.ts";
import { streamOf } from "./stream-of.ts";

/** Schemas that Ajv judges alone: the agreement of these is what the fast path stands on. */
const tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), children: z.array(tree).max(3) }));
const schemas = {
  order: z.object({
    id: z.string(),
    total: z.number().nonnegative(),
    country: z.string().length(2),
    at: z.iso.datetime(),
  }),
  formats: z.object({
    a: z.email(),
    b: z.uuid(),
    c: z.iso.date(),
    d: z.iso.time(),
    e: z.iso.duration(),
    f: z.ipv4(),
    g: z.ulid(),
  }),
  patterns: z.object({
    a: z.string().regex(/^[a-z]+-\d{2,4}$/),
    b: z.string().startsWith("ab."),
    c: z.string().endsWith("$c"),
    d: z.string().lowercase(),
  }),
  lengths: z.object({
    a: z.string().min(2).max(4),
    b: z.array(z.int()).min(1).max(3),
    c: z.string().length(3).optional(),
  }),
  numbers: z.object({
    a: z.int(),
    b: z.int32(),
    c: z.number().gt(0).lt(1),
    d: z.number().min(-5).max(5).nullable(),
    e: z.float32(),
  }),
  strict: z.strictObject({ a: z.boolean(), b: z.null().optional() }),
  loose: z.looseObject({ a: z.string() }).readonly(),
  open: z.object({ a: z.any(), b: z.unknown().optional() }).catchall(z.number()),
  choices: z.object({
    a: z.enum(["x", "y"]),
    b: z.literal([1, "one", true, null]),
    c: z.union([z.string(), z.number().nullable()]),
  }),
  kinds: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("card"), number: z.string().min(3) }),
    z.object({ kind: z.literal("cash"), amount: z.number().optional() }),
  ]),
  records: z.object({
    a: z.record(z.string(), z.object({ n: z.number() })),
    b: z.array(z.record(z.string(), z.string())),
  }),
  tree,
  nested: z.object({
    a: z.object({ b: z.object({ c: z.array(z.array(z.boolean().nullable())).optional() }) }),
    u: z.union([z.array(z.string()), z.object({ x: z.int() })]),
  }),
} satisfies Record<string, z.ZodType>;

const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);

const scalar = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    0.5,
    2 ** 31,
    2 ** 53,
    1e21,
    -1e300,
    Number.POSITIVE_INFINITY,
  ),
  fc.double({ noNaN: true }),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom(
    "",
    "x",
    "y",
    "one",
    "card",
    "cash",
    "DE",
    "ab.c$c",
    "ab-12",
    "😀😀",
    "2026-02-29",
    "2024-02-29",
    "2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00+01:00",
    "a@b.co",
    "12:00",
    "PT5M",
    "1.2.3.4",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "a\nb",
  ),
);
const keys = fc.constantFrom(
  "a",
  "b",
  "c",
  "d",
  "e",
  "id",
  "total",
  "kind",
  "number",
  "amount",
  "children",
  "name",
  "n",
  "x",
  "extra",
  "constructor",
);
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(keys, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

/** One valid event with one place replaced, removed or added: near misses, where judges disagree if they do. */
function mutate(
  event: unknown,
  path: readonly number[],
  replacement: unknown,
  kind: "replace" | "remove" | "add",
): unknown {
  if (typeof event !== "object" || event === null || path.length === 0) return kind === "replace" ? replacement : event;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(event) ? [...event] : { ...event };
  const names = Object.keys(copy);
  if (kind === "add" && (path.length === 1 || names.length === 0)) {
    Reflect.set(copy, Array.isArray(copy) ? copy.length : "extra", replacement);
    return copy;
  }
  const name = names[(path[0] ?? 0) % Math.max(names.length, 1)];
  if (name === undefined) return copy;
  if (path.length === 1 && kind === "remove" && !Array.isArray(copy)) Reflect.deleteProperty(copy, name);
  else Reflect.set(copy, name, mutate(Reflect.get(copy, name), path.slice(1), replacement, kind));
  return copy;
}

describe("Ajv and zod agree", () => {
  for (const [name, schema] of Object.entries(schemas)) {
    test(`on ${name}: random events, simulated events and their near misses`, () => {
      assert.equal(inspectZodSchema(schema).exact, true, "the schema is meant for the fast path");
      const contract = compileContract(streamOf(schema as StandardSchema));
      const agree = (event: unknown) => {
        const judgement = contract.judge(event);
        assert(!(judgement instanceof Promise));
        assert.equal(judgement.ok, schema.safeParse(event).success, JSON.stringify(event));
        if (judgement.ok) assert.equal(judgement.value, event);
        else assert(judgement.errors.length > 0 && judgement.errors.length <= 20);
        return judgement.ok;
      };
      assert(contract.jsonSchema);
      const definition = {
        kind: "simulator",
        stream: "s",
        everyMillis: 1000,
        count: 40,
        seed,
        faults: { invalid: 0, duplicate: 0, late: 0, spike: 0 },
      } as const;
      const { events } = simulateEvents(definition, contract.jsonSchema, contract.stream, {
        index: 0,
        now: 1_767_225_600_000,
      });
      assert(events.every(agree), "a simulated event is valid");
      fc.assert(
        fc.property(anything, (event) => void agree(event)),
        { seed, numRuns: 300 },
      );
      const path = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 });
      const mutation = fc.tuple(
        fc.constantFrom(...events),
        path,
        anything,
        fc.constantFrom("replace", "remove", "add"),
      );
      fc.assert(
        fc.property(mutation, ([event, ...rest]) => void agree(mutate(event, ...rest))),
        { seed, numRuns: 700 },
      );
    });
  }
});
