import { pointerParts } from "../process/json-pointer.ts";
import { type NumberRules, simulateNumber } from "./simulate-number.ts";
import type { Random } from "./simulate-random.ts";
import { simulateText, type TextRules } from "./simulate-text.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A number that was made, with what it must satisfy: a candidate for a spike. */
export interface MadeNumber {
  readonly path: readonly string[];
  readonly rules: NumberRules;
}

export interface ValueContext {
  /** The whole schema, for `$ref`. */
  readonly root: JsonSchema;
  readonly random: Random;
  /** Time of the event, milliseconds since 1970. */
  readonly time: number;
  /** Dotted paths of the stream's key and time. */
  readonly keyPath: string | null;
  readonly timePath: string | null;
  /** Filled along the way. */
  readonly numbers: MadeNumber[];
}

/** Levels below which optional parts are left out, so that recursive schemas end. */
const depthMax = 5;
const optionalShare = 0.85;
const nullShare = 0.1;

/** A plausible value for a JSON Schema 2020-12 as zod makes them (also `$ref`, `allOf`, `anyOf`, `oneOf`, `prefixItems`). */
export function simulateValue(schema: unknown, path: readonly string[], context: ValueContext): unknown {
  const resolved = resolve(schema, context);
  const branched = branch(resolved, path, context);
  if (branched !== null) return simulateValue(branched, path, context);
  if ("const" in resolved) return resolved["const"];
  const values = listOf(resolved["enum"]);
  if (values.length > 0) return values[context.random.integer(0, values.length - 1)];
  switch (typeOf(resolved, path, context)) {
    case "object":
      return simulateObject(resolved, path, context);
    case "array":
      return simulateArray(resolved, path, context);
    case "number":
    case "integer":
      return simulateNumeric(resolved, path, context);
    case "boolean":
      return context.random.chance(0.5);
    case "null":
      return null;
    default:
      return simulateText(textRules(resolved), placeOf(path, context), context.random);
  }
}

/** Follows `$ref` and folds `allOf` into one schema. */
export function resolve(schema: unknown, context: Pick<ValueContext, "root">): JsonSchema {
  if (!isSchema(schema)) return {};
  let folded = schema;
  if (typeof schema["$ref"] === "string") {
    const { $ref: reference, ...beside } = schema;
    let target: unknown = context.root;
    for (const part of pointerParts(String(reference).slice(1))) target = isSchema(target) ? target[part] : undefined;
    folded = { ...(target === schema ? {} : resolve(target, context)), ...beside };
  }
  const parts = listOf(folded["allOf"]);
  if (parts.length === 0) return folded;
  const { allOf: _, ...base } = folded;
  return parts.reduce<JsonSchema>((sum, part) => fold(sum, resolve(part, context)), base);
}

function fold(left: JsonSchema, right: JsonSchema): JsonSchema {
  return {
    ...left,
    ...right,
    properties: { ...fieldsOf(left), ...fieldsOf(right) },
    required: [...listOf(left["required"]), ...listOf(right["required"])],
    patterns: [...patternsOf(left), ...patternsOf(right)],
  };
}

/** One alternative of `anyOf` or `oneOf`, with what is said beside it; null when there are none. */
function branch(schema: JsonSchema, path: readonly string[], context: ValueContext): JsonSchema | null {
  const keyword = ["anyOf", "oneOf"].find((name) => listOf(schema[name]).length > 0);
  if (keyword === undefined) return null;
  const { [keyword]: alternatives, ...beside } = schema;
  const resolved = listOf(alternatives).map((alternative) => resolve(alternative, context));
  const end =
    resolved.find(({ type }) => type === "null") ?? resolved.find(({ type }) => type !== "object" && type !== "array");
  const others = resolved.filter(({ type }) => type !== "null");
  const wanted =
    others.length === 0 || (others.length < resolved.length && context.random.chance(nullShare)) ? resolved : others;
  const chosen =
    path.length > depthMax && end !== undefined ? end : wanted[context.random.integer(0, wanted.length - 1)];
  return { ...beside, ...chosen };
}

function typeOf(schema: JsonSchema, path: readonly string[], { random }: ValueContext): unknown {
  const { type } = schema;
  if (Array.isArray(type)) {
    const others = type.filter((one) => one !== "null");
    if (others.length < type.length && (path.length > depthMax || random.chance(nullShare))) return "null";
    return others[random.integer(0, others.length - 1)];
  }
  if (type !== undefined) return type;
  if ("properties" in schema && Object.keys(fieldsOf(schema)).length > 0) return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  return "minimum" in schema || "maximum" in schema ? "number" : "string";
}

function simulateObject(schema: JsonSchema, path: readonly string[], context: ValueContext): unknown {
  const required = new Set(listOf(schema["required"]));
  const made: Record<string, unknown> = {};
  const set = (name: string, inner: unknown) => {
    const value = simulateValue(inner, [...path, name], context);
    // Not an assignment: a field may be called `__proto__`.
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  };
  const fields = fieldsOf(schema);
  for (const [name, inner] of Object.entries(fields)) {
    if (required.has(name)) set(name, inner);
    else if (!isImpossible(inner) && path.length <= depthMax && context.random.chance(optionalShare)) set(name, inner);
  }
  const rest = schema["additionalProperties"];
  if (isSchema(rest) && Object.keys(fields).length === 0) {
    const missing = [...required].map(String);
    const names = path.length > depthMax ? missing : [...missing, ...namesFor(schema["propertyNames"], path, context)];
    for (const name of names) if (!Object.hasOwn(made, name)) set(name, rest);
  }
  return made;
}

/** Two names of a record: those of an enum, else texts that satisfy the rules of names. */
function namesFor(schema: unknown, path: readonly string[], context: ValueContext): readonly string[] {
  return ["first", "second"].map((name) =>
    String(simulateValue({ type: "string", ...resolve(schema, context) }, [...path, name], context)),
  );
}

function simulateArray(schema: JsonSchema, path: readonly string[], context: ValueContext): readonly unknown[] {
  const prefix = listOf(schema["prefixItems"]);
  const min = numberOf(schema["minItems"], 0);
  const max = Math.min(numberOf(schema["maxItems"], Number.POSITIVE_INFINITY), Math.max(min, 3));
  const open = isSchema(schema["items"]) && prefix.length === 0;
  const wanted =
    open && path.length <= depthMax
      ? context.random.integer(Math.max(min, Math.min(1, max)), max)
      : Math.max(min, prefix.length);
  return Array.from({ length: wanted }, (_, index) =>
    simulateValue(prefix[index] ?? schema["items"], [...path, String(index)], context),
  );
}

function simulateNumeric(schema: JsonSchema, path: readonly string[], context: ValueContext): number {
  const rules = numberRules(schema);
  const { name, isKey } = placeOf(path, context);
  if (path.join(".") === context.timePath) return context.time;
  if (isKey) {
    // Distinct per event as long as the range is wide enough.
    const unique = context.time * 1000 + context.random.integer(0, 999);
    return unique <= rules.high
      ? unique
      : Math.ceil(rules.low) + (unique % Math.max(1, Math.floor(rules.high - rules.low)));
  }
  context.numbers.push({ path, rules });
  return simulateNumber(rules, name, context.time, context.random);
}

function numberRules(schema: JsonSchema): NumberRules {
  const low = Math.max(numberOf(schema["minimum"], -Infinity), numberOf(schema["exclusiveMinimum"], -Infinity));
  const high = Math.min(numberOf(schema["maximum"], Infinity), numberOf(schema["exclusiveMaximum"], Infinity));
  return {
    integer: schema["type"] === "integer",
    low,
    high,
    lowExclusive: low === schema["exclusiveMinimum"],
    highExclusive: high === schema["exclusiveMaximum"],
    multipleOf: typeof schema["multipleOf"] === "number" ? schema["multipleOf"] : null,
  };
}

function textRules(schema: JsonSchema): TextRules {
  return {
    format: typeof schema["format"] === "string" ? schema["format"] : null,
    patterns: patternsOf(schema),
    lengthMin: numberOf(schema["minLength"], 0),
    lengthMax: numberOf(schema["maxLength"], Number.POSITIVE_INFINITY),
  };
}

function placeOf(path: readonly string[], { keyPath, time }: ValueContext) {
  return { name: path.at(-1) ?? "value", isKey: keyPath !== null && path.join(".") === keyPath, time };
}

function patternsOf(schema: JsonSchema): readonly string[] {
  const folded = listOf(schema["patterns"]).map(String);
  const own = schema["pattern"];
  return typeof own === "string" && !folded.includes(own) ? [...folded, own] : folded;
}

function fieldsOf(schema: JsonSchema): JsonSchema {
  return isSchema(schema["properties"]) ? schema["properties"] : {};
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `z.never()`: no value at all. */
function isImpossible(schema: unknown): boolean {
  return schema === false || (isSchema(schema) && isSchema(schema["not"]) && Object.keys(schema["not"]).length === 0);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
