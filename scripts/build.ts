import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** What the interactive API docs need, so that they work without a network; with the licence that asks to go along. */
const docsAssets = ["swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"];

/** Makes `dist/`, what the published package runs: JavaScript, its declarations and the assets of the interactive docs. */
export function build(): void {
  rmSync(dist, { recursive: true, force: true });
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  execFileSync(process.execPath, [compiler, "--project", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  const assets = join(dist, "assets");
  mkdirSync(assets);
  const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const name of docsAssets) {
    const prefix = name === name.toUpperCase() ? "swagger-ui-" : "";
    copyFileSync(join(from, name), join(assets, `${prefix}${name}`));
  }
}

if (import.meta.main) {
  try {
    build();
    console.log(`Built dist/: ${readdirSync(dist, { recursive: true }).length} files`);
  } catch (error) {
    // The compiler has said what is wrong; a half-made dist/ must not be packed.
    rmSync(dist, { recursive: true, force: true });
    console.error(`dist/ was not built: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
