import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import type { SourceFacts } from "./source-facts.ts";

export const fileLinesMax = 400;

/** A port is a file name: the same base name in `src/ports`, in every platform and in `test/contracts`, whose suite every platform runs. */
export function sameNameFindings(files: readonly SourceFacts[]): Finding[] {
  const paths = new Set(files.map(({ path }) => path));
  const ports = namesIn(paths, /^src\/ports\/([^/]+)\.ts$/);
  const platforms = namesIn(paths, /^src\/platforms\/([^/]+)\//);
  const finding = (path: string, message: string): Finding => ({ rule: "same-name", path, line: 0, message });
  const findings: Finding[] = [];
  for (const port of ports) {
    const portPath = `src/ports/${port}.ts`;
    const suite = `test/contracts/${port}.ts`;
    if (!paths.has(suite)) {
      findings.push(
        finding(portPath, `no contract suite: write ${suite} with one test for each sentence of this port`),
      );
    }
    for (const platform of platforms) {
      const adapter = `src/platforms/${platform}/${port}.ts`;
      if (!paths.has(adapter)) findings.push(finding(portPath, `the ${platform} platform lacks it: write ${adapter}`));
      if (paths.has(suite) && !files.some((file) => runsSuite(file, platform, port))) {
        findings.push(finding(suite, `no test in test/platforms/${platform}/ runs this suite: call it for ${adapter}`));
      }
    }
  }
  for (const { path, exports } of files) {
    const suite = /^test\/contracts\/([^/]+)\.ts$/.exec(path)?.[1];
    if (suite === undefined || ports.includes(suite) || !exports.some((name) => name.endsWith("Contract"))) continue;
    findings.push(finding(path, "no port has this name: rename the suite after its port in src/ports/"));
  }
  return findings;
}

function runsSuite(file: SourceFacts, platform: string, port: string): boolean {
  const inPlatform = file.path.startsWith(`test/platforms/${platform}/`) && /\.(?:test|aws)\.ts$/.test(file.path);
  return inPlatform && file.imports.some(({ specifier }) => specifier.endsWith(`/contracts/${port}.ts`));
}

function namesIn(paths: ReadonlySet<string>, pattern: RegExp): string[] {
  return [...new Set([...paths].flatMap((path) => pattern.exec(path)?.[1] ?? []))];
}

const bannedNames = ["lib", "utils", "util", "helpers", "helper", "manager", "common", "misc", "shared"];

/** Names that say nothing, whether of a folder or a part of a file's name. */
export function nameFindings(paths: readonly string[]): Finding[] {
  return paths.flatMap((path): Finding[] => {
    const banned = path.split(/[/.-]/).find((part) => bannedNames.includes(part.toLowerCase()));
    if (banned === undefined) return [];
    const message = `"${banned}" says nothing: name it after what it holds`;
    return [{ rule: "name", path, line: 0, message }];
  });
}

export function lengthFindings(files: readonly SourceFacts[]): Finding[] {
  return files
    .filter(({ lines }) => lines > fileLinesMax)
    .map(({ path, lines }) => {
      const message = `${lines} lines, at most ${fileLinesMax}: split it, one idea a file`;
      return { rule: "length", path, line: 0, message };
    });
}

/** Files that other code does not look up by an export's name: entry points, and the glossary, which is all words. */
const namedOtherwise = /(?:^|\/)(?:index|main|glossary|[\w-]+-thread)\.ts$|\/handlers\//;

/**
 * A file of `src/` is named after what it exports: `object-store.ts` exports `ObjectStore` or `fileObjectStore`,
 * `raw-frame.ts` a `Frame`, `folder-lock.ts` `lockFolder`.
 */
export function exportNameFindings(files: readonly SourceFacts[]): Finding[] {
  return files.flatMap(({ path, exports }): Finding[] => {
    if (!path.startsWith("src/") || namedOtherwise.test(path)) return [];
    const base = words(posix.basename(path, ".ts"));
    const fits = exports.map(words).some((name) => within(base, name) || within(name, base));
    if (fits) return [];
    const message = `exports ${exports.slice(0, 5).join(", ") || "nothing"}: name the file after its main export`;
    return [{ rule: "export-name", path, line: 0, message }];
  });
}

function within(part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean {
  return [...part].every((word) => whole.has(word));
}

/** The words of a name in kebab-case or camelCase, in the singular. */
function words(name: string): Set<string> {
  const kebab = name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2");
  const parts = kebab.toLowerCase().split("-");
  return new Set(parts.map((part) => part.replace(/(?<=..)ies$/, "y").replace(/(?<=..)s$/, "")));
}
