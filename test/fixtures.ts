import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/**
 * The folder of real inputs that live beside the project and are read in place, never copied into it:
 * `EVENTPULSE_FIXTURES_DIR`, or `../shared/fixtures` from the project's root.
 */
export function fixturesFolder(): string {
  return resolve(projectRoot, process.env["EVENTPULSE_FIXTURES_DIR"] ?? "../shared/fixtures");
}

/**
 * Absolute path of a fixture, such as `json/naughty-strings.json`. Throws when it is missing: a test that needs it and
 * cannot have it must not pass.
 */
export function fixture(path: string): string {
  const full = join(fixturesFolder(), path);
  if (existsSync(full)) return full;
  throw new Error(`Fixture ${full} is missing: put the fixtures there or set EVENTPULSE_FIXTURES_DIR.`);
}

/**
 * For `test(name, { skip: fixtureMissing(path) }, …)`: the reason to skip, or false when the test must run. With
 * `EVENTPULSE_FIXTURES=required`, as `.ci/run` sets it, the test always runs and `fixture()` fails it.
 */
export function fixtureMissing(path: string): string | false {
  if (process.env["EVENTPULSE_FIXTURES"] === "required") return false;
  const full = join(fixturesFolder(), path);
  if (existsSync(full)) return false;
  return `fixture ${full} is missing; put the fixtures there or set EVENTPULSE_FIXTURES_DIR`;
}
