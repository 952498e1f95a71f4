import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { strToU8, zipSync } from "fflate";

export const lambdaNames = ["http", "process", "simulate", "dead-letters", "notify"] as const;
export type LambdaName = (typeof lambdaNames)[number];

export interface BundleInput {
  /** Absolute path. */
  readonly configFile: string;
  /** Recipes beside it, by name. */
  readonly recipes: Readonly<Record<string, unknown>>;
  readonly version: string;
}

/** One function as Lambda takes it: `index.mjs`, whose `handler` is called. */
export interface LambdaPackage {
  readonly name: LambdaName;
  readonly zip: Uint8Array;
  /** Of the code in it. */
  readonly bytes: number;
}

/** Packages in CommonJS call `require`, which a module does not have. */
const banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Bundles the handler of a function with a config. The same input gives the same bytes. */
export async function lambdaPackage(name: LambdaName, input: BundleInput): Promise<LambdaPackage> {
  const { build } = await import("esbuild");
  const { configFile, recipes, version } = input;
  const handlers = `../platforms/aws/handlers/${name}`;
  const contents = [
    `import config from ${JSON.stringify(configFile)};`,
    `import { lambdaHandler } from ${JSON.stringify(own(handlers))};`,
    `export const handler = lambdaHandler({ config, recipes: ${JSON.stringify(recipes)}, version: ${JSON.stringify(version)} });`,
  ].join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dirname(configFile), sourcefile: `${name}.ts`, loader: "ts" },
    bundle: true,
    minify: true,
    legalComments: "none",
    format: "esm",
    platform: "node",
    target: "node22",
    mainFields: ["module", "main"],
    conditions: isCheckout ? ["eventpulse-source"] : [],
    banner: { js: banner },
    plugins: [ownPackage],
    logLevel: "silent",
    write: false,
  });
  const code = outputFiles[0]?.contents ?? strToU8("");
  // One time for all files: a zip tells nothing of when and where it was made.
  const attributes = { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: 0o644 << 16 } as const;
  return { name, zip: zipSync({ "index.mjs": [code, attributes] }), bytes: code.length };
}

const isCheckout = import.meta.url.endsWith(".ts");

/** A file of ours by its path without extension: sources in a checkout, else what was compiled. */
function own(path: string): string {
  return fileURLToPath(new URL(`${path}${isCheckout ? ".ts" : ".js"}`, import.meta.url));
}

/** Packages that a config may use although its folder has not installed them, as with a global installation. */
const provided = createRequire(import.meta.url);

/** `eventpulse` is always the one that builds: two copies would not know each other's handles. zod is the config's own, or ours. */
const ownPackage: Plugin = {
  name: "own-package",
  setup(build) {
    build.onResolve({ filter: /^eventpulse$/ }, () => ({ path: own("../index") }));
    build.onResolve({ filter: /^zod$/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === "own-package") return undefined;
      const { kind, importer, resolveDir } = from;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: "own-package" });
      if (found.errors.length === 0) return found;
      return build.resolve(path, { kind, resolveDir: dirname(provided.resolve("zod")), pluginData: "own-package" });
    });
  },
};
