import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { Recipe, RecipeStep } from "../../model/recipe.ts";
import { jsonPointer } from "../process/json-pointer.ts";
import { castTargets } from "./cast-value.ts";
import { isPointer, valueProblem } from "./json-place.ts";

/** A pattern that is longer is better a function. */
export const patternCharactersMax = 500;
const replacementCharactersMax = 1_000;
const descriptionCharactersMax = 1_000;
const recipeName = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** What a recipe may be called, in a file and in a config. */
export function isRecipeName(name: string): boolean {
  return recipeName.test(name);
}

/**
 * Reads a parsed recipe: `{ description?, steps: […] }`; a `name` in it must be the same. Regular expressions are compiled here, so that
 * none fails later. Throws RECIPE_INVALID with a pointer into the recipe for every problem.
 */
export function readRecipe(value: unknown, name: string): Recipe {
  const reader = new RecipeReader();
  const recipe = reader.recipe(value, name);
  const [first] = reader.errors;
  if (first === undefined && recipe !== null) return recipe;
  const where = first === undefined || first.pointer === "" ? "" : ` at ${first.pointer}`;
  const message = `The recipe ${JSON.stringify(name.slice(0, 100))} is not valid${where}: ${first?.detail}.`;
  throw new EventPulseError("RECIPE_INVALID", message, { errors: reader.errors });
}

type Fields = Readonly<Record<string, unknown>>;

/** Properties of each step besides `do` and `if`, all of them required. */
const stepProperties: Readonly<Record<string, readonly string[]>> = {
  set: ["path", "value"],
  default: ["path", "value"],
  remove: ["path"],
  rename: ["from", "to"],
  cast: ["path", "to"],
  replace: ["path", "pattern", "with"],
};
const conditionTypes: readonly unknown[] = ["string", "number", "boolean", "null", "object", "array"];

class RecipeReader {
  readonly errors: ErrorDetail[] = [];

  recipe(value: unknown, name: string): Recipe | null {
    if (!isRecipeName(name)) this.#problem("/name", 'must be a letter, then letters, digits, "_" and "-", up to 63');
    const fields = this.#object(value, "", ["name", "description", "steps"]);
    if (fields === null) return null;
    if (fields["name"] !== undefined && fields["name"] !== name) this.#problem("/name", "is not the name it goes by");
    const { description = "", steps } = fields;
    if (typeof description !== "string" || description.length > descriptionCharactersMax)
      this.#problem("/description", `must be a text of up to ${descriptionCharactersMax} characters`);
    if (!Array.isArray(steps) || steps.length === 0 || steps.length > limits.patchOperationsMax) {
      this.#problem("/steps", `must be a list of 1 to ${limits.patchOperationsMax} steps`);
      return null;
    }
    for (const [index, step] of steps.entries()) this.#step(step, `/steps/${index}`);
    return { name, description: String(description), steps: steps as readonly RecipeStep[] };
  }

  #step(value: unknown, at: string): void {
    const action = typeof value === "object" && value !== null && "do" in value ? value.do : undefined;
    const properties =
      typeof action === "string" && Object.hasOwn(stepProperties, action) ? stepProperties[action] : null;
    if (properties === null || properties === undefined) {
      this.#problem(`${at}/do`, `must be one of ${Object.keys(stepProperties).join(", ")}`);
      return;
    }
    const fields = this.#object(value, at, ["do", "if", ...properties]);
    if (fields === null) return;
    for (const name of properties) this.#property(String(action), fields, name, at);
    if (action === "rename") this.#rename(fields, at);
    if (action === "remove" && fields["path"] === "") this.#problem(`${at}/path`, "would leave no event");
    const conditions = Array.isArray(fields["if"]) ? fields["if"] : [fields["if"]];
    if (fields["if"] === undefined) return;
    const listed = conditions === fields["if"];
    for (const [index, condition] of conditions.entries())
      this.#condition(condition, listed ? `${at}/if/${index}` : `${at}/if`);
  }

  #property(action: string, fields: Fields, name: string, at: string): void {
    const value = fields[name];
    const pointer = `${at}/${name}`;
    if (name === "value") this.#value(value, pointer);
    else if (name === "pattern") this.#pattern(value, pointer);
    else if (name === "with") this.#replacement(value, fields["pattern"], pointer);
    else if (action !== "cast" || name !== "to") this.#pointer(value, pointer);
    else if (!castTargets.some((target) => target === value))
      this.#problem(pointer, `must be one of ${castTargets.join(", ")}`);
  }

  #rename({ from, to }: Fields, at: string): void {
    if (from === to) this.#problem(`${at}/to`, 'is the same as "from"');
    else if (typeof to === "string" && to.startsWith(`${from}/`)) this.#problem(`${at}/to`, 'lies in "from"');
  }

  #condition(value: unknown, at: string): void {
    const tests = ["exists", "equals", "matches", "type"];
    const fields = this.#object(value, at, ["path", ...tests]);
    if (fields === null) return;
    const { exists, equals, matches, type } = fields;
    this.#pointer(fields["path"], `${at}/path`);
    if (tests.every((test) => fields[test] === undefined)) this.#problem(at, `needs one of ${tests.join(", ")}`);
    if (exists !== undefined && typeof exists !== "boolean") this.#problem(`${at}/exists`, "must be true or false");
    if (typeof equals === "object" && equals !== null)
      this.#problem(`${at}/equals`, "must be a text, a number, a boolean or null");
    if (matches !== undefined) this.#pattern(matches, `${at}/matches`);
    if (type !== undefined && !conditionTypes.includes(type))
      this.#problem(`${at}/type`, `must be one of ${conditionTypes.join(", ")}`);
  }

  #object(value: unknown, at: string, known: readonly string[]): Fields | null {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#problem(at, `must be an object with ${known.join(", ")}`);
      return null;
    }
    for (const name of Object.keys(value)) {
      if (!known.includes(name))
        this.#problem(jsonPointer([name], at), `is not known here; there are ${known.join(", ")}`);
    }
    return value as Fields;
  }

  #value(value: unknown, at: string): void {
    const problem = value === undefined ? "is missing" : valueProblem(value, limits.jsonDepthMax);
    if (problem !== null) this.#problem(at, problem);
  }

  #pointer(value: unknown, at: string): void {
    if (!isPointer(value)) this.#problem(at, 'must be a JSON Pointer, such as "/order/total"');
  }

  #pattern(value: unknown, at: string): void {
    if (typeof value !== "string" || value === "" || value.length > patternCharactersMax) {
      this.#problem(at, `must be a regular expression of 1 to ${patternCharactersMax} characters`);
      return;
    }
    if (groupsOf(value) === null)
      this.#problem(at, "is not a regular expression that JavaScript reads (with the flag u)");
  }

  #replacement(value: unknown, pattern: unknown, at: string): void {
    if (typeof value !== "string" || value.length > replacementCharactersMax) {
      this.#problem(at, `must be a text of up to ${replacementCharactersMax} characters`);
      return;
    }
    const groups = typeof pattern === "string" && pattern.length <= patternCharactersMax ? groupsOf(pattern) : null;
    for (const [, group] of value.matchAll(/\$(?:\$|([1-9]))/g)) {
      if (group !== undefined && groups !== null && Number(group) > groups)
        this.#problem(at, `names the group $${group}, and the pattern has ${groups}`);
    }
  }

  #problem(pointer: string, detail: string): void {
    this.errors.push({ pointer, code: "RECIPE_INVALID", detail });
  }
}

/** How many groups a pattern has; null when it is none. An alternative that is empty always matches, with all its groups. */
function groupsOf(pattern: string): number | null {
  try {
    new RegExp(pattern, "u");
    return (new RegExp(`${pattern}|`, "u").exec("")?.length ?? 1) - 1;
  } catch {
    return null;
  }
}
