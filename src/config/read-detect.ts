import type { Detector, DetectorOptions } from "../model/detector.ts";
import { kindOf, OptionsReader, shown } from "./options-reader.ts";
import type { Problems } from "./problems.ts";

type BuiltInKind = Exclude<DetectorOptions["kind"], "own">;

/** Of the rule that the detector is for. */
export interface DetectFields {
  readonly fields: readonly string[];
  /** Whether the first field is personal data. */
  readonly hidden: boolean;
}

/** A state of a thousand values is about 10 KB; larger ones would dominate what is stored per key. */
const windowMax = 1000;
/** Of `falseAlarmsPerWeek`: less could not be told from never, more than one in ten minutes tells nobody anything. */
export const sensitivity = { min: 0.001, max: 1000 };
const bucketRange = { min: 1000, max: 24 * 3_600_000, default: 60_000 };

/** The options of each kind that there is: names, and how they are read. `range` needs options, the others have defaults. */
const kinds: {
  readonly [Kind in BuiltInKind]: {
    readonly options: readonly string[];
    readonly read: (options: OptionsReader, about: DetectFields) => DetectorOptions & { readonly kind: Kind };
  };
} = {
  mad: { options: ["window", "threshold", "warmup"], read: readMad },
  range: { options: ["low", "high"], read: readRange },
  streaming: {
    options: ["falseAlarmsPerWeek"],
    read: (options) => ({ kind: "streaming", falseAlarmsPerWeek: readSensitivity(options) }),
  },
  rate: { options: ["bucket", "warmup", "silence", "falseAlarmsPerWeek"], read: readRate },
  novelty: {
    options: ["warmup", "falseAlarmsPerWeek"],
    read: (options, { hidden }) => ({
      kind: "novelty",
      warmup: options.number("warmup", 500, { min: 10, max: 1_000_000, integer: true }),
      hidden,
      falseAlarmsPerWeek: readSensitivity(options),
    }),
  },
  drift: {
    options: ["window", "falseAlarmsPerWeek"],
    read: (options) => ({
      kind: "drift",
      window: options.number("window", 200, { min: 20, max: 10_000, integer: true }),
      falseAlarmsPerWeek: readSensitivity(options),
    }),
  },
  multivariate: {
    options: ["warmup", "falseAlarmsPerWeek"],
    read: (options, { fields }) => ({
      kind: "multivariate",
      fields,
      warmup: options.number("warmup", 200, { min: 20, max: 10_000, integer: true }),
      falseAlarmsPerWeek: readSensitivity(options),
    }),
  },
};
const kindNames = Object.keys(kinds) as readonly BuiltInKind[];
const kindsText = `${kindNames
  .filter((kind) => kind !== "range")
  .map((kind) => JSON.stringify(kind))
  .join(", ")}, { range: { low, high } } or a detector of your own`;

/** The `detect` of a rule. Null when it cannot be told what is meant; that is noted. */
export function readDetect(rule: OptionsReader, about: DetectFields, problems: Problems): DetectorOptions | null {
  const given = rule.value("detect");
  if (isDetector(given)) return { kind: "own", detector: given };
  const named = kindNames.find((kind) => kind === given && kind !== "range");
  if (named !== undefined) return kinds[named].read(new OptionsReader({}, [], rule.at("detect"), problems), about);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const is = given === undefined ? "is missing" : `is ${shown(given)}`;
    rule.problem("detect", `${is}; write ${kindsText}.`);
    return null;
  }
  if ("judge" in given) {
    rule.problem("detect", `a detector has a kind (a text) and judge (a function); judge is ${kindOf(given.judge)}.`);
    return null;
  }
  const detect = new OptionsReader(given, kindNames, rule.at("detect"), problems);
  const [kind, ...others] = kindNames.filter((name) => detect.value(name) !== undefined);
  if (others.length > 0) rule.problem("detect", "names two detectors; write one rule for each.");
  if (kind === undefined) {
    if (Object.keys(given).length === 0) rule.problem("detect", `names no detector; write ${kindsText}.`);
    return null;
  }
  return kinds[kind].read(new OptionsReader(detect.value(kind), kinds[kind].options, detect.at(kind), problems), about);
}

function isDetector(given: unknown): given is Detector {
  if (typeof given !== "object" || given === null || !("judge" in given) || !("kind" in given)) return false;
  return typeof given.judge === "function" && typeof given.kind === "string";
}

function readRange(options: OptionsReader): DetectorOptions & { readonly kind: "range" } {
  const any = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
  const low = options.number("low", null, any);
  const high = options.number("high", null, any);
  if (options.value("low") === undefined && options.value("high") === undefined)
    options.note("has no ends; give low, high or both.");
  if (low !== null && high !== null && low > high) options.note(`low (${low}) is above high (${high}).`);
  return { kind: "range", low, high };
}

function readMad(options: OptionsReader): DetectorOptions & { readonly kind: "mad" } {
  const window = options.number("window", 100, { min: 10, max: windowMax, integer: true });
  const warmup = options.number("warmup", Math.min(20, window), { min: 2, max: window, integer: true });
  const threshold = options.number("threshold", 6, { min: Number.MIN_VALUE, max: 1000 });
  return { kind: "mad", window, threshold, warmup };
}

function readRate(options: OptionsReader): DetectorOptions & { readonly kind: "rate" } {
  return {
    kind: "rate",
    bucketMillis: options.duration("bucket", bucketRange),
    warmup: options.number("warmup", 60, { min: 10, max: 10_000, integer: true }),
    silence: options.flag("silence", true),
    falseAlarmsPerWeek: readSensitivity(options),
  };
}

function readSensitivity(options: OptionsReader): number {
  return options.number("falseAlarmsPerWeek", 1, sensitivity);
}
