import type { StreamDefinition, TransformContext } from "../../model/definition.ts";
import { EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { jsonPointer } from "./json-pointer.ts";

/** What one event became: no result (dropped on purpose), one, or many. Not checked yet: see `serialise`. */
export interface Transformed {
  readonly results: readonly unknown[];
}

/**
 * Applies a stream's transform to one judged event: null or undefined drops it, an array is many results, all else is one.
 * A stream without a transform keeps the event as it is. What the transform throws (or rejects with) passes through; the
 * caller classifies it. `value` must belong to this call alone: a transform may change it in place.
 */
export function applyTransform(
  definition: Pick<StreamDefinition, "transform">,
  value: unknown,
  context: TransformContext,
): Transformed | Promise<Transformed> {
  if (definition.transform === null) return { results: [value] };
  const returned = definition.transform(value, context);
  return isThenable(returned) ? Promise.resolve(returned).then(transformed) : transformed(returned);
}

function transformed(returned: unknown): Transformed {
  if (returned === null || returned === undefined) return { results: [] };
  return { results: Array.isArray(returned) ? returned : [returned] };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/**
 * A result of a transform as the JSON text that becomes the record. Refuses what `JSON.stringify` would change without a
 * word: functions, symbols, BigInt, NaN and infinities (they become null), undefined inside an array (null), Map and Set and
 * their like ("{}"), an invalid Date (null), and cycles or more than `limits.jsonDepthMax` levels; and more than
 * `limits.recordBytesMax`. An undefined field is left out: in JSON that is what it means, and `{ ...order, note: order.note }` is
 * how transforms are written.
 *
 * Throws TRANSFORM_RESULT_INVALID with a pointer into the result.
 */
export function serialise(result: unknown): string {
  if (typeof result !== "object" || result === null || Array.isArray(result)) {
    throw refuse(
      "",
      `must be an object, is ${nameOf(result)}; return an object, an array of objects, or null to drop the event`,
    );
  }
  check(result, "", []);
  const json = JSON.stringify(result);
  const max = limits.recordBytesMax;
  // A character has at most three bytes: most results need no counting.
  if (json.length * 3 > max && Buffer.byteLength(json) > max) {
    throw refuse(
      "",
      `has ${Buffer.byteLength(json)} bytes as JSON, and a record holds ${max}; keep less, or return several`,
    );
  }
  return json;
}

function check(value: unknown, pointer: string, ancestors: readonly object[]): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value))
        throw refuse(pointer, `is ${value}, which JSON cannot hold; use null or leave the field out`);
      return;
    case "object":
      if (value !== null) checkObject(value, pointer, ancestors);
      return;
    default:
      throw refuse(pointer, `is ${nameOf(value)}, which JSON cannot hold; ${remedy(value)}`);
  }
}

function checkObject(value: object, pointer: string, ancestors: readonly object[]): void {
  if (ancestors.includes(value))
    throw refuse(pointer, "refers back to an object that holds it; a record cannot hold a cycle");
  if (ancestors.length >= limits.jsonDepthMax) {
    throw refuse(pointer, `is nested deeper than ${limits.jsonDepthMax} levels; flatten the result`);
  }
  const inner = [...ancestors, value];
  if ("toJSON" in value && typeof value.toJSON === "function") {
    if (value instanceof Date && Number.isNaN(value.getTime()))
      throw refuse(pointer, "is an invalid Date; check what it was made from");
    check(value.toJSON(), pointer, inner);
    return;
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) check(value[index], `${pointer}/${index}`, inner);
    return;
  }
  if (isOpaque(value)) {
    throw refuse(
      pointer,
      `is a ${value.constructor.name}, whose content JSON would lose; turn it into an object or an array`,
    );
  }
  for (const key of Object.keys(value)) {
    const field: unknown = Reflect.get(value, key);
    if (typeof field === "string" || field === undefined) continue;
    check(field, jsonPointer([key], pointer), inner);
  }
}

/** Objects whose content is not in their own enumerable fields. */
function isOpaque(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return false;
  return (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof Promise ||
    value instanceof RegExp ||
    value instanceof Error ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value)
  );
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value === undefined) return "undefined";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function remedy(value: unknown): string {
  if (typeof value === "bigint") return "use Number(value) or String(value)";
  return value === undefined ? "use null or leave the element out" : "remove it";
}

function refuse(pointer: string, detail: string): EventPulseError {
  const where = pointer === "" ? "The result of the transform" : `The result of the transform at ${pointer}`;
  return new EventPulseError("TRANSFORM_RESULT_INVALID", `${where} ${detail}.`, {
    errors: [{ pointer, code: "TRANSFORM_RESULT_INVALID", detail }],
  });
}
