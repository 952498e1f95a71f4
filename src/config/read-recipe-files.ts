import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { EventPulseError } from "../model/error.ts";
import type { ProjectRecipe } from "../model/recipe.ts";
import { readRecipe } from "../pipeline/failures/read-recipe.ts";
import { inspectJson } from "../pipeline/ingest/inspect-json.ts";
import { scanJson } from "../pipeline/ingest/scan-json.ts";
import { type Problems, shortPath } from "./problems.ts";

/** Folder of recipes, beside the config file. */
export const recipesFolder = "recipes";

/**
 * Adds the recipes of a folder, one in each `NAME.json`, to those of the config. No folder: none. Every problem of every file is
 * noted, as is a name that the config has given to a function.
 */
export function readRecipeFiles(
  folder: string,
  functions: ReadonlyMap<string, ProjectRecipe>,
  problems: Problems,
): ReadonlyMap<string, ProjectRecipe> {
  const recipes = new Map(functions);
  for (const file of jsonFiles(folder)) {
    const name = basename(file, ".json");
    if (functions.has(name)) {
      problems.addAt(file, 0, `the config has a function "${name}" in recipes already; rename one of the two.`);
    }
    try {
      recipes.set(name, { kind: "recipe", recipe: readRecipe(parse(readFileSync(file)), name) });
    } catch (error) {
      noteProblems(error, file, problems);
    }
  }
  return recipes;
}

function jsonFiles(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const names = entries
      .filter((entry) => !entry.isDirectory() && entry.name.endsWith(".json"))
      .map(({ name }) => name);
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return [];
    throw new EventPulseError("CONFIG_INVALID", `The folder ${shortPath(folder)} cannot be read; see to its rights.`);
  }
}

function parse(bytes: Uint8Array): unknown {
  if (scanJson(bytes, 0, bytes.length).tooDeep) throw new EventPulseError("JSON_TOO_DEEP", "it is nested too deeply");
  const text = Buffer.from(bytes).toString("utf8");
  const value: unknown = JSON.parse(text);
  const errors = inspectJson(text);
  if (errors.length > 0) throw new EventPulseError("RECIPE_INVALID", "it is not what it seems", { errors });
  return value;
}

function noteProblems(error: unknown, file: string, problems: Problems): void {
  if (error instanceof EventPulseError && error.errors.length > 0) {
    for (const { pointer, detail } of error.errors)
      problems.addAt(file, 0, `${pointer === "" ? "" : `${pointer}: `}${detail}.`);
  } else if (error instanceof EventPulseError || error instanceof SyntaxError) {
    problems.addAt(file, 0, `cannot be read as JSON: ${error.message}.`);
  } else {
    problems.addAt(file, 0, "cannot be read; see whether it is a file and to its rights.");
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
