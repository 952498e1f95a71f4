import type { Condition } from "../../model/page.ts";

/**
 * Whether all conditions hold for the data of a record, as `RecordQuery.where` says. Numbers are compared exactly, integers
 * of up to 18 digits too that a double would round.
 */
export function conditionMatcher(conditions: readonly Condition[]): (dataJson: string) => boolean {
  const tests = conditions.map(conditionTest);
  return (dataJson) => {
    const data: unknown = JSON.parse(dataJson);
    return tests.every((holds) => holds(data));
  };
}

function conditionTest({ field, operator, value }: Condition): (data: unknown) => boolean {
  const path = field.split(".");
  if (operator === "exists") return (data) => (valueAt(data, path) !== undefined) === (value !== "false");
  const number = parseNumber(value);
  const bytes = Buffer.from(value);
  const compare = (stored: unknown) =>
    number !== null && typeof stored === "number"
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
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** JavaScript compares a number with a bigint by what they are, without rounding either. */
function compareNumbers(left: number, right: number | bigint): number {
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** Integers of up to 18 digits exactly, other JSON numbers as doubles; null for what is no JSON number. */
function parseNumber(text: string): number | bigint | null {
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return null;
  return /^-?\d{1,18}$/.test(text) ? BigInt(text) : Number(text);
}
