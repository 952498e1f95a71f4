import { build, type Metafile } from "esbuild";
import { projectRoot } from "./working-copy.ts";

/**
 * What all functions together take from the core: a step up is to be noticed. The zips, none of which holds all of it, have
 * limits of their own (`eventpulse build`), and `npm run bench -- cold-start` prints how long each takes to start.
 */
const bundleBytesMax = 550_000;
const largestShown = 10;

/**
 * What a Lambda will run: the public API that configs import, the HTTP app and the pipeline, none of them bound to a
 * platform. Lambda's Node 22 has no `node:sqlite`, so nothing here may need it.
 */
const entry = `
export * from "./src/index.ts";
export * from "./src/http/create-app.ts";
export * from "./src/pipeline/ingest/accept.ts";
export * from "./src/pipeline/process/compile-contract.ts";
export * from "./src/pipeline/process/process-raw.ts";
`;

const { metafile, warnings } = await build({
  stdin: { contents: entry, resolveDir: projectRoot, sourcefile: "lambda.ts", loader: "ts" },
  absWorkingDir: projectRoot,
  bundle: true,
  minify: true,
  legalComments: "none",
  format: "esm",
  platform: "node",
  target: "node22",
  write: false,
  metafile: true,
  logLevel: "warning",
  outfile: "lambda.mjs",
});

const problems = warnings.map(({ text }) => text);
const output = Object.values(metafile.outputs)[0];
if (!output) throw new Error("esbuild made no bundle.");
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(
  `Bundle of public API, HTTP app and pipeline, minified: ${kilobytes(output.bytes)}, limit ${kilobytes(bundleBytesMax)}`,
);
for (const [name, bytes] of largest(output).slice(0, largestShown))
  console.log(`  ${kilobytes(bytes).padStart(9)}  ${name}`);

if (output.bytes > bundleBytesMax) problems.push(`The bundle is too large: leave out what the list above shows.`);
for (const { path } of output.imports) {
  if (path === "node:sqlite" || !path.startsWith("node:")) {
    problems.push(`The bundle needs ${path}, which Lambda does not have: import it in the embedded platform only.`);
  }
}
for (const path of Object.keys(metafile.inputs)) {
  if (path.startsWith("src/platforms/"))
    problems.push(`The bundle holds ${path}: the core must not import a platform.`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Bytes by package, and by folder of our own code, largest first. */
function largest(bundle: Metafile["outputs"][string]): [string, number][] {
  const sizes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(bundle.inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path.split("/").slice(0, 3).join("/");
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  return [...sizes].sort((a, b) => b[1] - a[1]);
}
