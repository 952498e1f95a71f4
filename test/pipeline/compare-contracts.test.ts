import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import { highestLevel } from "../../src/model/contract-change.ts";
import { compareContracts, type JsonSchema } from "../../src/pipeline/failures/compare-contracts.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { closed, edited, objectSchema, Random, sampleValue } from "./random-schema.ts";
import { streamOf } from "./stream-of.ts";

/** The contract of a zod schema, as a stream has it. */
function contract(schema: z.ZodType): JsonSchema {
  const { jsonSchema } = compileContract(streamOf(schema));
  assert.ok(jsonSchema);
  return jsonSchema;
}

const base = { id: z.string(), total: z.number() };
const withField = (field: z.ZodType) => contract(z.object({ ...base, field }));

function changesOf(before: z.ZodType, after: z.ZodType): readonly string[] {
  return compareContracts(withField(before), withField(after)).map(
    ({ level, pointer, detail }) => `${level} ${pointer} ${detail}`,
  );
}

const card = z.object({ kind: z.literal("card"), number: z.string() });
const cash = z.object({ kind: z.literal("cash") });
const tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), children: z.array(tree) }));
const longTree: z.ZodType = z.lazy(() => z.object({ name: z.string().max(9), children: z.array(longTree) }));

/** Before, after, and what is said: field changes one way, and the other way round. */
const cases: readonly (readonly [string, z.ZodType, z.ZodType, readonly string[], readonly string[]])[] = [
  ["nothing", z.string(), z.string(), [], []],
  [
    "a type",
    z.string(),
    z.number(),
    ["major /field must be a number now, was a string"],
    ["major /field must be a string now, was a number"],
  ],
  [
    "null",
    z.string(),
    z.string().nullable(),
    ["minor /field must be a string or null now, was a string"],
    ["major /field must be a string now, was a string or null"],
  ],
  [
    "required or not",
    z.string().optional(),
    z.string(),
    ["major /field is required now"],
    ["minor /field is not required any more"],
  ],
  [
    "choices",
    z.enum(["a", "b"]),
    z.enum(["a", "b", "c"]),
    ['minor /field takes "c", too'],
    ['major /field does not take "c" any more'],
  ],
  [
    "a list of choices at all",
    z.string(),
    z.enum(["a"]),
    ['major /field must be one of "a" now'],
    ["minor /field takes more than the listed values now"],
  ],
  [
    "a bound",
    z.number().min(0),
    z.number().min(5),
    ["major /field must be at least 5 now, was at least 0"],
    ["minor /field must be at least 0 now, was at least 5"],
  ],
  [
    "whether a bound counts",
    z.number().lte(5),
    z.number().lt(5),
    ["major /field must be less than 5 now, was at most 5"],
    ["minor /field must be at most 5 now, was less than 5"],
  ],
  [
    "a length",
    z.string(),
    z.string().max(3),
    ["major /field must have at most 3 characters now"],
    ["minor /field need not have at most 3 characters any more"],
  ],
  [
    "a multiple",
    z.int().multipleOf(6),
    z.int().multipleOf(3),
    ["minor /field must be a multiple of 3 now"],
    ["major /field must be a multiple of 6 now"],
  ],
  [
    "a pattern",
    z.string().regex(/^a/),
    z.string().regex(/^b/),
    ["major /field must have the pattern ^b now, was ^a; patterns cannot be compared"],
    ["major /field must have the pattern ^a now, was ^b; patterns cannot be compared"],
  ],
  [
    "a format",
    z.string(),
    z.email(),
    ["major /field must have the format email now"],
    ["minor /field need not have the format email any more"],
  ],
  [
    "elements",
    z.array(z.string()),
    z.array(z.string().min(1)),
    ["major /field/* must have at least 1 characters now"],
    ["minor /field/* need not have at least 1 characters any more"],
  ],
  [
    "the words",
    z.string(),
    z.string().describe("A note."),
    ["patch /field has another description"],
    ["patch /field has another description"],
  ],
  [
    "a new field inside",
    z.object({}),
    z.object({ a: z.string().optional() }),
    ["minor /field/a is a new field, which is not required"],
    ["minor /field/a is not described any more, and is taken as it comes"],
  ],
  [
    "whether other fields are taken",
    z.object({ a: z.string() }),
    z.strictObject({ a: z.string() }),
    ["major /field/* is refused now: only named fields are taken"],
    ["minor /field/* is taken now: fields need not be named any more"],
  ],
  [
    "a form",
    z.union([z.string(), z.array(z.string())]),
    z.union([z.string(), z.array(z.string()), z.object({})]),
    ["minor /field takes another form, too"],
    ["major /field must be a string now, was an object"],
  ],
  [
    "a named form",
    z.discriminatedUnion("kind", [card]),
    z.discriminatedUnion("kind", [card, cash]),
    ["minor /field takes another form, too"],
    ['major /field does not take the form with kind "cash" any more'],
  ],
  [
    "what is inside itself",
    tree,
    longTree,
    ["major /field/name must have at most 9 characters now"],
    ["minor /field/name need not have at most 9 characters any more"],
  ],
  [
    "values by name",
    z.record(z.string(), z.number()),
    z.record(z.string(), z.number().min(1)),
    ["major /field/* must be at least 1 now"],
    ["minor /field/* need not be at least 1 any more"],
  ],
];

describe("comparing two contracts", () => {
  for (const [what, before, after, forth, back] of cases) {
    test(`says what a change of ${what} means, one way and the other`, () => {
      assert.deepEqual(changesOf(before, after), forth);
      assert.deepEqual(changesOf(after, before), back);
    });
  }

  test("calls new fields that are not required minor, required ones and removed ones of a strict contract major", () => {
    const level = (before: z.ZodType, after: z.ZodType) =>
      highestLevel(compareContracts(contract(before), contract(after)));
    assert.equal(level(z.object(base), z.object({ ...base, note: z.string().optional() })), "minor");
    assert.equal(level(z.object(base), z.object({ ...base, note: z.string() })), "major");
    assert.equal(level(z.object({ ...base, note: z.string() }), z.object(base)), "minor");
    assert.equal(level(z.strictObject({ ...base, note: z.string() }), z.strictObject(base)), "major");
    assert.equal(level(z.object(base), z.object(base)), null);
  });

  test("admits what it cannot compare", () => {
    const before = { type: "object", properties: { a: { allOf: [{ minLength: 1 }] } } };
    const after = { type: "object", properties: { a: { allOf: [{ minLength: 2 }] } } };
    const [change, ...others] = compareContracts(before, after);
    assert.deepEqual(change, { level: "major", pointer: "/a", detail: "cannot be compared: allOf is different" });
    assert.deepEqual(others, []);
    const overlapping = { oneOf: [{ type: "number" }, { type: "integer" }] };
    assert.match(compareContracts({ type: "number" }, overlapping)[0]?.detail ?? "", /^cannot be compared/);
    const patterned = { type: "object", patternProperties: { "^x": { type: "string" } } };
    assert.equal(
      highestLevel(compareContracts(patterned, { ...patterned, properties: { xa: { type: "number" } } })),
      "major",
    );
  });
});

describe("a comparison without a major change", () => {
  test("means that every event that was valid, with fields that the contract names, is valid still", () => {
    const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
    console.log(`seed ${seed} (repeat with TEST_SEED=${seed})`);
    const random = new Random(seed);
    let harmless = 0;
    let judged = 0;
    for (let round = 0; round < 4_000; round++) {
      const before = objectSchema(random, 2);
      let after: unknown = before;
      for (let edit = random.below(3); edit >= 0; edit--) after = edited(random, after);
      const changes = compareContracts(before, after as JsonSchema);
      assert.deepEqual(compareContracts(before, before), []);
      if (highestLevel(changes) === "major") continue;
      harmless++;
      const ajv = new Ajv2020({ strict: false, logger: false });
      const [wasValid, isValid] = [ajv.compile(closed(before) as object), ajv.compile(after as object)];
      for (let sample = 0; sample < 20; sample++) {
        const event = sampleValue(random, random.below(3) === 0 ? after : before);
        if (!wasValid(event)) continue;
        judged++;
        const story = JSON.stringify({ before, after, changes, event });
        assert.ok(isValid(event), `${ajv.errorsText(isValid.errors)}: ${story}`);
      }
    }
    assert.ok(harmless > 400 && judged > 2_000, `${harmless} pairs without a major change, ${judged} events`);
  });
});
