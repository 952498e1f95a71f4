import { isDeepStrictEqual } from "node:util";
import type { ChangeLevel } from "../../model/contract-change.ts";

/** A JSON Schema 2020-12 that is an object; `true` is an empty one. */
export type SchemaObject = Readonly<Record<string, unknown>>;

/** A difference at one place. */
export interface ValueChange {
  readonly level: ChangeLevel;
  readonly detail: string;
}

const allTypes = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
type JsonType = (typeof allTypes)[number];

/** Keywords that restrict what is valid, and that are compared one by one elsewhere. */
export const comparedKeywords: ReadonlySet<string> = new Set([
  ...["type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems", "items", "prefixItems"],
  ...["properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"],
]);

/** Keywords that restrict what is valid, of which only "the same" and "gone" can be told. */
export const opaqueKeywords: readonly string[] = [
  ...["allOf", "not", "if", "then", "else", "contains", "minContains", "maxContains", "dependentRequired"],
  ...["dependentSchemas", "patternProperties", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef"],
];

/**
 * The types of values that a schema takes, `integer` apart from `number`: a number is both. What `enum` and `const` list
 * says as much as `type`.
 */
export function typesOf(schema: SchemaObject): ReadonlySet<JsonType> {
  return new Set(valuesOf(schema)?.map(typeOfValue) ?? namedTypes(schema));
}

function namedTypes({ type }: SchemaObject): ReadonlySet<JsonType> {
  const named = type === undefined ? allTypes : ((Array.isArray(type) ? type : [type]) as readonly JsonType[]);
  return new Set(named.includes("number") ? [...named, "integer"] : named);
}

function typeOfValue(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as "boolean" | "string" | "object";
}

/** The values that `enum` or `const` allow; null: any of its types. */
function valuesOf(schema: SchemaObject): readonly unknown[] | null {
  const { enum: values, const: only } = schema;
  const listed = only === undefined ? values : [only];
  if (!Array.isArray(listed)) return null;
  const types = namedTypes(schema);
  return listed.filter((value) => types.has(typeOfValue(value)));
}

/** What is different in the value itself: its type, its choices, its bounds, its text. Not in what it holds, if it holds something. */
export function classifyValueChanges(before: SchemaObject, after: SchemaObject): readonly ValueChange[] {
  const types = typesOf(before);
  const numbers = types.has("number") || types.has("integer");
  return [
    // Where values are listed, their types say nothing more.
    ...(valuesOf(after) === null ? typeChanges(types, typesOf(after)) : []),
    ...choiceChanges(before, after),
    ...(numbers ? numberChanges(before, after) : []),
    ...(types.has("string") ? textChanges(before, after) : []),
    ...(types.has("array") ? arrayChanges(before, after) : []),
    ...(types.has("object") ? countChanges(before, after, "Properties", "fields") : []),
    ...descriptionChanges(before, after),
  ];
}

function typeChanges(before: ReadonlySet<JsonType>, after: ReadonlySet<JsonType>): readonly ValueChange[] {
  const lost = [...before].filter((type) => !after.has(type));
  const won = [...after].filter((type) => !before.has(type));
  if (lost.length === 0 && won.length === 0) return [];
  return [{ level: lost.length > 0 ? "major" : "minor", detail: `must be ${names(after)} now, was ${names(before)}` }];
}

const typeNames: Readonly<Record<JsonType, string>> = {
  null: "null",
  boolean: "a boolean",
  integer: "a whole number",
  number: "a number",
  string: "a string",
  array: "an array",
  object: "an object",
};

function names(types: ReadonlySet<JsonType>): string {
  if (types.size === allTypes.length) return "anything";
  const shown = [...types].filter((type) => type !== "integer" || !types.has("number"));
  return shown.length === 0 ? "nothing" : shown.map((type) => typeNames[type]).join(" or ");
}

/** Values are of the schema, not of events, so they may be shown. */
function choiceChanges(before: SchemaObject, after: SchemaObject): readonly ValueChange[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  if (now === null) return old === null ? [] : [{ level: "minor", detail: "takes more than the listed values now" }];
  if (old === null) return [{ level: "major", detail: `must be one of ${list(now)} now` }];
  const lost = old.filter((value) => !now.some((other) => isDeepStrictEqual(value, other)));
  const won = now.filter((value) => !old.some((other) => isDeepStrictEqual(value, other)));
  return [
    ...(lost.length === 0 ? [] : [{ level: "major", detail: `does not take ${list(lost)} any more` } as const]),
    ...(won.length === 0 ? [] : [{ level: "minor", detail: `takes ${list(won)}, too` } as const]),
  ];
}

function list(values: readonly unknown[]): string {
  const texts = values.slice(0, 20).map((value) => JSON.stringify(value));
  return values.length <= 20 ? texts.join(", ") : `${texts.join(", ")} and ${values.length - 20} more`;
}

interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

function numberChanges(before: SchemaObject, after: SchemaObject): readonly ValueChange[] {
  return [
    ...boundChanges(bound(before, "Minimum", 1), bound(after, "Minimum", 1), 1),
    ...boundChanges(bound(before, "Maximum", -1), bound(after, "Maximum", -1), -1),
    ...multipleChanges(before["multipleOf"], after["multipleOf"]),
  ];
}

/** The tighter of `minimum` and `exclusiveMinimum`. `sign` 1 for a lower bound, -1 for an upper one. */
function bound(schema: SchemaObject, name: "Minimum" | "Maximum", sign: 1 | -1): Bound | null {
  const inclusive = schema[name.toLowerCase()];
  const exclusive = schema[`exclusive${name}`];
  const bounds = [
    ...(typeof inclusive === "number" ? [{ value: inclusive, exclusive: false }] : []),
    ...(typeof exclusive === "number" ? [{ value: exclusive, exclusive: true }] : []),
  ];
  return bounds.sort((left, right) => -tightness(left, right, sign))[0] ?? null;
}

/** Positive when `left` allows less. */
function tightness(left: Bound, right: Bound, sign: 1 | -1): number {
  return sign * (left.value - right.value) || Number(left.exclusive) - Number(right.exclusive);
}

function boundChanges(before: Bound | null, after: Bound | null, sign: 1 | -1): readonly ValueChange[] {
  const words = ({ value, exclusive }: Bound) =>
    exclusive ? `${sign === 1 ? "more" : "less"} than ${value}` : `at ${sign === 1 ? "least" : "most"} ${value}`;
  if (after === null)
    return before === null ? [] : [{ level: "minor", detail: `need not be ${words(before)} any more` }];
  if (before === null) return [{ level: "major", detail: `must be ${words(after)} now` }];
  const tighter = tightness(after, before, sign);
  if (tighter === 0) return [];
  return [{ level: tighter > 0 ? "major" : "minor", detail: `must be ${words(after)} now, was ${words(before)}` }];
}

function multipleChanges(before: unknown, after: unknown): readonly ValueChange[] {
  if (before === after) return [];
  if (typeof after !== "number") return [{ level: "minor", detail: `need not be a multiple of ${before} any more` }];
  const detail = `must be a multiple of ${after} now`;
  // Whole numbers alone: 0.3 is no multiple of 0.1 in doubles, whatever it is on paper.
  const wider = Number.isInteger(before) && Number.isInteger(after) && Number(before) % after === 0;
  return [{ level: wider ? "minor" : "major", detail }];
}

function textChanges(before: SchemaObject, after: SchemaObject): readonly ValueChange[] {
  const format = ruleChanges(before["format"], after["format"], "format");
  // A format brings its pattern with it: that is one change.
  const oneChange = format.length > 0 && (after["format"] !== undefined || after["pattern"] === undefined);
  const pattern = oneChange ? [] : ruleChanges(before["pattern"], after["pattern"], "pattern");
  return [...countChanges(before, after, "Length", "characters"), ...format, ...pattern];
}

function ruleChanges(before: unknown, after: unknown, what: string): readonly ValueChange[] {
  if (before === after) return [];
  if (after === undefined) return [{ level: "minor", detail: `need not have the ${what} ${before} any more` }];
  const how = before === undefined ? "" : `, was ${before}; ${what}s cannot be compared`;
  return [{ level: "major", detail: `must have the ${what} ${after} now${how}` }];
}

function arrayChanges(before: SchemaObject, after: SchemaObject): readonly ValueChange[] {
  const [old, now] = [before["uniqueItems"] === true, after["uniqueItems"] === true];
  const unique: readonly ValueChange[] =
    old === now
      ? []
      : [
          now
            ? { level: "major", detail: "must hold each element once now" }
            : { level: "minor", detail: "may hold an element more than once now" },
        ];
  return [...countChanges(before, after, "Items", "elements"), ...unique];
}

function countChanges(before: SchemaObject, after: SchemaObject, name: string, what: string): readonly ValueChange[] {
  return (["min", "max"] as const).flatMap((side): readonly ValueChange[] => {
    const [old, now] = [count(before[`${side}${name}`]), count(after[`${side}${name}`])];
    const words = `at ${side === "min" ? "least" : "most"}`;
    // No minimum is a minimum of 0; no maximum is one that nothing reaches.
    const nothing = side === "min" ? 0 : Number.POSITIVE_INFINITY;
    const [from, to] = [old ?? nothing, now ?? nothing];
    if (from === to) return [];
    const level = (side === "min" ? to > from : to < from) ? "major" : "minor";
    const was = old === null ? "" : `, was ${words} ${old}`;
    if (now === null) return [{ level, detail: `need not have ${words} ${old} ${what} any more` }];
    return [{ level, detail: `must have ${words} ${now} ${what} now${was}` }];
  });
}

function count(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** Words about a value that do not restrict it. */
export function descriptionChanges(before: SchemaObject, after: SchemaObject): readonly ValueChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(isAnnotation);
  const differing = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  return differing.length === 0 ? [] : [{ level: "patch", detail: `has another ${differing.join(", ")}` }];
}

/** Says something about a value without restricting it: `title`, `default`, or a word of the author's own. */
function isAnnotation(name: string): boolean {
  return !comparedKeywords.has(name) && !opaqueKeywords.includes(name) && !structureKeywords.has(name);
}

/** Keywords that are followed, or that only name things. */
export const structureKeywords: ReadonlySet<string> = new Set([
  ...[
    "anyOf",
    "oneOf",
    "$ref",
    "$defs",
    "definitions",
    "$schema",
    "$id",
    "id",
    "$anchor",
    "$dynamicAnchor",
    "$comment",
  ],
]);
