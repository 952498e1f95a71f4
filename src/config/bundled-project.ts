import type { Project } from "../model/definition.ts";
import { EventPulseError } from "../model/error.ts";
import { readRecipe } from "../pipeline/failures/read-recipe.ts";
import { checkConfig } from "./check-config.ts";
import { isHandle } from "./handle.ts";
import { Problems } from "./problems.ts";

/** A config that was bundled together with what lies beside it. */
export interface BundledConfig {
  /** The default export of the config file. */
  readonly config: unknown;
  /** Recipes by name, as the JSON of their files. */
  readonly recipes: Readonly<Record<string, unknown>>;
}

/** The project of a bundled config: `loadConfig` without files. Throws CONFIG_INVALID, as when a variable is not set where it runs. */
export function bundledProject(
  { config, recipes }: BundledConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Project {
  const problems = new Problems();
  const project = isHandle(config, "config") ? checkConfig(config, environment, problems) : null;
  if (project === null || problems.count > 0) {
    const message = "The config of this bundle cannot be used here. Correct what is listed and build it again.";
    throw new EventPulseError("CONFIG_INVALID", message, { errors: problems.details() });
  }
  const read = Object.entries(recipes).map(
    ([name, json]) => [name, { kind: "recipe", recipe: readRecipe(json, name) }] as const,
  );
  return { ...project, recipes: new Map([...project.recipes, ...read]) };
}
