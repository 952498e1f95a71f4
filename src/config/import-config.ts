import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { stripTypes } from "./strip-types.ts";

/** Marks the modules of one load, so that the next one reads them again. */
const mark = "eventpulse";
/** A config may live in a project that has not installed these itself, as with a global installation: then ours are used. */
const providedPackages = new Set(["eventpulse", "zod"]);

let loads = 0;

/**
 * Imports a config as a module. With `fresh`, the file and every local file it imports are read again, although Node keeps
 * modules for ever: their addresses get a query that is new for each load. Packages (`node_modules`) and EventPulse itself stay
 * as they are, and so do CommonJS files. Each fresh load leaves the old modules in memory: meant for development.
 */
export async function importConfig(path: string, fresh: boolean): Promise<Readonly<Record<string, unknown>>> {
  loads += 1;
  const query = fresh ? `?${mark}=${loads}` : "";
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = resolveProvided(specifier, context, next);
      const marked = fresh && (context.parentURL?.endsWith(query) ?? false);
      return marked && isLocal(resolved.url) ? { ...resolved, url: resolved.url + query } : resolved;
    },
    load(url, context, next) {
      const source = stripTypes(url);
      return source === null ? next(url, context) : { format: "module", source, shortCircuit: true };
    },
  });
  try {
    return (await import(pathToFileURL(path).href + query)) as Readonly<Record<string, unknown>>;
  } finally {
    hooks.deregister();
  }
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>;

function resolveProvided(...[specifier, context, next]: Parameters<Resolve>): ReturnType<Resolve> {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!providedPackages.has(specifier)) throw error;
    return next(specifier, { ...context, parentURL: import.meta.url });
  }
}

function isLocal(url: string): boolean {
  const own = new URL("..", import.meta.url).href;
  return url.startsWith("file:") && !url.includes("?") && !url.includes("/node_modules/") && !url.startsWith(own);
}
