import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Plugin } from "esbuild";

export interface LambdaPluginOptions {
  /** Our own entry file. */
  readonly index: string;
  /** Whether the config speaks of languages. */
  readonly usesLocales: boolean;
}

/** What makes one bundle of a config and a handler, and no larger than it must be. */
export function lambdaPlugins({ index, usesLocales }: LambdaPluginOptions): Plugin[] {
  return [ownPackage(index), leaner(usesLocales), requiredHttp()];
}

/** Packages that a config may use although its folder has not installed them, as with a global installation. */
const provided = createRequire(import.meta.url);

/**
 * `eventpulse` is always the one that builds (`index` is its file): two copies would not know each other's handles. zod is the
 * config's own, or ours where its folder has none.
 */
function ownPackage(index: string): Plugin {
  const asked = Symbol("asked");
  return {
    name: "own-package",
    setup(build) {
      build.onResolve({ filter: /^eventpulse$/ }, () => ({ path: index }));
      build.onResolve({ filter: /^zod$/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (pluginData === asked) return undefined;
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: asked });
        if (found.errors.length === 0) return found;
        return build.resolve(path, { kind, resolveDir: dirname(provided.resolve("zod")), pluginData: asked });
      });
    },
  };
}

/** What stands in for a module, by the end of its path without extension. */
interface StandIn {
  readonly filter: RegExp;
  readonly name: string;
  readonly contents: string;
}

/** Lambda gives functions their credentials in the environment: every other way to find some would only make them larger. */
const environmentCredentials: StandIn = {
  filter: /^@aws-sdk\/credential-provider-node$/,
  name: "environment-credentials",
  contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
};

/** Messages in 40 languages are a third of zod. A config that names `locales` keeps them. */
const englishOnly: StandIn = {
  filter: /\/locales\/index\.js$/,
  name: "english-only",
  contents: 'export { default as en } from "./en.js";',
};

/** Leaves out what a function never needs. */
function leaner(usesLocales: boolean): Plugin {
  const standIns = usesLocales ? [environmentCredentials] : [environmentCredentials, englishOnly];
  return {
    name: "leaner",
    setup(build) {
      for (const { filter, name, contents } of standIns) {
        build.onResolve({ filter }, async ({ path, kind, importer, resolveDir, pluginData }) => {
          if (pluginData === name) return undefined;
          const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: name });
          const isMeant = name !== englishOnly.name || /[\\/]zod[\\/]/.test(found.path);
          return isMeant ? { path: found.path, namespace: name } : found;
        });
        build.onLoad({ filter: /.*/, namespace: name }, ({ path }) => ({ contents, resolveDir: dirname(path) }));
      }
    },
  };
}

/**
 * `node:http` and `node:https` by `require`. An import of a builtin reads all that it exports, and one of `http`'s exports is
 * WebSocket, for which Node loads its whole fetch: a tenth of a cold start, and most functions never fetch.
 */
function requiredHttp(): Plugin {
  const name = "required-http";
  return {
    name,
    setup(build) {
      build.onResolve({ filter: /^(?:node:)?https?$/ }, ({ path, kind }) =>
        kind === "import-statement" ? { path, namespace: name } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: name }, ({ path }) => ({
        contents: `module.exports = require("${path}");`,
      }));
    },
  };
}
