import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import type { SimulatorDefinition, StandardSchema, StreamDefinition } from "../../src/model/definition.ts";
import { simulateEvents } from "../../src/pipeline/ingest/simulate.ts";
import { compileContract } from "../../src/pipeline/process/compile-contract.ts";
import { streamOf } from "./stream-of.ts";

const now = Date.UTC(2026, 5, 1, 12);
const calm = { invalid: 0, duplicate: 0, late: 0, spike: 0 };
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}`);

function simulate(
  schema: StandardSchema,
  more: Partial<SimulatorDefinition> = {},
  about: Partial<StreamDefinition> = {},
  index = 0,
) {
  const stream = streamOf(schema, about);
  const contract = compileContract(stream);
  assert(contract.jsonSchema);
  const definition = {
    kind: "simulator",
    stream: "s",
    everyMillis: 60_000,
    count: 50,
    seed,
    faults: calm,
    ...more,
  } as const;
  const { events } = simulateEvents(definition, contract.jsonSchema, stream, { index, now: now + index * 60_000 });
  const verdicts = events.map((event) => {
    const judgement = contract.judge(event);
    assert(!(judgement instanceof Promise));
    return judgement;
  });
  return { events, verdicts };
}

const orders = z.object({
  id: z.string(),
  total: z.number().nonnegative(),
  country: z.string().length(2),
  at: z.iso.datetime(),
  note: z.string().optional(),
});
const about = { key: "id", time: "at" };

const tree: z.ZodType = z.lazy(() =>
  z.object({ name: z.string(), children: z.array(tree).optional(), parent: tree.nullable() }),
);
const schemas: Readonly<Record<string, z.ZodType>> = {
  orders,
  texts: z.object({
    mail: z.email(),
    id: z.uuid(),
    v7: z.uuidv7(),
    day: z.iso.date(),
    clock: z.iso.time(),
    clockTenth: z.iso.time({ precision: 1 }),
    wait: z.iso.duration(),
    at: z.iso.datetime({ precision: 0 }),
    local: z.iso.datetime({ local: true }),
    minute: z.iso.datetime({ precision: -1 }),
    link: z.url(),
    four: z.ipv4(),
    six: z.ipv6(),
    ulid: z.ulid(),
    nano: z.nanoid(),
    cuid: z.cuid2(),
    mac: z.mac(),
    phone: z.e164(),
    range: z.cidrv4(),
    long: z.string().min(40),
    short: z.string().max(2),
  }),
  patterns: z.object({
    sku: z.string().regex(/^[A-Z]{2,3}-\d{4}(?:-(?:red|green|[^a-z]))?$/),
    both: z.string().startsWith("ab.").endsWith(".yz"),
    sized: z.string().regex(/^\w+$/).min(6).max(8),
    unicode: z.string().regex(/^\u0041\x42[\]-]+\.?$/),
    lower: z.string().lowercase(),
  }),
  numbers: z.object({
    a: z.int(),
    b: z.int().min(3).max(4),
    c: z.number().gt(0).lt(1),
    d: z.number().min(1000).max(1000.5),
    e: z.number().max(-5),
    f: z.int().gt(7),
    g: z.number().multipleOf(5),
    h: z.number().min(0.001).max(0.002),
    i: z.int32(),
    j: z.literal(7),
    temperature: z.number().min(-40).max(85),
  }),
  shapes: z.object({
    list: z
      .array(z.object({ n: z.number() }))
      .min(2)
      .max(5),
    few: z.array(z.string()).max(1),
    pair: z.tuple([z.string(), z.number()]),
    map: z.record(z.string(), z.boolean()),
    levels: z.record(z.enum(["low", "high"]), z.number()),
    maybe: z.number().nullable(),
    either: z.union([z.string(), z.object({ x: z.int() })]),
    both: z.object({ p: z.string() }).and(z.object({ q: z.number() })),
    any: z.any(),
    nothing: z.never().optional(),
    nil: z.null(),
    flag: z.boolean(),
    kind: z.enum(["a", "b"]),
  }),
  kinds: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a"), x: z.number() }),
    z.object({ kind: z.literal("b"), y: z.string() }),
  ]),
  tree,
  defaults: z.object({ a: z.string().default("x"), b: z.coerce.number().min(5) }),
};

describe("simulated events", () => {
  for (const [name, schema] of Object.entries(schemas)) {
    test(`satisfy the contract: ${name}`, () => {
      for (let index = 0; index < 5; index += 1) {
        const { events, verdicts } = simulate(schema, {}, {}, index);
        assert.equal(events.length, 50);
        for (const [place, verdict] of verdicts.entries()) {
          assert(verdict.ok, `${JSON.stringify(events[place])} ${JSON.stringify(verdict)}`);
        }
      }
    });
  }

  test("are the same for the same seed and tick, and others for another", () => {
    const first = JSON.stringify(simulate(orders, {}, about).events);
    assert.equal(JSON.stringify(simulate(orders, {}, about).events), first);
    assert.notEqual(JSON.stringify(simulate(orders, { seed: seed + 1 }, about).events), first);
    assert.notEqual(JSON.stringify(simulate(orders, {}, about, 1).events), first);
  });

  test("have distinct keys, also after a restart that counts ticks from 0 again", () => {
    const keys = [0, 1, 2].flatMap((index) =>
      simulate(orders, {}, about, index).events.map((event) => field(event, "id")),
    );
    const numbered = z.object({ id: z.int(), n: z.number() });
    const ids = [0, 1].flatMap((index) =>
      simulate(numbered, { everyMillis: 60_000 }, { key: "id" }, index).events.map((e) => field(e, "id")),
    );
    assert.equal(new Set(keys).size, 150);
    assert.equal(new Set(ids).size, 100);
  });

  test("have times spread over the interval that ends now", () => {
    const times = simulate(orders, {}, about).events.map((event) => Date.parse(String(field(event, "at"))));
    assert.equal(Math.max(...times), now);
    assert(Math.min(...times) > now - 60_000 && new Set(times).size === 50);
    const numeric = z.object({ at: z.int(), v: z.number() });
    assert(simulate(numeric, {}, { time: "at" }).events.every((event) => Number(field(event, "at")) <= now));
  });

  test("leave an optional field out now and then, not mostly", () => {
    const { events } = simulate(orders, { count: 400 }, about);
    const present = events.filter((event) => field(event, "note") !== undefined).length;
    assert(present > 300 && present < 400, String(present));
  });
});

describe("faults", () => {
  for (const name of ["orders", "numbers", "kinds", "shapes", "texts"]) {
    test(`invalid: the contract refuses every event of ${name}`, () => {
      const { events, verdicts } = simulate(
        schemas[name] ?? orders,
        { faults: { ...calm, invalid: 1 } },
        name === "orders" ? about : {},
      );
      for (const [index, verdict] of verdicts.entries()) assert(!verdict.ok, JSON.stringify(events[index]));
    });
  }

  test("duplicate: each event comes a second time, exactly", () => {
    const { events } = simulate(orders, { faults: { ...calm, duplicate: 1 } }, about);
    assert.equal(events.length, 100);
    for (let index = 0; index < 100; index += 2) {
      assert.deepEqual(events[index], events[index + 1]);
      assert.notEqual(events[index], events[index + 1]);
    }
  });

  test("late: the time is up to an hour old, and the event valid", () => {
    const { events, verdicts } = simulate(orders, { faults: { ...calm, late: 1 } }, about);
    const ages = events.map((event) => now - Date.parse(String(field(event, "at"))));
    assert(ages.every((age) => age > 0 && age <= 3_600_000));
    assert(Math.max(...ages) > 600_000 && verdicts.every(({ ok }) => ok));
  });

  test("spike: a number ten times as large, at most as the contract allows, and the event valid", () => {
    const plain = simulate(orders, {}, about).events.map((event) => Number(field(event, "total")));
    const { events, verdicts } = simulate(orders, { faults: { ...calm, spike: 1 } }, about);
    for (const [index, event] of events.entries()) {
      assert(Math.abs(Number(field(event, "total")) - 10 * (plain[index] ?? 0)) < 0.01);
    }
    const bounded = simulate(z.object({ temperature: z.number().max(85) }), { faults: { ...calm, spike: 1 } });
    assert(bounded.events.every((event) => field(event, "temperature") === 85));
    assert([...verdicts, ...bounded.verdicts].every(({ ok }) => ok));
  });

  test("come about as often as their probability says", () => {
    const { events, verdicts } = simulate(
      orders,
      { count: 2000, faults: { ...calm, invalid: 0.1, duplicate: 0.05 } },
      about,
    );
    const invalid = verdicts.filter(({ ok }) => !ok).length;
    assert(invalid > 120 && invalid < 300, String(invalid));
    assert(events.length > 2050 && events.length < 2160, String(events.length));
  });
});

function field(event: unknown, name: string): unknown {
  assert(typeof event === "object" && event !== null);
  return Reflect.get(event, name);
}
