import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Source text of a module far larger than any config. */
const outputBytesMax = 16 * 1024 * 1024;

const script = `
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
process.stdout.write(stripTypeScriptTypes(readFileSync(process.argv[1], "utf8")));
`;

/**
 * JavaScript of a local TypeScript module, line by line as it was, or null when Node shall load the module itself: it is no
 * TypeScript, or it has an error that Node explains better.
 *
 * Node's own type stripping keeps its compiler in memory: importing a small config takes 33 MB in each thread that does it,
 * with a process of its own for the compiler 19, and 30 ms longer. From a checkout, whose every module is TypeScript, there
 * is nothing to save.
 */
export function stripTypes(url: string): string | null {
  if (import.meta.url.endsWith(".ts")) return null;
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:" || !/\.m?ts$/.test(pathname) || pathname.includes("/node_modules/")) return null;
  const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script];
  try {
    return execFileSync(process.execPath, [...flags, fileURLToPath(`file://${pathname}`)], {
      encoding: "utf8",
      maxBuffer: outputBytesMax,
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return null;
  }
}
