import type { Retention, StandardSchema, StreamDefinition } from "../model/definition.ts";
import { retentionMillisDefault } from "../model/limits.ts";
import { compileContract } from "../pipeline/process/compile-contract.ts";
import type { Contract } from "../pipeline/process/contract.ts";
import { inspectZodSchema, isZodSchema } from "../pipeline/process/inspect-zod-schema.ts";
import { suggestion } from "./closest-name.ts";
import type { Handle } from "./handle.ts";
import { fieldTypes, knownField } from "./known-field.ts";
import { kindOf, OptionsReader, shown } from "./options-reader.ts";
import type { Problems, Spot } from "./problems.ts";
import { readDestinations } from "./read-destinations.ts";
import type { TextReader } from "./text-reader.ts";

const known = ["schema", "key", "time", "retention", "pii", "transform", "owner", "version"];
/** https://semver.org: three numbers, and what may stand behind them. */
const semver = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-[\w.-]+)?(?:\+[\w.-]+)?$/;
const hourMillis = 3_600_000;
/** Shorter, and events expire while they wait; longer, and the number is a slip of the pen. */
const retentionRange = { min: hourMillis, max: 3650 * 24 * hourMillis, default: retentionMillisDefault };

export interface CheckedStream {
  readonly definition: StreamDefinition;
  /** Null when the schema cannot be compiled. */
  readonly contract: Contract | null;
  /** JSON Schema of the records; null when it is not known, as after a transform. */
  readonly recordSchema: Readonly<Record<string, unknown>> | null;
}

/** One stream of the config. Null when it has no usable schema. */
export function checkStream(
  name: string,
  handle: Handle<"stream">,
  texts: TextReader,
  problems: Problems,
): CheckedStream | null {
  const spot: Spot = { site: handle.site, path: [], label: `streams.${name}` };
  const options = new OptionsReader(handle.options, known, spot, problems);
  if (!options.isObject) return null;
  const transform = options.value("transform");
  if (transform !== undefined && typeof transform !== "function") {
    options.problem("transform", `must be a function (event, context) => result, is ${shown(transform)}.`);
  }
  const version = options.optionalText("version");
  if (version !== null && !semver.test(version)) {
    options.problem("version", `must be a version like "2.0.0", is ${shown(version)}.`);
  }
  const key = options.optionalText("key");
  const time = options.optionalText("time");
  const pii = readPaths(options);
  const retention = readRetention(options, problems);
  const owner = readDestinations(options, "owner", texts, problems);
  const schema = options.value("schema");
  if (!isStandardSchema(schema)) {
    const is = schema === undefined ? "is missing" : `is ${kindOf(schema)}, not a schema`;
    options.problem("schema", `${is}; write one with zod (z.object({ … })) or another library of Standard Schema.`);
    return null;
  }
  const definition: StreamDefinition = {
    kind: "stream",
    name,
    schema,
    version,
    key,
    time,
    retention,
    pii,
    transform: typeof transform === "function" ? (transform as StreamDefinition["transform"]) : null,
    owner,
  };
  const contract = compile(definition, options);
  const jsonSchema = contract?.jsonSchema ?? null;
  if (jsonSchema !== null) checkPaths(options, jsonSchema);
  const asSent = isZodSchema(schema) && !inspectZodSchema(schema).changesValues;
  return { definition, contract, recordSchema: transform === undefined && asSent ? jsonSchema : null };
}

function compile(definition: StreamDefinition, options: OptionsReader): Contract | null {
  try {
    const contract = compileContract(definition);
    const type = contract.jsonSchema?.["type"];
    if (type !== undefined && type !== "object") {
      options.problem("schema", `describes ${shown(type)}, but an event is an object; use z.object({ … }).`);
    }
    return contract;
  } catch (error) {
    options.problem("schema", `cannot be compiled: ${error instanceof Error ? error.message : String(error)}.`);
    return null;
  }
}

/** The fields that identify, date and hide must be in the contract; a slip there would fail every event, or show what is personal. */
function checkPaths(options: OptionsReader, jsonSchema: Readonly<Record<string, unknown>>): void {
  for (const name of ["key", "time"]) {
    const path = options.value(name);
    if (typeof path !== "string" || path === "") continue;
    const field = knownField(jsonSchema, path);
    if (field.is === "missing")
      options.problem(name, `the schema has no field ${shown(path)}; ${suggestion(path, field.known)}`);
    if (field.is !== "found") continue;
    const wrong = fieldTypes(field.schema).filter((type) => !["string", "number", "integer"].includes(type));
    if (wrong.length > 0)
      options.problem(name, `the field ${shown(path)} is of type ${wrong.join(", ")}; it must be text or a number.`);
  }
  for (const path of options.list("pii")) {
    const field = typeof path === "string" ? knownField(jsonSchema, path) : null;
    if (field?.is === "missing")
      options.problem("pii", `the schema has no field ${shown(path)}; ${suggestion(String(path), field.known)}`);
  }
}

function readPaths(options: OptionsReader): readonly string[] {
  return options.list("pii").flatMap((path) => {
    if (typeof path === "string" && path !== "") return [path];
    options.problem("pii", `must hold names of fields, holds ${shown(path)}.`);
    return [];
  });
}

function readRetention(options: OptionsReader, problems: Problems): Retention {
  const given = options.value("retention");
  if (given === undefined || typeof given !== "object" || given === null) {
    const millis = options.duration("retention", retentionRange);
    return { raw: millis, records: millis, failures: millis };
  }
  const each = new OptionsReader(given, ["raw", "records", "failures"], options.at("retention"), problems);
  return {
    raw: each.duration("raw", retentionRange),
    records: each.duration("records", retentionRange),
    failures: each.duration("failures", retentionRange),
  };
}

function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || !("~standard" in value))
    return false;
  const standard = value["~standard"];
  return (
    typeof standard === "object" &&
    standard !== null &&
    "validate" in standard &&
    typeof standard.validate === "function"
  );
}
