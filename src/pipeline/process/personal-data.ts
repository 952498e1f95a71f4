import type { ErrorDetail } from "../../model/error.ts";
import { fieldPath } from "./field-path.ts";
import { pointerParts } from "./json-pointer.ts";

/** Knows which parts of an event are personal, and keeps their values out of texts. */
export interface PersonalData {
  /** Whether a JSON Pointer leads to a personal field or into one. */
  covers(pointer: string): boolean;
  /** The same, or on the way to one: a scalar there may be the personal value, in the wrong shape. */
  touches(pointer: string): boolean;
  /** The details with every text replaced that a library wrote and that may quote a personal value of this event. */
  conceal(details: readonly ErrorDetail[], event: unknown): readonly ErrorDetail[];
}

const concealed = "does not fit the contract; the reason is not shown because it may quote personal data";

/** `paths`: dotted paths as in a stream's `pii`. Lists are passed through: `people.email` is the email of every one of `people`. */
export function personalData(paths: readonly string[]): PersonalData {
  const fields = paths.map(fieldPath);
  const covers = (pointer: string) =>
    fields.some((field) => partsMatched(pointerParts(pointer), field) === field.length);
  return {
    covers,
    touches: (pointer) => fields.some((field) => partsMatched(pointerParts(pointer), field) !== null),
    conceal(details, event) {
      if (fields.length === 0) return details;
      const values = fields.flatMap((field) => valuesAt(event, field));
      const quotes = (text: string) => values.some((value) => text.includes(value));
      return details.map((detail) =>
        covers(detail.pointer) || quotes(detail.detail) ? { ...detail, detail: concealed } : detail,
      );
    },
  };
}

/** How many parts of a field's path a pointer goes along; null when it leads elsewhere. Indexes of lists are passed through. */
function partsMatched(parts: readonly string[], field: readonly string[]): number | null {
  let matched = 0;
  for (const part of parts) {
    if (matched === field.length) break;
    if (part === field[matched]) matched += 1;
    else if (!/^\d+$/.test(part)) return null;
  }
  return matched;
}

/** Every scalar at or below a path, as text; also one that stands where the path expects more. */
function valuesAt(value: unknown, field: readonly string[]): readonly string[] {
  if (typeof value !== "object" || value === null) {
    return value === null || value === undefined || value === "" ? [] : [String(value)];
  }
  if (Array.isArray(value)) return value.flatMap((element) => valuesAt(element, field));
  const [name, ...rest] = field;
  if (name === undefined) return Object.values(value).flatMap((inner) => valuesAt(inner, []));
  return Object.hasOwn(value, name) ? valuesAt(Reflect.get(value, name), rest) : [];
}
