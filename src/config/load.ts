import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Project } from "../model/definition.ts";
import { EventPulseError } from "../model/error.ts";
import { checkConfig } from "./check-config.ts";
import { isHandle } from "./handle.ts";
import { importConfig } from "./import-config.ts";
import { importProblem } from "./import-problem.ts";
import { kindOf } from "./options-reader.ts";
import { Problems, shortPath } from "./problems.ts";
import { readRecipeFiles, recipesFolder } from "./read-recipe-files.ts";

export interface LoadOptions {
  /** Read the file, and the local files it imports, again although they have been loaded before. Default false. */
  readonly fresh?: boolean;
  /** Where `env()` looks. Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads and checks a config file (`.ts`, `.js`, `.mjs`; TypeScript by Node's type stripping) and
 * the recipes in `recipes/*.json` beside it. Throws CONFIG_INVALID whose `errors`
 * list everything that is wrong, each `detail` as `file:line: what: why; what to do`. What the file itself throws is
 * listed the same way.
 */
export async function loadConfig(
  file: string,
  { fresh = false, environment = process.env }: LoadOptions = {},
): Promise<{ readonly project: Project }> {
  const path = resolve(file);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    const remedy = "Run `eventpulse init` to write a first one, or name another with --config FILE.";
    throw new EventPulseError("CONFIG_INVALID", `There is no config file ${shortPath(path)}. ${remedy}`);
  }
  const problems = new Problems();
  const config = await importDefault(path, fresh, problems);
  const checked = isHandle(config, "config") ? checkConfig(config, environment, problems) : null;
  const recipes = readRecipeFiles(join(dirname(path), recipesFolder), checked?.recipes ?? new Map(), problems);
  const project = checked === null ? null : { ...checked, recipes };
  if (project !== null && problems.count === 0) return { project };
  if (project === null && problems.count === 0) {
    const is = config === undefined ? "has no default export" : `exports ${kindOf(config)} as its default`;
    problems.addAt(path, 0, `${is}; end it with \`export default defineConfig({ … })\`.`);
  }
  const count = problems.count === 1 ? "a problem" : `${problems.count} problems`;
  const message = `The config ${shortPath(path)} has ${count}. Correct what is listed and load it again.`;
  throw new EventPulseError("CONFIG_INVALID", message, { errors: problems.details() });
}

async function importDefault(path: string, fresh: boolean, problems: Problems): Promise<unknown> {
  try {
    return (await importConfig(path, fresh))["default"];
  } catch (error) {
    const { file, line, text } = importProblem(error, path);
    problems.addAt(file, line, text);
    return undefined;
  }
}
