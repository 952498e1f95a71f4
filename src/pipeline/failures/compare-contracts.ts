import { isDeepStrictEqual } from "node:util";
import type { ContractChange } from "../../model/contract-change.ts";
import { jsonPointer, pointerParts } from "../process/json-pointer.ts";
import {
  classifyValueChanges,
  comparedKeywords,
  descriptionChanges,
  opaqueKeywords,
  type SchemaObject,
  typesOf,
  type ValueChange,
} from "./classify-change.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Every difference between two contracts (JSON Schema 2020-12) of a stream, with what it means to those who send. When no
 * change is `major`, an event that was valid is valid still.
 *
 * One thing is taken for granted: that events hold no fields that the old contract did not name. A new field that is not
 * required is then `minor`, although an event that has held it all along, with something else in it, would be refused; events
 * that are stored tell whether there are any. What cannot be compared (`allOf`, `if`, another pattern) is `major`, with a
 * detail that says so. References (`$ref`) are followed.
 */
export function compareContracts(before: JsonSchema, after: JsonSchema): readonly ContractChange[] {
  return new Comparison(before, after).compare(before, after, "");
}

/** A schema without `$ref` and booleans; null: nothing is valid. */
type Node = SchemaObject | null;

class Comparison {
  readonly #before: JsonSchema;
  readonly #after: JsonSchema;
  /** Pairs under comparison: a schema that holds itself is the same when the rest of it is. */
  readonly #open: (readonly [Node, Node])[] = [];

  constructor(before: JsonSchema, after: JsonSchema) {
    this.#before = before;
    this.#after = after;
  }

  compare(before: unknown, after: unknown, pointer: string): readonly ContractChange[] {
    const [old, now] = [nodeOf(before, this.#before), nodeOf(after, this.#after)];
    if (this.#open.some(([left, right]) => left === old && right === now)) return [];
    this.#open.push([old, now]);
    const changes = this.#compareNodes(old, now, pointer);
    this.#open.pop();
    return changes;
  }

  #compareNodes(before: Node, after: Node, pointer: string): readonly ContractChange[] {
    if (before === null || after === null) {
      if (before === after) return [];
      return [after === null ? major(pointer, "is refused now") : minor(pointer, "is taken now; it was refused")];
    }
    const [olds, nows] = [alternativesOf(before), alternativesOf(after)];
    if (olds !== null || nows !== null) return this.#compareUnions(before, after, pointer);
    const incomparable = this.#incomparable(before, after);
    if (incomparable !== null) return [{ pointer, ...incomparable }];
    const both = (type: "object" | "array") => typesOf(before).has(type) && typesOf(after).has(type);
    return [
      ...classifyValueChanges(before, after).map((change) => ({ pointer, ...change })),
      ...(both("object") ? this.#compareFields(before, after, pointer) : []),
      ...(both("array") ? this.#compareElements(before, after, pointer) : []),
    ];
  }

  /** What is to be said of keywords of which only "the same" and "gone" can be told. */
  #incomparable(before: SchemaObject, after: SchemaObject): ValueChange | null {
    const names = [...opaqueKeywords, ...nestedKeywords];
    // A named field may fit a pattern, too, and must then fit both.
    if (before["patternProperties"] !== undefined) names.push("properties", "additionalProperties");
    const differing = names.filter((name) => !this.#same(before[name], after[name]));
    if (differing.length === 0) return null;
    const words = differing.join(", ");
    const gone = differing.every((name) => removable.has(name) && after[name] === undefined);
    if (gone && isDeepStrictEqual(without(before, differing), after)) {
      return { level: "minor", detail: `is not restricted by ${words} any more` };
    }
    return { level: "major", detail: `cannot be compared: ${words} is different` };
  }

  /** Whether two parts are the same, down to what they refer to. */
  #same(before: unknown, after: unknown): boolean {
    if (!isDeepStrictEqual(before, after)) return false;
    const refers = before !== undefined && JSON.stringify(before).includes('"$ref"');
    return !refers || isDeepStrictEqual(this.#before, this.#after);
  }

  #compareFields(before: SchemaObject, after: SchemaObject, pointer: string): readonly ContractChange[] {
    const [olds, nows] = [fieldsOf(before), fieldsOf(after)];
    const [oldRest, nowRest] = [restOf(before), restOf(after)];
    const wasRequired = namesOf(before["required"]);
    const isRequired = namesOf(after["required"]);
    const changes: ContractChange[] = [];
    for (const name of new Set([...olds.keys(), ...nows.keys(), ...wasRequired, ...isRequired])) {
      const place = jsonPointer([name], pointer);
      if (isRequired.has(name) && !wasRequired.has(name)) changes.push(major(place, "is required now"));
      else if (wasRequired.has(name) && !isRequired.has(name)) changes.push(minor(place, "is not required any more"));
      if (olds.has(name) && nows.has(name)) changes.push(...this.compare(olds.get(name), nows.get(name), place));
      else if (olds.has(name)) changes.push(...this.#unnamed(olds.get(name), nowRest, place));
      else if (nows.has(name)) changes.push(...this.#named(oldRest, nows.get(name), place, isRequired.has(name)));
    }
    return [...changes, ...this.#compareRest(oldRest, nowRest, pointer), ...this.#compareNames(before, after, pointer)];
  }

  /** A field that the contract does not name any more. */
  #unnamed(before: unknown, rest: unknown, place: string): readonly ContractChange[] {
    if (nodeOf(rest, this.#after) === null)
      return [major(place, "is not a field of the contract any more, and is refused")];
    if (isOpen(rest)) return [minor(place, "is not described any more, and is taken as it comes")];
    return this.compare(before, rest, place);
  }

  /** A field that the contract did not name. */
  #named(rest: unknown, after: unknown, place: string, required: boolean): readonly ContractChange[] {
    if (nodeOf(after, this.#after) === null) return [major(place, "is refused now")];
    if (isOpen(rest) || nodeOf(rest, this.#before) === null) {
      return required ? [] : [minor(place, "is a new field, which is not required")];
    }
    return this.compare(rest, after, place);
  }

  /** The fields that are not named. */
  #compareRest(before: unknown, after: unknown, pointer: string): readonly ContractChange[] {
    const place = `${pointer}/*`;
    const [closed, closes] = [nodeOf(before, this.#before) === null, nodeOf(after, this.#after) === null];
    if (closed && closes) return [];
    if (closes) return [major(place, "is refused now: only named fields are taken")];
    if (closed) return [minor(place, "is taken now: fields need not be named any more")];
    return isOpen(before) && isOpen(after) ? [] : this.compare(before, after, place);
  }

  #compareNames(before: SchemaObject, after: SchemaObject, pointer: string): readonly ContractChange[] {
    const [old, now] = [before["propertyNames"], after["propertyNames"]];
    if (now === undefined) return old === undefined ? [] : [minor(pointer, "may have fields of any name now")];
    const changes = this.compare(old ?? {}, now, pointer);
    return changes.map(({ level, detail }) => ({
      level,
      pointer,
      detail: `has names of fields, each of which ${detail}`,
    }));
  }

  #compareElements(before: SchemaObject, after: SchemaObject, pointer: string): readonly ContractChange[] {
    const [olds, nows] = [tupleOf(before), tupleOf(after)];
    const changes: ContractChange[] = [];
    for (let index = 0; index < Math.max(olds.length, nows.length); index++) {
      const [old, now] = [olds[index] ?? restItems(before), nows[index] ?? restItems(after)];
      changes.push(...this.compare(old, now, `${pointer}/${index}`));
    }
    return [...changes, ...this.compare(restItems(before), restItems(after), `${pointer}/*`)];
  }

  /** Each form that was taken must be taken by a form that is there now. */
  #compareUnions(before: SchemaObject, after: SchemaObject, pointer: string): readonly ContractChange[] {
    if (this.#same(before, after)) return [];
    const olds = alternativesOf(before) ?? [before];
    const nows = alternativesOf(after) ?? [after];
    if (after["oneOf"] !== undefined && !this.#areApart(nows)) {
      return [major(pointer, "cannot be compared: its forms (oneOf) may overlap")];
    }
    const taken = new Set<unknown>();
    const changes = olds.flatMap((old) => {
      const label = this.#labelOf(old, this.#before);
      const same = label === null ? [] : nows.filter((now) => this.#labelOf(now, this.#after) === label);
      const labelled = label !== null && nows.every((now) => this.#labelOf(now, this.#after) !== null);
      if (labelled && same.length === 0) return [major(pointer, `does not take the form with ${label} any more`)];
      const tries = (same.length > 0 ? same : nows).map((now) => ({ now, changes: this.compare(old, now, pointer) }));
      const [best] = tries.sort((left, right) => weight(left.changes) - weight(right.changes));
      if (best === undefined) return [major(pointer, "is refused now")];
      taken.add(best.now);
      return best.changes;
    });
    const others = nows.length - taken.size;
    const won =
      others > 0 ? [minor(pointer, others === 1 ? "takes another form, too" : `takes ${others} more forms`)] : [];
    const words = descriptionChanges(before, after).map((change) => ({ pointer, ...change }));
    return [...distinct(changes), ...won, ...(olds.length > 1 && nows.length > 1 ? words : [])];
  }

  /** What tells one form from others: its first required field that has one value. */
  #labelOf(form: unknown, root: JsonSchema): string | null {
    const node = nodeOf(form, root);
    if (node === null) return null;
    const name = [...namesOf(node["required"])].find((one) => constOf(node, one, root) !== undefined);
    return name === undefined ? null : `${name} ${constOf(node, name, root)}`;
  }

  /** Whether no value fits two of the forms: all are objects, told apart by a required field with one value each. */
  #areApart(alternatives: readonly unknown[]): boolean {
    const nodes = alternatives.map((one) => nodeOf(one, this.#after));
    const [first] = nodes;
    if (first === null || first === undefined) return false;
    return [...namesOf(first["required"])].some((name) => {
      const values = nodes.map((node) => {
        const isObject = node !== null && node["type"] === "object" && namesOf(node["required"]).has(name);
        return isObject ? constOf(node, name, this.#after) : undefined;
      });
      return values.every((value) => value !== undefined) && new Set(values).size === values.length;
    });
  }
}

/** Without these more is valid, whatever else there is but `unevaluated…`, which then is a difference, too. */
const removable: ReadonlySet<string> = new Set([
  ...["allOf", "not", "if", "then", "else", "contains", "dependentRequired", "dependentSchemas"],
]);
/** Followed where they stand alone; beside other restrictions only "the same" can be told. */
const nestedKeywords = ["anyOf", "oneOf", "$ref"];
const majorWeight = 1_000;

function weight(changes: readonly ContractChange[]): number {
  return changes.reduce((sum, { level }) => sum + (level === "major" ? majorWeight : 1), 0);
}

function major(pointer: string, detail: string): ContractChange {
  return { level: "major", pointer, detail };
}

function minor(pointer: string, detail: string): ContractChange {
  return { level: "minor", pointer, detail };
}

function distinct(changes: readonly ContractChange[]): readonly ContractChange[] {
  return [...new Map(changes.map((change) => [`${change.pointer} ${change.detail}`, change])).values()];
}

function nodeOf(schema: unknown, root: JsonSchema, hops = 0): Node {
  if (schema === false) return null;
  if (typeof schema !== "object" || schema === null) return anything;
  const node = schema as SchemaObject;
  if (isDeepStrictEqual(node["not"], {})) return null;
  const reference = node["$ref"];
  // A reference beside other restrictions stays, and is compared as it is written.
  if (typeof reference !== "string" || restrictions(node).length > 0 || hops > hopsMax) return node;
  const target = reference.startsWith("#") ? resolved(root, pointerParts(reference.slice(1))) : undefined;
  return target === undefined ? node : nodeOf(target, root, hops + 1);
}

const anything: SchemaObject = {};
/** References to references; a circle of nothing else means nothing. */
const hopsMax = 50;

function resolved(root: JsonSchema, parts: readonly string[]): unknown {
  let value: unknown = root;
  for (const part of parts) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, part) ? Reflect.get(value, part) : undefined;
  }
  return value;
}

function restrictions(schema: SchemaObject): readonly string[] {
  return Object.keys(schema).filter((name) => comparedKeywords.has(name) || opaqueKeywords.includes(name));
}

/** The forms of a union; null when it is none, or has restrictions of its own beside them. */
function alternativesOf(schema: SchemaObject): readonly unknown[] | null {
  const { anyOf, oneOf } = schema;
  if ((anyOf === undefined) === (oneOf === undefined) || restrictions(schema).length > 0) return null;
  const forms = anyOf ?? oneOf;
  return Array.isArray(forms) && schema["$ref"] === undefined ? forms : null;
}

function fieldsOf(schema: SchemaObject): ReadonlyMap<string, unknown> {
  return new Map(Object.entries((schema["properties"] ?? {}) as Record<string, unknown>));
}

/** The schema of fields that are not named. */
function restOf(schema: SchemaObject): unknown {
  return schema["additionalProperties"] ?? true;
}

function isOpen(schema: unknown): boolean {
  return schema === true || (typeof schema === "object" && schema !== null && Object.keys(schema).length === 0);
}

function namesOf(required: unknown): ReadonlySet<string> {
  return new Set(Array.isArray(required) ? (required as string[]) : []);
}

/** The one value of a field, as JSON text; undefined when it may have others. */
function constOf(schema: SchemaObject, name: string, root: JsonSchema): string | undefined {
  return JSON.stringify(nodeOf(fieldsOf(schema).get(name), root)?.["const"]);
}

function tupleOf(schema: SchemaObject): readonly unknown[] {
  return Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : [];
}

/** The schema of the elements behind those of the tuple. */
function restItems(schema: SchemaObject): unknown {
  return schema["items"] ?? true;
}

function without(schema: SchemaObject, names: readonly string[]): SchemaObject {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}
