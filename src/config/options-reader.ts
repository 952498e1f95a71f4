import { suggestion } from "./closest-name.ts";
import { durationText, parseDuration } from "./duration.ts";
import { isHandle } from "./handle.ts";
import { inside, type Problems, type Spot } from "./problems.ts";
import type { TextReader } from "./text-reader.ts";

interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

/**
 * Reads an options object that came from a person: every method notes what is wrong and answers with something usable (the
 * default, or null), so that one look finds all problems.
 */
export class OptionsReader {
  readonly spot: Spot;
  /** False when there was no object to read; that is noted, and all else would follow from it. */
  readonly isObject: boolean;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #problems: Problems;

  /** `known`: the names there are; others are problems, with the name that was probably meant. */
  constructor(values: unknown, known: readonly string[], spot: Spot, problems: Problems) {
    this.spot = spot;
    this.#problems = problems;
    const isOptions = typeof values === "object" && values !== null && !Array.isArray(values);
    this.isObject = isOptions;
    if (!isOptions) problems.add(spot, `must be an object with ${known.join(", ")}; it is ${kindOf(values)}.`);
    this.#values = isOptions ? (values as Readonly<Record<string, unknown>>) : {};
    for (const name of Object.keys(this.#values)) {
      if (!known.includes(name)) problems.add(inside(spot, name), `is not an option; ${suggestion(name, known)}`);
    }
  }

  /** As it is. */
  value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  at(name: string): Spot {
    return inside(this.spot, name);
  }

  problem(name: string, text: string): void {
    this.#problems.add(this.at(name), text);
  }

  /** A problem of all of it together. */
  note(text: string): void {
    this.#problems.add(this.spot, text);
  }

  flag(name: string, otherwise: boolean): boolean {
    const given = this.value(name);
    if (given === undefined || typeof given === "boolean") return given ?? otherwise;
    this.problem(name, `must be true or false, is ${shown(given)}.`);
    return otherwise;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], otherwise: Choice): Choice {
    const given = this.value(name);
    const found = choices.find((choice) => choice === given);
    if (given === undefined || found !== undefined) return found ?? otherwise;
    this.problem(name, `must be ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}, is ${shown(given)}.`);
    return otherwise;
  }

  /** Milliseconds. */
  duration(
    name: string,
    range: { readonly min: number; readonly max: number; readonly default: number | null },
  ): number {
    const given = this.value(name);
    if (given === undefined && range.default !== null) return range.default;
    const example = `${JSON.stringify(durationText(range.default ?? range.min))}`;
    const millis = parseDuration(given);
    const allowed = `${durationText(range.min)} to ${durationText(range.max)}`;
    if (millis === null) {
      const is = given === undefined ? "is missing" : `must be a duration, is ${shown(given)}`;
      this.problem(name, `${is}; write a whole number and s, m, h or d, such as ${example}.`);
    } else if (millis < range.min || millis > range.max) {
      this.problem(name, `is ${shown(given)}; allowed is ${allowed}.`);
    }
    return millis ?? range.default ?? range.min;
  }

  number<Default>(name: string, otherwise: Default, range: NumberRange): number | Default {
    const given = this.value(name);
    if (given === undefined) return otherwise;
    const fits =
      typeof given === "number" &&
      given >= range.min &&
      given <= range.max &&
      (!range.integer || Number.isInteger(given));
    if (fits) return given;
    const kind = range.integer ? "a whole number" : "a number";
    const bounds = Number.isFinite(range.min) ? ` from ${range.min} to ${range.max}` : "";
    this.problem(name, `must be ${kind}${bounds}, is ${shown(given)}.`);
    return otherwise;
  }

  /** A text that is not empty; null when it is not there or wrong. */
  optionalText(name: string): string | null {
    const given = this.value(name);
    if (given === undefined) return null;
    if (typeof given === "string" && given !== "") return given;
    this.problem(name, `must be a text that is not empty, is ${shown(given)}.`);
    return null;
  }

  /** A text or a reference to the environment. */
  text(name: string, texts: TextReader): string | null {
    const given = this.value(name);
    if (typeof given === "string" || isHandle(given, "env")) return texts.read(given, this.at(name));
    this.problem(name, given === undefined ? "is missing." : `must be a text or env("NAME"), is ${shown(given)}.`);
    return null;
  }

  list(name: string): readonly unknown[] {
    const given = this.value(name);
    if (given === undefined) return [];
    if (Array.isArray(given)) return given;
    this.problem(name, `must be a list in square brackets, is ${kindOf(given)}.`);
    return [];
  }

  /** Names and values of an object. */
  entries(name: string): readonly (readonly [string, unknown])[] {
    const given = this.value(name);
    if (given === undefined) return [];
    if (typeof given === "object" && given !== null && !Array.isArray(given)) return Object.entries(given);
    this.problem(name, `must be an object of names and values, is ${kindOf(given)}.`);
    return [];
  }
}

/** A value for a message: short, and an object only by kind. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 60)}…`);
  return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : kindOf(value);
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value !== "object") return `a ${typeof value}`;
  return "kind" in value && typeof value.kind === "string" && "site" in value ? `${value.kind}(…)` : "an object";
}
