import type { Condition } from "../../model/page.ts";

/**
 * Whether all conditions hold for the data of a record, as `RecordQuery.where` says. Numbers are compared exactly, integers
 * of up to 18 digits too that a double would round.
 */
export function conditionMatcher(conditions: readonly Condition[]): (dataJson: string) => boolean {
  const tests = conditions.map(conditionTest);
  return (dataJson) => {
    const data = parseData(dataJson);
    return tests.every((holds) => holds(data));
  };
}

function conditionTest({ field, operator, value }: Condition): (data: unknown) => boolean {
  const path = field.split(".");
  if (operator === "exists") return (data) => (valueAt(data, path) !== undefined) === (value !== "false");
  const number = parseNumber(value);
  const bytes = Buffer.from(value);
  const compare = (stored: unknown) =>
    number !== null && (typeof stored === "number" || typeof stored === "bigint")
      ? compareNumbers(stored, number)
      : Buffer.compare(Buffer.from(textOf(stored)), bytes);
  return (data) => {
    const stored = valueAt(data, path);
    if (stored === undefined) return operator === "ne";
    if (operator === "contains") return textOf(stored).includes(value);
    return passes[operator](compare(stored));
  };
}

const passes = {
  eq: (order: number) => order === 0,
  ne: (order: number) => order !== 0,
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
} as const;

/** JSON as values; integers of 16 to 18 digits, which only a failure's payload has, as bigints. */
function parseData(json: string): unknown {
  // Few texts have so many digits in a row, and a reviver costs several times the parsing.
  return /\d{16}/.test(json) ? JSON.parse(json, exactInteger) : JSON.parse(json);
}

/** https://github.com/tc39/proposal-json-parse-with-source */
function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source ?? "";
  return typeof value === "number" && /^-?\d{16,18}$/.test(source) ? BigInt(source) : value;
}

/** What lies at a path through objects; undefined when there is nothing. JSON has no undefined of its own. */
function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? Number(part) : part));
}

/** JavaScript compares a number with a bigint by what they are, without rounding either. */
function compareNumbers(left: number | bigint, right: number | bigint): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** Integers of up to 18 digits exactly, other JSON numbers as doubles; null for what is no JSON number. */
function parseNumber(text: string): number | bigint | null {
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return null;
  return /^-?\d{1,18}$/.test(text) ? BigInt(text) : Number(text);
}
