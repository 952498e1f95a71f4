import type { AnomalyDefinition, DetectorOptions } from "../model/definition.ts";
import type { CheckedStream } from "./check-stream.ts";
import { suggestion } from "./closest-name.ts";
import type { Handle } from "./handle.ts";
import { fieldTypes, knownField } from "./known-field.ts";
import { OptionsReader, shown } from "./options-reader.ts";
import type { Problems, Spot } from "./problems.ts";

const madDefaults = { window: 100, threshold: 6, warmup: 20 };
/** A state of a thousand values is about 10 KB; larger ones would dominate what is stored per key. */
const windowMax = 1000;

/** One rule of the config; `stream` is null when the rule's stream is not part of the config, which is noted elsewhere. */
export function checkAnomaly(
  name: string,
  handle: Handle<"anomaly">,
  stream: CheckedStream | null,
  problems: Problems,
): AnomalyDefinition {
  const spot: Spot = { site: handle.site, path: [], label: `anomalies.${name}` };
  const options = new OptionsReader(handle.options, ["value", "per", "detect"], spot, problems);
  const value = options.optionalText("value");
  if (options.value("value") === undefined) options.problem("value", "is missing; name the field to judge.");
  const per = options.optionalText("per");
  const schema = stream?.recordSchema ?? null;
  for (const [option, path] of [["value", value] as const, ["per", per] as const]) {
    const field = schema === null || path === null ? null : knownField(schema, path);
    if (field?.is === "missing") {
      options.problem(
        option,
        `the records of ${shown(stream?.definition.name)} have no field ${shown(path)}; ${suggestion(path ?? "", field.known)}`,
      );
    }
    const types = field?.is === "found" && option === "value" ? fieldTypes(field.schema) : [];
    if (types.length > 0 && !types.some((type) => type === "number" || type === "integer")) {
      options.problem(option, `the field ${shown(path)} is of type ${types.join(", ")}; a rule judges numbers.`);
    }
  }
  const detect = readDetect(options, problems);
  return { kind: "anomaly", name, stream: stream?.definition.name ?? "", value: value ?? "", per, detect };
}

function readDetect(options: OptionsReader, problems: Problems): DetectorOptions {
  const given = options.value("detect");
  if (given === "mad") return { kind: "mad", ...madDefaults };
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const is = given === undefined ? "is missing" : `is ${shown(given)}`;
    options.problem("detect", `${is}; write "mad", { mad: { … } } or { range: { low, high } }.`);
    return { kind: "mad", ...madDefaults };
  }
  const detect = new OptionsReader(given, ["mad", "range"], options.at("detect"), problems);
  const kinds = ["mad", "range"].filter((kind) => detect.value(kind) !== undefined);
  if (kinds.length === 2) options.problem("detect", "names two detectors; write one rule for each.");
  if (kinds.length === 0 && Object.keys(given).length === 0)
    options.problem("detect", "names no detector; write mad or range.");
  return kinds[0] === "range" ? readRange(detect, problems) : readMad(detect, problems);
}

function readRange(detect: OptionsReader, problems: Problems): DetectorOptions {
  const range = new OptionsReader(detect.value("range"), ["low", "high"], detect.at("range"), problems);
  const any = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
  const low = range.number("low", null, any);
  const high = range.number("high", null, any);
  if (range.value("low") === undefined && range.value("high") === undefined)
    detect.problem("range", "has no ends; give low, high or both.");
  if (low !== null && high !== null && low > high) detect.problem("range", `low (${low}) is above high (${high}).`);
  return { kind: "range", low, high };
}

function readMad(detect: OptionsReader, problems: Problems): DetectorOptions {
  if (detect.value("mad") === undefined) return { kind: "mad", ...madDefaults };
  const mad = new OptionsReader(detect.value("mad"), ["window", "threshold", "warmup"], detect.at("mad"), problems);
  const window = mad.number("window", madDefaults.window, { min: 10, max: windowMax, integer: true });
  const warmup = mad.number("warmup", Math.min(madDefaults.warmup, window), { min: 2, max: window, integer: true });
  const threshold = mad.number("threshold", madDefaults.threshold, { min: Number.MIN_VALUE, max: 1000 });
  return { kind: "mad", window, threshold, warmup };
}
