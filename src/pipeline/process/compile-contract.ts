import { hash } from "node:crypto";
import { Ajv2020, type Options, type ValidateFunction } from "ajv/dist/2020.js";
import * as z from "zod";
import type { StandardIssue, StandardResult, StandardSchema, StreamDefinition } from "../../model/definition.ts";
import type { ErrorDetail } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { Contract, Judgement } from "./contract.ts";
import { describeViolations } from "./describe-violations.ts";
import { identityPaths } from "./identify.ts";
import { inspectZodSchema, isZodSchema, type ZodInspection } from "./inspect-zod-schema.ts";
import { jsonPointer } from "./json-pointer.ts";
import { type PersonalData, personalData } from "./personal-data.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Values in an event up to which all its errors are looked for; in larger ones only the first is named. Ajv makes an error
 * object for each of 120,000 wrong array elements (45 ms), and a request may hold forty such events.
 */
const valuesSearchedMax = 5_000;

/** Patterns run as zod runs them (no "u" flag), and formats are left to zod's patterns: the verdicts must be the same. */
export const ajvOptions: Options = {
  strict: false,
  strictNumbers: true,
  validateFormats: false,
  unicodeRegExp: false,
  logger: false,
  // The schema comes from zod, not from a person: compiling the meta-schema to check it took 50 ms and 10 MB for each stream.
  meta: false,
  validateSchema: false,
};

/**
 * Compiles a stream's schema. A zod 4 schema that JSON Schema can express exactly is judged by Ajv (20 against 5 million
 * events/s for five fields, more for invalid ones); everything else (refinements, transforms, defaults, coercion, formats
 * with code of their own, other libraries) is judged by the schema's own library.
 *
 * `value` of a judgement is the event as it was sent, with fields that the contract does not name: nothing is dropped in
 * silence. Only when the schema changes values is it the library's output, and then the library decides about unknown fields
 * (zod leaves them out unless the object is loose). `__proto__` as a field is data like any other; where a catchall or a
 * record says what unnamed fields are, that holds for it too, although zod itself would skip it.
 *
 * An invalid event has at most `limits.errorsPerEventMax` errors. Values of `pii` fields never appear in them. A schema that
 * throws makes the event invalid, with a detail that says so. Throws what the library throws when the schema itself is broken.
 */
export function compileContract(definition: StreamDefinition): Contract {
  const { schema } = definition;
  const personal = personalData(definition.pii);
  const inspection = isZodSchema(schema) ? inspectZodSchema(schema) : null;
  const jsonSchema = inspection === null ? describedSchema(schema) : zodJsonSchema(schema, true);
  const named = jsonSchema ?? { vendor: schema["~standard"].vendor, name: definition.name };
  const version = hash("sha256", JSON.stringify(named)).slice(0, 12);
  const identity = identityPaths(definition);
  return { stream: definition, version, jsonSchema, identity, judge: judgeOf(schema, inspection, personal) };
}

function judgeOf(schema: StandardSchema, inspection: ZodInspection | null, personal: PersonalData): Contract["judge"] {
  const library = libraryJudge(schema, inspection === null || inspection.changesValues, personal);
  // Metadata (`.meta()`) can hold keywords of its own; the judging copy is made without.
  const exact = inspection?.exact ? zodJsonSchema(schema, false) : null;
  if (exact === null) return library;
  return ajvJudge(exact, inspection?.ownMessages ? library : null, personal);
}

function ajvJudge(
  jsonSchema: JsonSchema,
  messages: Contract["judge"] | null,
  personal: PersonalData,
): Contract["judge"] {
  const fits = new Ajv2020(ajvOptions).compile(jsonSchema);
  // Most processes never see an invalid event of most streams: what explains one is compiled with the first.
  let search: ValidateFunction | null = null;
  let searchFirst: ValidateFunction | null = null;

  const explain = (event: unknown): Judgement => {
    search ??= new Ajv2020({ ...ajvOptions, allErrors: true, verbose: true }).compile(jsonSchema);
    searchFirst ??= new Ajv2020({ ...ajvOptions, verbose: true }).compile(jsonSchema);
    const searching = countValues(event, valuesSearchedMax) < valuesSearchedMax ? search : searchFirst;
    searching(event);
    const violations = searching.errors ?? [];
    return { ok: false, errors: describeViolations(violations, personal.touches, limits.errorsPerEventMax) };
  };

  return (event) => {
    if (fits(event)) return { ok: true, value: event };
    if (messages === null) return explain(event);
    const judged = messages(event);
    return judged instanceof Promise || judged.ok ? explain(event) : judged;
  };
}

function libraryJudge(schema: StandardSchema, changesValues: boolean, personal: PersonalData): Contract["judge"] {
  const { validate } = schema["~standard"];

  const refuse = (details: readonly ErrorDetail[], event: unknown): Judgement => {
    return { ok: false, errors: personal.conceal(details.slice(0, limits.errorsPerEventMax), event) };
  };
  const judged = (result: StandardResult<unknown>, event: unknown): Judgement => {
    if (result.issues !== undefined) return refuse(result.issues.map(detailOf), event);
    return { ok: true, value: changesValues ? result.value : event };
  };
  const threw = (error: unknown, event: unknown): Judgement => {
    const detail = `the schema threw while it judged the event: ${String(error).split("\n", 1)[0]?.slice(0, 200)}`;
    return refuse([{ pointer: "", code: "CONTRACT_BROKEN", detail }], event);
  };

  return (event) => {
    try {
      const result = validate(event);
      if (!("then" in result)) return judged(result, event);
      return result.then(
        (late) => judged(late, event),
        (error: unknown) => threw(error, event),
      );
    } catch (error) {
      return threw(error, event);
    }
  };
}

function detailOf({ message, path = [] }: StandardIssue): ErrorDetail {
  const parts = path.map((part) => String(typeof part === "object" ? part.key : part));
  return { pointer: jsonPointer(parts), code: "CONTRACT_BROKEN", detail: message };
}

/** JSON Schema of the input side, null where zod cannot say. */
function zodJsonSchema(schema: unknown, withMetadata: boolean): JsonSchema | null {
  try {
    const options = { io: "input", unrepresentable: "any" } as const;
    const zod = schema as z.ZodType;
    return z.toJSONSchema(zod, withMetadata ? options : { ...options, metadata: z.registry() }) as JsonSchema;
  } catch {
    return null;
  }
}

/** Libraries that implement Standard JSON Schema (https://standardschema.dev/json-schema) describe themselves. */
function describedSchema(schema: StandardSchema): JsonSchema | null {
  const standard: object = schema["~standard"];
  const converter = "jsonSchema" in standard ? standard.jsonSchema : null;
  const describe = typeof converter === "object" && converter !== null && "input" in converter ? converter.input : null;
  if (typeof describe !== "function") return null;
  try {
    const described: unknown = describe({ target: "draft-2020-12" });
    return typeof described === "object" && described !== null ? (described as JsonSchema) : null;
  } catch {
    return null;
  }
}

/** Counts values inside a value, at most up to `max`. */
function countValues(value: unknown, max: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const inner of Object.values(value)) {
    count += countValues(inner, max - count);
    if (count >= max) break;
  }
  return count;
}
