import type { Project } from "../../model/definition.ts";
import { type ErrorDetail, EventPulseError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type {
  Mending,
  Recipe,
  RecipeCondition,
  RecipeFailure,
  RecipeFunction,
  RecipeStep,
} from "../../model/recipe.ts";
import { copyJson } from "../process/copy-json.ts";
import { serialise } from "../process/transform.ts";
import { castValue } from "./cast-value.ts";
import { addAt, type JsonPlace, type JsonRoot, placeAt, removeAt, replaceAt } from "./json-place.ts";

/**
 * Longest text that a regular expression of a recipe is applied to; a longer one fails the recipe. It bounds patterns that take
 * time by the square or cube of the length. A pattern that takes exponential time (`(a+)+b`) needs far less text: it ends like a
 * transform that never returns, by the limit of `objectSecondsMax`.
 */
export const patternTextCharactersMax = 10_000;

/**
 * Applies a recipe that `readRecipe` has read to a copy of `data`, step by step. Throws RECIPE_FAILED naming the step and the
 * path (`errors[0].pointer`, into the event) when a value cannot be cast, a text is too long for a pattern, a renamed value would
 * replace another, or the path of a new value leads through a scalar. All of a recipe or nothing.
 */
export function applyRecipe(recipe: PreparedRecipe, data: unknown): unknown {
  const document: JsonRoot = { root: copyJson(data) };
  for (const { step, conditions, fail } of recipe) {
    if (conditions.every((condition) => holds(document, condition, fail))) applyStep(document, step, fail);
  }
  return document.root;
}

/** The steps of a recipe with what every event would make anew. */
export type PreparedRecipe = readonly {
  readonly step: RecipeStep;
  readonly conditions: readonly RecipeCondition[];
  readonly fail: Fail;
}[];

export function prepareRecipe({ name, steps }: Recipe): PreparedRecipe {
  return steps.map((step, index) => {
    const path = step.do === "rename" ? step.from : step.path;
    const fail: Fail = (pointer, problem) =>
      failed(`Step ${index + 1} of the recipe "${name}" (${step.do} ${path}): ${problem}.`, pointer);
    return { step, conditions: step.if === undefined ? [] : [step.if].flat(), fail };
  });
}

type Fail = (pointer: string, problem: string) => EventPulseError;

function holds(document: JsonRoot, condition: RecipeCondition, fail: Fail): boolean {
  const { value } = placeAt(document, condition.path);
  const { exists, equals, matches, type } = condition;
  if (exists !== undefined && exists !== (value !== undefined)) return false;
  if (equals !== undefined && equals !== value) return false;
  if (type !== undefined && type !== typeOf(value)) return false;
  if (matches === undefined) return true;
  if (typeof value !== "string") return false;
  refuseLong(value, condition.path, fail);
  return new RegExp(matches, "u").test(value);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function applyStep(document: JsonRoot, step: RecipeStep, fail: Fail): void {
  const path = step.do === "rename" ? step.from : step.path;
  const place = placeAt(document, path);
  switch (step.do) {
    case "set":
      put(document, path, copyJson(step.value), fail);
      return;
    case "default":
      if (place.value === undefined || place.value === null) put(document, path, copyJson(step.value), fail);
      return;
    case "remove":
      if (place.value !== undefined) removeAt(place);
      return;
    case "rename":
      if (place.value !== undefined) rename(document, place, step.to, path.startsWith(`${step.to}/`), fail);
      return;
    case "cast": {
      if (place.value === undefined) return;
      const cast = castValue(place.value, step.to);
      if (cast === undefined) throw fail(path, `this ${typeOf(place.value)} cannot be read as a ${step.to}`);
      replaceAt(place, cast);
      return;
    }
    case "replace":
      if (typeof place.value !== "string") return;
      refuseLong(place.value, path, fail);
      replaceAt(place, replaced(place.value, step, fail));
  }
}

function rename(document: JsonRoot, place: JsonPlace, to: string, outwards: boolean, fail: Fail): void {
  if (outwards) {
    replaceAt(placeAt(document, to), place.value);
    return;
  }
  const { value: there } = placeAt(document, to);
  if (there !== undefined && there !== null) throw fail(to, `a value is at ${to} already; remove it first`);
  removeAt(place);
  put(document, to, place.value, fail);
}

/** Sets a value, whether one was there or not; objects above it that are missing or null are made. */
function put(document: JsonRoot, path: string, value: unknown, fail: Fail): void {
  for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const above = placeAt(document, path.slice(0, slash));
    if (above.value === undefined) addAt(above, {});
    else if (above.value === null) replaceAt(above, {});
  }
  const place = placeAt(document, path);
  if (place.value !== undefined) replaceAt(place, value);
  else if (!addAt(place, value)) throw fail(path, "what is above this path can hold no such value");
}

function replaced(text: string, { pattern, with: replacement }: RecipeStep & { do: "replace" }, fail: Fail): string {
  let characters = 0;
  return text.replaceAll(new RegExp(pattern, "gu"), (_, ...groups: unknown[]) => {
    const written = replacement.replaceAll(/\$(\$|[1-9])/g, (_all, group: string) => {
      const found = groups[Number(group) - 1];
      return group === "$" ? "$" : typeof found === "string" ? found : "";
    });
    characters += written.length;
    if (characters > limits.eventBytesMax) throw fail("", "the text would become larger than an event may be");
    return written;
  });
}

function refuseLong(text: string, path: string, fail: Fail): void {
  if (text.length <= patternTextCharactersMax) return;
  throw fail(path, `a pattern is applied to at most ${patternTextCharactersMax} characters, and this text is longer`);
}

function failed(detail: string, pointer = ""): EventPulseError {
  const errors: readonly ErrorDetail[] = [{ pointer, code: "RECIPE_FAILED", detail }];
  return new EventPulseError("RECIPE_FAILED", detail, { errors });
}

/**
 * What a job applies to the data of each event; null when it mends nothing. Throws RECIPE_UNKNOWN when the config does not have
 * the function (any more). What it returns throws RECIPE_FAILED when a recipe does, and when a function of the config throws, returns
 * null (it cannot mend this event) or anything but a JSON object. It never changes the data that it is given, and asks for the failure
 * only when the function is to know it.
 */
export function mendingFunction(
  mending: Mending | null,
  project: Project,
): ((event: unknown, failure: () => RecipeFailure | null) => unknown | Promise<unknown>) | null {
  if (mending === null) return null;
  if (mending.kind === "recipe") {
    const recipe = prepareRecipe(mending.recipe);
    return (event) => applyRecipe(recipe, event);
  }
  const { name } = mending;
  const found = project.recipes.get(name);
  if (found?.kind !== "function") {
    const remedy = "Put it back, or start another job without it.";
    throw new EventPulseError("RECIPE_UNKNOWN", `The config has no function "${name}" in recipes. ${remedy}`);
  }
  return (event, failure) => mendedBy(found, event, failure());
}

async function mendedBy(
  { name, apply }: { readonly name: string; readonly apply: RecipeFunction },
  event: unknown,
  failure: RecipeFailure | null,
): Promise<unknown> {
  if (failure === null) throw failed(`The recipe "${name}" has nothing to mend: retention has removed the failure.`);
  const { id, stream, code, errors } = failure;
  let result: unknown;
  try {
    result = await apply(copyJson(event), { id, stream, code, errors });
  } catch (error) {
    // Like that of a transform, it may quote data and is the only hint there is: it goes to the job, never to a log.
    throw failed(`The recipe "${name}" threw: ${String(error).split("\n", 1)[0]?.slice(0, 300)}`);
  }
  if (result === null || result === undefined) throw failed(`The recipe "${name}" cannot mend this event.`);
  try {
    return JSON.parse(serialise(result));
  } catch (error) {
    const [reason] = error instanceof EventPulseError ? error.errors : [];
    const what = reason === undefined ? "cannot be written as JSON" : `${reason.pointer} ${reason.detail}`.trim();
    throw failed(`The recipe "${name}" returned no event: ${what}.`);
  }
}
