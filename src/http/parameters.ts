import * as z from "zod";
import { type ErrorDetail, EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { type Condition, type ConditionOperator, conditionOperators } from "../model/page.ts";
import { described } from "./described.ts";

export type Shape = Readonly<Record<string, z.ZodType>>;
export type Values<S extends Shape> = { readonly [Name in keyof S]: z.output<S[Name]> };

/** A time: RFC 3339 text in, milliseconds since 1970 out. */
export function timeParameter(description: string) {
  const schema = z.iso
    .datetime({ offset: true, error: 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z (a "+" is %2B in a URL)' })
    .transform((text) => Date.parse(text))
    .optional();
  return described(`${description} RFC 3339.`, schema, { type: "string", format: "date-time" });
}

/** A whole number in decimal digits; nothing else is a number here, not even "1e3". */
export function wholeNumberParameter(description: string, min: number, max: number, fallback: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  const number = z.int({ error }).min(min, { error }).max(max, { error });
  const schema = z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .pipe(number)
    .default(fallback);
  return described(description, schema);
}

export function choiceParameter<const Choice extends string>(description: string, choices: readonly Choice[]) {
  return described(description, z.enum(choices, { error: `must be one of ${choices.join(", ")}` }).optional());
}

export function textParameter(description: string, charactersMax = 256) {
  const error = `must have 1 to ${charactersMax} characters`;
  return described(description, z.string().min(1, { error }).max(charactersMax, { error }).optional());
}

/** `true` or `false`; false when it is left out. */
export function booleanParameter(description: string) {
  const schema = z
    .enum(["true", "false"], { error: "must be true or false" })
    .transform((text) => text === "true")
    .default(false);
  return described(description, schema, { type: "boolean" });
}

export const orderParameter = described(
  "Newest or oldest first.",
  z.enum(["asc", "desc"], { error: "must be asc or desc" }).default("desc"),
);

/** Longest reason that is kept: a few sentences. */
export const reasonCharactersMax = 1_000;

/** Why somebody does what they ask for; it becomes part of the audit entry. */
export const reasonParameter = textParameter(
  "Why, for those who look later; kept in the audit log.",
  reasonCharactersMax,
);

/** Throws PARAMETER_INVALID when a range is empty or turned around: it would answer with nothing, as if there were nothing. */
export function checkRange(from: number | null | undefined, to: number | null | undefined): void {
  if (from === null || from === undefined || to === null || to === undefined || from < to) return;
  throw invalidParameters([
    { pointer: "/query/from", code: "PARAMETER_INVALID", detail: '"from" must be before "to"' },
  ]);
}

/** What every list takes. */
export const pageParameters = {
  limit: wholeNumberParameter("Rows in the page at most.", 1, limits.pageRowsMax, limits.pageRowsDefault),
  cursor: textParameter("`page.next` of the page before; the other parameters must be the same.", 2_000),
};

export interface ParsedQuery<S extends Shape> {
  readonly values: Values<S>;
  readonly conditions: readonly Condition[];
}

/**
 * The query of a URL. Throws PARAMETER_UNKNOWN for a name that is not in `shape` (a filter with a typing error must not
 * give everything), and PARAMETER_INVALID for a bad value, a name given twice, or bytes that are not UTF-8.
 */
export function parseQuery<S extends Shape>(url: string, shape: S, takesConditions: boolean): ParsedQuery<S> {
  const given: Record<string, string> = Object.create(null);
  const conditions: Condition[] = [];
  for (const [name, value] of new URLSearchParams(queryOf(url))) {
    if (takesConditions && name.startsWith("where[")) conditions.push(parseCondition(name, value));
    else if (!Object.hasOwn(shape, name)) throw unknownParameter(name, shape, takesConditions);
    else if (given[name] !== undefined) throw invalidParameters([detailOf("query", name, "must be given once")]);
    else given[name] = value;
  }
  if (conditions.length > limits.conditionsMax) {
    throw invalidParameters([detailOf("query", "where", `takes up to ${limits.conditionsMax} conditions`)]);
  }
  return { values: parseValues(given, shape, "query"), conditions };
}

/** Fits texts to a shape. `place` is for the messages. Throws PARAMETER_INVALID with every mistake. */
export function parseValues<S extends Shape>(
  given: Readonly<Record<string, string>>,
  shape: S,
  place: "query" | "path",
): Values<S> {
  const values: Record<string, unknown> = {};
  const errors: ErrorDetail[] = [];
  for (const [name, schema] of Object.entries(shape)) {
    const result = schema.safeParse(given[name]);
    if (result.success) values[name] = result.data;
    else
      errors.push(
        detailOf(
          place,
          name,
          given[name] === undefined ? "is required" : (result.error.issues[0]?.message ?? "is not valid"),
        ),
      );
  }
  if (errors.length > 0) throw invalidParameters(errors);
  return values as Values<S>;
}

/** The query's text. URLSearchParams would put U+FFFD where the bytes are no UTF-8, and then look for something else. */
function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start < 0) return "";
  const query = url.slice(start + 1).split("#")[0] ?? "";
  try {
    decodeURIComponent(query);
  } catch {
    const detail = 'The query must be percent-encoded UTF-8; a "%" itself is %25';
    throw invalidParameters([{ pointer: "/query", code: "PARAMETER_INVALID", detail }]);
  }
  return query;
}

/** `where[total][gte]` and its value. */
function parseCondition(name: string, value: string): Condition {
  const split = name.lastIndexOf("][");
  const field = name.slice("where[".length, split);
  const operator = name.slice(split + 2, -1);
  if (split < 0 || !name.endsWith("]") || field === "" || field.length > limits.fieldCharactersMax) {
    throw invalidParameters([detailOf("query", "where", "has the form where[field][operator]=value")]);
  }
  if (!isOperator(operator)) {
    throw invalidParameters([detailOf("query", "where", `takes the operators ${conditionOperators.join(", ")}`)]);
  }
  if (operator === "exists" && value !== "true" && value !== "false") {
    throw invalidParameters([detailOf("query", "where", "takes true or false after exists")]);
  }
  return { field, operator, value };
}

function isOperator(text: string): text is ConditionOperator {
  return (conditionOperators as readonly string[]).includes(text);
}

function detailOf(place: string, name: string, detail: string): ErrorDetail {
  return { pointer: `/${place}/${name}`, code: "PARAMETER_INVALID", detail: `"${name}" ${detail}` };
}

export function invalidParameters(errors: readonly ErrorDetail[]): EventPulseError {
  return new EventPulseError("PARAMETER_INVALID", `${errors.map(({ detail }) => detail).join("; ")}.`, { errors });
}

function unknownParameter(name: string, shape: Shape, takesConditions: boolean): EventPulseError {
  const known = [...Object.keys(shape), ...(takesConditions ? ["where[field][operator]"] : [])];
  const shown = JSON.stringify(name.slice(0, 80));
  const detail =
    known.length === 0
      ? `${shown}: this operation takes no parameters.`
      : `${shown} is not one of: ${known.join(", ")}.`;
  const errors = [{ pointer: `/query/${name.slice(0, 80)}`, code: "PARAMETER_UNKNOWN", detail }];
  return new EventPulseError("PARAMETER_UNKNOWN", `The query parameter ${detail}`, { errors });
}
