import { isHandle } from "./handle.ts";
import type { Problems, Spot } from "./problems.ts";

/** Reads texts that may be references to the environment. */
export class TextReader {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #problems: Problems;

  constructor(environment: Readonly<Record<string, string | undefined>>, problems: Problems) {
    this.#environment = environment;
    this.#problems = problems;
  }

  /** The text, or null after noting what is wrong: a variable that is not set, or something that is no text. */
  read(given: unknown, spot: Spot): string | null {
    if (typeof given === "string") return given;
    if (!isHandle(given, "env")) {
      this.#problems.add(spot, 'must be a text or env("NAME").');
      return null;
    }
    const options = given.options;
    const name = fieldOf(options, "name");
    const fallback = fieldOf(options, "fallback");
    const at = { site: given.site, path: [], label: spot.label };
    if (typeof name !== "string" || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      this.#problems.add(at, 'env() takes the name of an environment variable, such as env("HOOK_URL").');
      return null;
    }
    const value = this.#environment[name];
    if (value !== undefined && value !== "") return value;
    if (typeof fallback === "string") return fallback;
    const remedy = `set it, or give a default: env("${name}", "…")`;
    this.#problems.add(at, `the environment variable ${name} is not set; ${remedy}.`);
    return null;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
