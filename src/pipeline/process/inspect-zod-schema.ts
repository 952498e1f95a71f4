/** What can be said of a zod schema without running it. Whatever is not known for certain is answered with the slower, safe side. */
export interface ZodInspection {
  /** Ajv on the schema's JSON Schema gives zod's verdict for every JSON value. */
  readonly exact: boolean;
  /** A valid event may come out of zod with other values than it had: defaults, transforms, coercion, trimming. */
  readonly changesValues: boolean;
  /** The author wrote messages of their own, which Ajv does not know. */
  readonly ownMessages: boolean;
}

interface Definition {
  readonly type?: unknown;
  readonly check?: unknown;
  readonly checks?: readonly ZodNode[];
  readonly error?: unknown;
  readonly coerce?: unknown;
  readonly [name: string]: unknown;
}
interface ZodNode {
  readonly _zod: {
    readonly def: Definition;
    /** Missing on a check that is a bare function. */
    readonly traits?: ReadonlySet<string>;
    readonly innerType?: unknown;
    readonly toJSONSchema?: unknown;
  };
}

/** Formats that zod judges by their pattern alone. Others (url, ipv6, base64, jwt, …) run code of their own. */
const patternFormats = new Set(
  (
    "email guid uuid nanoid cuid cuid2 ulid xid ksuid datetime date time duration ipv4 cidrv4 mac e164 " +
    "regex lowercase uppercase starts_with ends_with"
  ).split(" "),
);
/** Inexact, but they hand the value on as it came. */
const plainTypes = new Set(
  "string number boolean null any unknown never literal enum template_literal custom undefined void nan".split(" "),
);
const plainChecks = new Set(
  "min_length max_length length_equals greater_than less_than number_format multiple_of property".split(" "),
);
/** String formats that clean the value up while they check it. */
const changingFormats = new Set(["url", "httpUrl"]);

/** Whether this is a schema of zod 4 (or zod mini), whose definition can be read. */
export function isZodSchema(schema: unknown): boolean {
  return isZodNode(schema);
}

/**
 * Walks a zod 4 schema's definitions (`schema._zod.def`). Unknown kinds, checks and formats, also those of later versions of
 * zod, make it inexact, so that zod itself judges. Recursive schemas are walked once.
 */
export function inspectZodSchema(schema: unknown): ZodInspection {
  const found = { exact: true, changesValues: false, ownMessages: false };
  const seen = new Set<unknown>();
  const waiting: unknown[] = [schema];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (seen.has(node)) continue;
    seen.add(node);
    if (!isZodNode(node)) return { exact: false, changesValues: true, ownMessages: true };
    const { def } = node._zod;
    const checks = [...(def.check === undefined ? [] : [node]), ...(def.checks ?? [])];
    if (!isExactNode(node) || !checks.every((check) => isExactCheck(check._zod.def))) found.exact = false;
    if (changesNode(node) || checks.some(changesCheck)) found.changesValues = true;
    if ([node, ...checks].some((part) => typeof part._zod.def.error === "function")) found.ownMessages = true;
    waiting.push(...children(node));
  }
  return found;
}

function isZodNode(value: unknown): value is ZodNode {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    "_zod" in value &&
    typeof value._zod === "object" &&
    value._zod !== null &&
    "def" in value._zod &&
    "traits" in value._zod
  );
}

function children(node: ZodNode): readonly unknown[] {
  const { def } = node._zod;
  switch (def.type) {
    case "object":
      return [...Object.values(def["shape"] ?? {}), ...present(def["catchall"])];
    case "array":
      return [def["element"]];
    case "record":
      return [def["keyType"], def["valueType"]];
    case "union":
      return listed(def["options"]);
    case "intersection":
      return [def["left"], def["right"]];
    case "tuple":
      return [...listed(def["items"]), ...present(def["rest"])];
    case "nullable":
    case "optional":
    case "readonly":
    case "nonoptional":
      return [def["innerType"]];
    case "lazy":
      return [node._zod.innerType];
    default:
      return [];
  }
}

function isExactNode(node: ZodNode): boolean {
  const { def, traits } = node._zod;
  if (def.coerce || node._zod.toJSONSchema !== undefined) return false;
  switch (def.type) {
    case "string":
    case "number":
    case "boolean":
    case "null":
    case "any":
    case "unknown":
    case "array":
    case "nullable":
    case "optional":
    case "readonly":
    case "lazy":
    case "never":
      return true;
    case "union":
      return traits !== undefined && !traits.has("$ZodXor");
    case "object":
      // Ajv reads such names through the prototype, and skips `__proto__`.
      return Object.keys(def["shape"] ?? {}).every((key) => !(key in Object.prototype));
    case "record":
      return def["mode"] !== "loose" && isPlainString(def["keyType"]);
    case "literal":
      return listed(def["values"]).every(isJsonScalar);
    case "enum":
      return Object.values(def["entries"] ?? {}).every(isJsonScalar);
    default:
      return false;
  }
}

function isExactCheck(check: Definition): boolean {
  switch (check.check) {
    case "min_length":
      return Number.isInteger(check["minimum"]);
    case "max_length":
      return Number.isInteger(check["maximum"]);
    case "length_equals":
      return Number.isInteger(check["length"]);
    case "greater_than":
    case "less_than":
      return Number.isFinite(check["value"]);
    case "number_format":
      return true;
    case "string_format": {
      const pattern = check["pattern"];
      return patternFormats.has(String(check["format"])) && pattern instanceof RegExp && pattern.flags === "";
    }
    default:
      return false;
  }
}

function changesNode(node: ZodNode): boolean {
  const { def } = node._zod;
  if (def.coerce) return true;
  const walked = "object array record union intersection tuple nullable optional readonly nonoptional lazy";
  return !plainTypes.has(String(def.type)) && !walked.split(" ").includes(String(def.type));
}

function changesCheck(check: ZodNode): boolean {
  const { def, traits } = check._zod;
  if (def.check === "string_format") return changingFormats.has(String(def["format"]));
  // A refinement sees the value alone; other custom checks may replace it.
  if (def.check === "custom") return !traits?.has("$ZodCustom");
  return !plainChecks.has(String(def.check));
}

function isPlainString(value: unknown): boolean {
  if (!isZodNode(value)) return false;
  const { def } = value._zod;
  return def.type === "string" && def.check === undefined && (def.checks ?? []).length === 0 && !def.coerce;
}

function isJsonScalar(value: unknown): boolean {
  return (
    value === null ||
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value))
  );
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function present(value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : [value];
}
