import { pointerParts } from "../process/json-pointer.ts";
import { isIndex, memberAt } from "../process/value-at.ts";

/** A whole JSON value that is about to be changed, held so that the value itself has a place, too. */
export interface JsonRoot {
  root: unknown;
}

/** Where a JSON Pointer leads: what holds the value, and under which key. `holder` is undefined when there is no such place. */
export interface JsonPlace {
  readonly holder: unknown;
  readonly key: string;
  /** Undefined: nothing is there. */
  readonly value: unknown;
}

export function isPointer(text: unknown): text is string {
  return typeof text === "string" && /^(?:\/(?:[^~/]|~[01])*)*$/.test(text);
}

export function placeAt(document: JsonRoot, pointer: string): JsonPlace {
  let holder: unknown = document;
  let key = "root";
  for (const part of pointerParts(pointer)) {
    holder = memberAt(holder, key);
    key = part;
  }
  return { holder, key, value: memberAt(holder, key) };
}

/**
 * Puts a value at a place as JSON Patch's `add` does: a property is set, an element is inserted ("-": at the end). False when the
 * place cannot hold one.
 */
export function addAt({ holder, key }: JsonPlace, value: unknown): boolean {
  if (typeof holder !== "object" || holder === null) return false;
  if (!Array.isArray(holder)) {
    setKey(holder, key, value);
    return true;
  }
  const index = key === "-" ? holder.length : isIndex(key) ? Number(key) : Number.POSITIVE_INFINITY;
  if (index > holder.length) return false;
  holder.splice(index, 0, value);
  return true;
}

/** Sets what is at a place that is there: of an object or an array. */
export function replaceAt({ holder, key }: JsonPlace, value: unknown): void {
  setKey(holder as object, key, value);
}

/** Takes away what is at a place that is there; later elements of an array move up. */
export function removeAt({ holder, key }: JsonPlace): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else Reflect.deleteProperty(holder as object, key);
}

/** An assignment to `__proto__` would change the prototype; here it is data. */
function setKey(holder: object, key: string, value: unknown): void {
  if (key !== "__proto__") (holder as Record<string, unknown>)[key] = value;
  else Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

/**
 * What JSON cannot keep of a value that was parsed, in words; null when there is nothing: more than `depthMax` levels, or a number
 * beyond 1.8e308 (`JSON.parse` makes it an infinity, `JSON.stringify` null).
 */
export function valueProblem(value: unknown, depthMax: number): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? null : "holds a number that is too large to be kept";
  if (typeof value !== "object" || value === null) return null;
  if (depthMax === 0) return "is nested too deeply";
  for (const inner of Object.values(value)) {
    const problem = valueProblem(inner, depthMax - 1);
    if (problem !== null) return problem;
  }
  return null;
}
