import type { ErrorObject } from "ajv";
import type { ErrorDetail } from "../../model/error.ts";
import { jsonPointer } from "./json-pointer.ts";

/**
 * Ajv's errors (made with `verbose`) as details in words: "must be a number, is a string". Of the alternatives of a union only
 * the closest is explained. Texts from the event are never quoted; numbers are, unless `isPersonal` covers their place.
 */
export function describeViolations(
  violations: readonly ErrorObject[],
  isPersonal: (pointer: string) => boolean,
  detailsMax: number,
): readonly ErrorDetail[] {
  const details: ErrorDetail[] = [];
  const known = new Set<string>();
  for (const violation of closestAlternatives(violations)) {
    const pointer = pointerOf(violation);
    const detail = textOf(violation, isPersonal(pointer));
    const place = `${pointer} ${detail}`;
    if (known.has(place)) continue;
    known.add(place);
    details.push({ pointer, code: "CONTRACT_BROKEN", detail });
    if (details.length === detailsMax) break;
  }
  return details;
}

const unionKeywords = new Set(["anyOf", "oneOf"]);

/** Replaces each failed union and the errors of all its branches by the errors of the branch that came closest. */
function closestAlternatives(violations: readonly ErrorObject[]): readonly ErrorObject[] {
  const left: ErrorObject[] = [];
  for (const violation of violations) {
    if (!unionKeywords.has(violation.keyword)) {
      left.push(violation);
      continue;
    }
    // Ajv reports the branches right before the union, inner unions before outer ones: one pass resolves them inside out.
    const start = 1 + left.findLastIndex((other) => !isInside(other, violation));
    const branches = Map.groupBy(left.splice(start), (other) => branchOf(other, violation));
    const closest = [...branches.values()].sort((a, b) => distance(a, violation) - distance(b, violation))[0];
    const explains = closest?.some(
      (other) => other.instancePath !== violation.instancePath || other.keyword !== "type",
    );
    left.push(...(closest !== undefined && explains ? closest : [violation]));
  }
  return left;
}

function isInside(other: ErrorObject, union: ErrorObject): boolean {
  return other.schemaPath.startsWith(`${union.schemaPath}/`) && other.instancePath.startsWith(union.instancePath);
}

function branchOf(other: ErrorObject, union: ErrorObject): string {
  return other.schemaPath.slice(union.schemaPath.length + 1).split("/", 1)[0] ?? "";
}

/** A wrong discriminator (const) rules a branch out more than any number of broken fields; a wrong type of the whole, even more. */
function distance(branch: readonly ErrorObject[], union: ErrorObject): number {
  let sum = branch.length;
  for (const { keyword, instancePath } of branch) {
    if (keyword === "const" || keyword === "enum") sum += 100;
    if (keyword === "type" && instancePath === union.instancePath) sum += 10_000;
  }
  return sum;
}

function pointerOf(violation: ErrorObject): string {
  const { instancePath, keyword, params } = violation;
  if (keyword === "required") return jsonPointer([String(params["missingProperty"])], instancePath);
  if (keyword === "additionalProperties") return jsonPointer([String(params["additionalProperty"])], instancePath);
  return instancePath;
}

function textOf({ keyword, params, data, parentSchema, message }: ErrorObject, personal: boolean): string {
  const is = personal || typeof data !== "number" ? "" : `, is ${data}`;
  switch (keyword) {
    case "type":
      return `must be ${typeNames(params["type"])}, is ${typeof data === "number" && !personal ? `the number ${data}` : kindOf(data)}`;
    case "required":
      return "is missing";
    case "additionalProperties":
      return "is not a field of the contract";
    case "enum":
      return `must be one of ${listOf(params["allowedValues"])}${is}`;
    case "const":
      return `must be ${JSON.stringify(params["allowedValue"])}${is}`;
    case "minLength":
      return `must have at least ${characters(params["limit"])}, has ${[...String(data)].length}`;
    case "maxLength":
      return `must have at most ${characters(params["limit"])}, has ${[...String(data)].length}`;
    case "minItems":
      return `must have at least ${elements(params["limit"])}, has ${lengthOf(data)}`;
    case "maxItems":
      return `must have at most ${elements(params["limit"])}, has ${lengthOf(data)}`;
    case "minimum":
      return `must be at least ${params["limit"]}${is}`;
    case "maximum":
      return `must be at most ${params["limit"]}${is}`;
    case "exclusiveMinimum":
      return `must be greater than ${params["limit"]}${is}`;
    case "exclusiveMaximum":
      return `must be less than ${params["limit"]}${is}`;
    case "pattern":
      return patternText(parentSchema?.["format"], params["pattern"]);
    case "anyOf":
    case "oneOf":
      return `fits none of the alternatives of the contract, is ${kindOf(data)}`;
    default:
      return message ?? "does not fit the contract";
  }
}

const formatTexts: Readonly<Record<string, string>> = {
  "date-time": "a date and time such as 2026-01-31T12:00:00Z",
  date: "a date such as 2026-01-31",
  duration: "a duration such as PT30M",
  email: "an email address",
  uuid: "a UUID",
  ipv4: "an IPv4 address",
};

function patternText(format: unknown, pattern: unknown): string {
  if (typeof format === "string") return `must be ${formatTexts[format] ?? `of the format ${format}`}`;
  const text = String(pattern);
  return `must match the pattern ${text.length <= 100 ? text : `${text.slice(0, 100)}…`}`;
}

const typeTexts: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  integer: "a whole number",
  boolean: "a boolean",
  object: "an object",
  array: "an array",
  null: "null",
};

function typeNames(types: unknown): string {
  const names = (Array.isArray(types) ? types : [types]).map((type) => typeTexts[String(type)] ?? String(type));
  return names.join(" or ");
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : (typeTexts[typeof value] ?? "missing");
}

function listOf(values: unknown): string {
  const texts = (Array.isArray(values) ? values : [values]).map((value) => JSON.stringify(value));
  return texts.length <= 20 ? texts.join(", ") : `${texts.slice(0, 20).join(", ")} and ${texts.length - 20} more`;
}

const characters = (count: unknown) => (count === 1 ? "1 character" : `${count} characters`);
const elements = (count: unknown) => (count === 1 ? "1 element" : `${count} elements`);
const lengthOf = (value: unknown) => (Array.isArray(value) ? value.length : 0);
