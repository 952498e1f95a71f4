import type { AnomalyDefinition } from "../model/definition.ts";
import type { DetectorOptions } from "../model/detector.ts";
import { fieldPath } from "../pipeline/process/field-path.ts";
import { jsonPointer } from "../pipeline/process/json-pointer.ts";
import { personalData } from "../pipeline/process/personal-data.ts";
import type { CheckedStream } from "./check-stream.ts";
import { suggestion } from "./closest-name.ts";
import type { Handle } from "./handle.ts";
import { fieldTypes, knownField } from "./known-field.ts";
import { OptionsReader, shown } from "./options-reader.ts";
import type { Problems, Spot } from "./problems.ts";
import { readDetect } from "./read-detect.ts";

/** More fields would need more records to learn their covariance than a warm-up has. */
const fieldsRange = { min: 2, max: 8 };

/** One rule of the config; `stream` is null when the rule's stream is not part of the config, which is noted elsewhere. */
export function checkAnomaly(
  name: string,
  handle: Handle<"anomaly">,
  stream: CheckedStream | null,
  problems: Problems,
): AnomalyDefinition {
  const spot: Spot = { site: handle.site, path: [], label: `anomalies.${name}` };
  const options = new OptionsReader(handle.options, ["value", "per", "detect"], spot, problems);
  const fields = readFields(options);
  const [first] = fields;
  const pii = stream === null ? [] : stream.definition.pii;
  const hidden = first !== undefined && personalData(pii).covers(jsonPointer(fieldPath(first)));
  const detect = readDetect(options, { fields, hidden }, problems);
  if (detect !== null) checkFieldCount(options, detect.kind, fields.length);
  for (const path of fields) {
    const types = checkField(options, "value", path, stream);
    if (types === null || detect === null) continue;
    const wanted = detect.kind === "novelty" ? ["string", "number", "integer", "boolean"] : ["number", "integer"];
    if (types.length === 0 || types.some((type) => wanted.includes(type))) continue;
    const judges = detect.kind === "novelty" ? "texts, numbers and booleans" : "numbers";
    options.problem("value", `the field ${shown(path)} is of type ${types.join(", ")}; such a rule judges ${judges}.`);
  }
  const per = options.optionalText("per");
  if (per !== null) checkField(options, "per", per, stream);
  return {
    ...{ kind: "anomaly", name, stream: stream?.definition.name ?? "", fields, per },
    detect: detect ?? { kind: "range", low: null, high: null },
  };
}

/** One text, a list of them, or none. */
function readFields(options: OptionsReader): readonly string[] {
  const given = options.value("value");
  if (!Array.isArray(given)) {
    const path = options.optionalText("value");
    return path === null ? [] : [path];
  }
  return given.flatMap((path) => {
    if (typeof path === "string" && path !== "") return [path];
    options.problem("value", `must hold names of fields, holds ${shown(path)}.`);
    return [];
  });
}

function checkFieldCount(options: OptionsReader, kind: DetectorOptions["kind"], count: number): void {
  const given = options.value("value");
  if (kind === "rate" || kind === "drift") {
    if (given !== undefined)
      options.problem("value", `leave it out: a rule that detects ${kind} is about whole records.`);
  } else if (kind === "multivariate") {
    const { min, max } = fieldsRange;
    if (count < min || count > max || !Array.isArray(given))
      options.problem("value", `must be a list of ${min} to ${max} fields, in square brackets.`);
  } else if (given === undefined) {
    options.problem("value", "is missing; name the field to judge.");
  } else if (Array.isArray(given)) {
    options.problem("value", 'must be one field; only detect: "multivariate" judges several together.');
  }
}

/** The types that the schema allows for a field of the records; null when it has no such field, which is noted. */
function checkField(
  options: OptionsReader,
  option: "value" | "per",
  path: string,
  stream: CheckedStream | null,
): readonly string[] | null {
  const schema = stream?.recordSchema ?? null;
  const field = schema === null ? null : knownField(schema, path);
  if (field?.is === "missing") {
    options.problem(
      option,
      `the records of ${shown(stream?.definition.name)} have no field ${shown(path)}; ${suggestion(path, field.known)}`,
    );
    return null;
  }
  return field?.is === "found" ? fieldTypes(field.schema) : [];
}
