/** Small whole numbers that can be drawn again from a seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  of<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value;
  }

  /** Some entries of an object. */
  some(entries: Record<string, unknown>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(entries).filter(() => this.below(3) === 0));
  }
}

const names = ["a", "b", "c"];

function anySchema(random: Random, depth: number): unknown {
  const choice = random.below(depth > 0 ? 12 : 7);
  if (choice === 0)
    return {
      type: "string",
      ...random.some({ minLength: random.below(3), maxLength: random.below(4), pattern: random.of(["^a", "b$"]) }),
    };
  if (choice === 1) return numberSchema(random, "number");
  if (choice === 2) return numberSchema(random, "integer");
  if (choice === 3)
    return { type: random.of(["boolean", "null", ["string", "null"], ["integer", "boolean"], ["number", "string"]]) };
  if (choice === 4) return { enum: [1, "a", null, true, "ab"].filter(() => random.below(2) === 0).concat(2) };
  if (choice === 5) return { const: random.of([1, "a", false]) };
  if (choice === 6) return random.of([{}, true, false, { not: {} }]);
  if (choice === 7) return arraySchema(random, depth - 1);
  if (choice === 8) return { anyOf: [anySchema(random, depth - 1), anySchema(random, depth - 1)] };
  if (choice === 9)
    return { oneOf: ["a", "b", "c"].slice(0, 1 + random.below(3)).map((kind) => variant(random, kind)) };
  return objectSchema(random, depth - 1);
}

function numberSchema(random: Random, type: string): Record<string, unknown> {
  const bounds = {
    minimum: random.below(3),
    exclusiveMinimum: random.below(3),
    maximum: 2 + random.below(3),
    exclusiveMaximum: 3 + random.below(3),
  };
  return { type, ...random.some({ ...bounds, multipleOf: random.of([1, 2, 3, 0.5]) }) };
}

function arraySchema(random: Random, depth: number): Record<string, unknown> {
  const parts = { minItems: random.below(3), maxItems: 1 + random.below(3), uniqueItems: random.below(2) === 0 };
  const tuple = [anySchema(random, depth), anySchema(random, depth)].slice(0, 1 + random.below(2));
  return { type: "array", ...random.some({ ...parts, items: anySchema(random, depth), prefixItems: tuple }) };
}

export function objectSchema(random: Random, depth: number): Record<string, unknown> {
  const present = names.filter(() => random.below(3) > 0);
  const properties = Object.fromEntries(present.map((name) => [name, anySchema(random, depth)]));
  const required = names.filter(() => random.below(4) === 0);
  const rest = {
    additionalProperties: random.of([false, false, anySchema(random, 0)]),
    minProperties: random.below(2),
    maxProperties: 2 + random.below(2),
    propertyNames: { pattern: "^[ab]" },
    title: random.of(["x", "y"]),
  };
  return { type: "object", properties, required, ...random.some(rest) };
}

function variant(random: Random, kind: string): Record<string, unknown> {
  return { type: "object", properties: { kind: { const: kind }, b: anySchema(random, 0) }, required: ["kind"] };
}

/** The schema with one place somewhere in it changed. */
export function edited(random: Random, schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return anySchema(random, 1);
  if (!Array.isArray(schema) && random.below(8) === 0) return anySchema(random, 1);
  if (Array.isArray(schema)) {
    const index = random.below(Math.max(1, schema.length));
    const choice = random.below(5);
    if (choice === 0) return schema.filter((_, position) => position !== index || schema.length === 1);
    if (choice === 1)
      return schema.every((one) => typeof one === "string") ? [...new Set([...schema, random.of(names)])] : schema;
    return schema.map((one, position) => (position === index && typeof one === "object" ? edited(random, one) : one));
  }
  const keys = Object.keys(schema);
  const key = keys.length === 0 ? "" : random.of(keys);
  const value: unknown = Reflect.get(schema, key);
  const rest = Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key));
  const choice = random.below(6);
  if (key === "properties") return { ...rest, properties: editedFields(random, value as Record<string, unknown>) };
  if (choice === 0 && key !== "type") return rest;
  if (choice === 1 && "type" in schema && schema.type === "string") return { ...schema, maxLength: random.below(5) };
  if (typeof value === "number")
    return { ...rest, [key]: Math.max(key === "multipleOf" ? 1 : 0, value + random.below(3) - 1) };
  if (key === "type" && choice > 2)
    return { ...rest, type: random.of(["string", "number", ["string", "null"], ["number", "null"]]) };
  const nested = typeof value === "object" && value !== null && !["enum", "type", "const"].includes(key);
  return nested ? { ...rest, [key]: edited(random, value) } : schema;
}

function editedFields(random: Random, fields: Record<string, unknown>): Record<string, unknown> {
  const name = random.of(names);
  const { [name]: field, ...others } = fields;
  if (field === undefined) return { ...fields, [name]: anySchema(random, 1) };
  return random.below(4) === 0 ? others : { ...others, [name]: edited(random, field) };
}

/** The same schema, without fields that it does not name: what the comparison takes for granted. */
export function closed(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const entries = Object.entries(schema).map(([key, value]) => [
    key,
    ["enum", "const"].includes(key) ? value : key === "properties" ? mapped(value as object) : closed(value),
  ]);
  const copy = Object.fromEntries(entries) as Record<string, unknown>;
  const rest = copy["additionalProperties"];
  const open =
    rest === undefined ||
    rest === true ||
    (typeof rest === "object" && rest !== null && Object.keys(rest).length === 0);
  // A schema that takes objects without describing them names no field either.
  const describes =
    copy["type"] === undefined &&
    copy["enum"] === undefined &&
    copy["const"] === undefined &&
    copy["anyOf"] === undefined &&
    copy["oneOf"] === undefined &&
    copy["not"] === undefined;
  if (copy["type"] === "object" && open) return { ...copy, additionalProperties: false };
  return describes && Object.keys(copy).length > 0 ? { ...copy, additionalProperties: false } : copy;
}

function mapped(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, closed(field)]));
}

/** A value that has a chance to fit. */
export function sampleValue(random: Random, schema: unknown, depth = 4): unknown {
  if (typeof schema !== "object" || schema === null || depth === 0 || random.below(15) === 0) return scalar(random);
  const {
    type,
    enum: values,
    const: only,
    anyOf,
    oneOf,
    properties,
    required,
    items,
    prefixItems,
  } = schema as Record<string, unknown>;
  if (Array.isArray(values)) return random.of(values);
  if (only !== undefined) return only;
  const forms = anyOf ?? oneOf;
  if (Array.isArray(forms)) return sampleValue(random, random.of(forms), depth - 1);
  if (type === "object") {
    const fields = Object.entries((properties ?? {}) as object);
    const needed = new Set(required as string[] | undefined);
    const chosen = fields.filter(([name]) => needed.has(name) || random.below(2) === 0);
    const made = chosen.map(([name, field]) => [name, sampleValue(random, field, depth - 1)] as const);
    const extra = random.below(4) === 0 ? [[random.of(names), scalar(random)] as const] : [];
    return Object.fromEntries([...extra, ...made]);
  }
  if (type === "array") {
    const tuple = (prefixItems ?? []) as unknown[];
    return Array.from({ length: random.below(4) }, (_, index) =>
      sampleValue(random, tuple[index] ?? items ?? {}, depth - 1),
    );
  }
  return scalar(random, Array.isArray(type) ? random.of(type) : type);
}

function scalar(
  random: Random,
  type: unknown = random.of(["string", "number", "integer", "boolean", "null"]),
): unknown {
  if (type === "string") return random.of(["", "a", "ab", "b", "abc", "cb"]);
  if (type === "integer") return random.below(7);
  if (type === "number") return random.of([0, 1, 2, 3, 4, 5, 6, 0.5, 2.5]);
  return type === "boolean" ? random.below(2) === 0 : null;
}
