import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { strToU8, zipSync } from "fflate";
import { lambdaPlugins } from "./lambda-plugins.ts";

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
    plugins: lambdaPlugins({ index: own("../index"), usesLocales: await usesLocales(configFile) }),
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

/** Whether the config, or a file of its own that it imports, speaks of languages. */
async function usesLocales(configFile: string): Promise<boolean> {
  const { build } = await import("esbuild");
  const options = { bundle: true, packages: "external", platform: "node", format: "esm" } as const;
  const { outputFiles } = await build({ entryPoints: [configFile], ...options, write: false, logLevel: "silent" });
  return outputFiles.some(({ text }) => /\blocales\b/.test(text));
}
