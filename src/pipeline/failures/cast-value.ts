export const castTargets = ["number", "string", "boolean", "timestamp"] as const;
export type CastTarget = (typeof castTargets)[number];

/** A scalar as another kind of scalar; undefined when it cannot be one without a guess. What is of that kind already stays. */
export function castValue(value: unknown, to: CastTarget): string | number | boolean | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  switch (to) {
    case "string":
      return String(value);
    case "number":
      return typeof value === "string" ? numberOf(value.trim()) : Number(value);
    case "boolean":
      return typeof value === "boolean" ? value : booleans.get(String(value).trim().toLowerCase());
    case "timestamp":
      return typeof value === "boolean" ? undefined : timestampOf(value);
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** Decimal digits only, and no whole number that a double would round. */
function numberOf(text: string): number | undefined {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const rounded = /^[+-]?\d+$/.test(text) && BigInt(text.replace("+", "")) !== BigInt(value);
  return rounded ? undefined : value;
}

const zone = /(?:z|utc|gmt|[ecmp][sd]t|[+-]\d\d:?\d\d)(?: ?\(.*\))?$/i;
/** `Date` reads the T of ISO 8601 only with "Z" or an offset behind it. */
const dayAndTime = /^(\d{4}-\d\d-\d\d)T(?=\d)/;
/** `Date` finds a date in "order 5", too. */
const startsLikeDate = /^(?:\d|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i;

/** A text without a zone is UTC: `Date` would take the machine's own, and the same event must become the same everywhere. */
function timestampOf(value: string | number): string | undefined {
  const text = String(value).trim();
  const millis = typeof value === "number" || /^\d{11,}$/.test(text) ? Number(text) : null;
  if (millis === null && !startsLikeDate.test(text)) return undefined;
  const date = new Date(millis ?? (zone.test(text) ? text : `${text.replace(dayAndTime, "$1 ")} UTC`));
  const year = Number.isNaN(date.getTime()) ? -1 : date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString() : undefined;
}
