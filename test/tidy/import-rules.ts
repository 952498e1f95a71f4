import { builtinModules } from "node:module";
import { posix } from "node:path";
import type { Finding } from "./finding.ts";
import type { Import, SourceFacts } from "./source-facts.ts";

/** Node's modules that compute and do no input or output: allowed everywhere. */
const pureBuiltins = ["node:buffer", "node:crypto", "node:string_decoder", "node:util", "node:zlib"];
const pureLibraries = ["ajv", "croner", "csv-parse", "csv-stringify", "standardwebhooks", "zod"];
const any = "*";

interface Room {
  /** Which files live here. */
  readonly files: RegExp;
  /** Which rooms it may import. `own` is the same folder below platforms. */
  readonly rooms: readonly string[];
  /** Which rooms it may reach by `import()` only, so that they load when they are needed. */
  readonly dynamic?: readonly string[];
  readonly packages: readonly string[];
}

/** The rooms of `src/` and who may import whom; the first that fits a file is its room. `docs/ARCHITECTURE.md` gives the reasons. */
const rooms: Readonly<Record<string, Room>> = {
  model: { files: /^src\/model\//, rooms: ["model"], packages: [...pureBuiltins, "zod"] },
  ports: { files: /^src\/ports\//, rooms: ["model", "ports"], packages: [] },
  pipeline: {
    files: /^src\/pipeline\/(?:ingest|process|store|failures|notify|report|workflows)\//,
    rooms: ["model", "ports", "pipeline"],
    packages: [...pureBuiltins, ...pureLibraries],
  },
  http: {
    files: /^src\/http\//,
    rooms: ["model", "ports", "pipeline", "http"],
    packages: [...pureBuiltins, ...pureLibraries, "hono", "@hono/zod-openapi"],
  },
  config: {
    files: /^src\/config\//,
    rooms: ["model", "ports", "pipeline", "config"],
    packages: [
      ...pureBuiltins,
      ...pureLibraries,
      "node:fs",
      "node:child_process",
      "node:module",
      "node:os",
      "node:path",
      "node:url",
    ],
  },
  platformEntry: {
    files: /^src\/platforms\/[^/]+\/(?:main\.ts|http-server\.ts|handlers\/[^/]+|[^/]+-(?:thread|loop)\.ts)$/,
    rooms: ["model", "ports", "pipeline", "http", "config", "own"],
    packages: [any],
  },
  platformAdapter: { files: /^src\/platforms\/[^/]+\//, rooms: ["model", "ports", "own"], packages: [any] },
  cli: {
    files: /^src\/cli\//,
    rooms: ["model", "pipeline", "config", "client", "cli"],
    dynamic: ["http", "platformEntry", "platformAdapter"],
    packages: [any],
  },
  publicApi: {
    files: /^src\/index\.ts$/,
    rooms: ["model", "pipeline", "config", "client"],
    packages: ["zod"],
  },
  client: { files: /^src\/client\//, rooms: ["model", "config", "client"], packages: [] },
};

/** Who may import whom, also by `import type` and `import()`. */
export function layerFindings(files: readonly SourceFacts[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(({ path }) => path.startsWith("src/"))) {
    const name = roomOf(file.path);
    const room = name === null ? undefined : rooms[name];
    if (name === null || room === undefined) {
      const message = "no room of the layout takes this file: see the layout in docs/ARCHITECTURE.md and move it";
      findings.push({ rule: "layout", path: file.path, line: 0, message });
      continue;
    }
    for (const imported of file.imports) {
      const message = imported.specifier.startsWith(".")
        ? roomProblem(file, name, room, imported)
        : packageProblem(name, room, imported);
      if (message !== null) findings.push({ rule: "import", path: file.path, line: imported.line, message });
    }
  }
  return findings;
}

function roomProblem(file: SourceFacts, name: string, room: Room, imported: Import): string | null {
  const target = targetOf(file, imported);
  if (!target.startsWith("src/")) {
    if (target === "package.json") return null;
    return `code of the product imports ${target}, which is not published: move what it needs into src/`;
  }
  const targetRoom = roomOf(target);
  const platform = platformOf(target);
  if (platform !== null && platform === platformOf(file.path)) {
    if (name !== "platformAdapter" || targetRoom === "platformAdapter") return null;
    return `an adapter imports ${target}, which composes adapters: let ${posix.basename(target)} pass in what is needed`;
  }
  if (targetRoom !== null && room.rooms.includes(targetRoom)) return null;
  if (targetRoom !== null && room.dynamic?.includes(targetRoom)) {
    if (imported.kind !== "static") return null;
    return `${name} loads ${target} at start: use \`await import("${imported.specifier}")\` where it is needed`;
  }
  const may = room.rooms.map((other) => (other === "own" ? "its own platform" : other)).join(", ");
  return `${name} may import ${may} and not ${target}: pass it in as a port or move the code to where it belongs`;
}

function packageProblem(name: string, room: Room, imported: Import): string | null {
  const wanted = packageOf(imported.specifier);
  if (!wanted.startsWith("node:") && builtinModules.includes(wanted)) return `write "node:${imported.specifier}"`;
  if (room.packages.includes(any) || room.packages.includes(wanted)) return null;
  const may = room.packages.length === 0 ? "no package" : room.packages.join(", ");
  return `${name} may import ${may} and not ${wanted}: do this in an adapter behind a port`;
}

/** Files that import each other in a circle. Types count: two files that need each other's types are one idea or need a third. */
export function cycleFindings(files: readonly SourceFacts[]): Finding[] {
  const graph = new Map(
    files.map((file) => {
      const near = file.imports.filter(({ specifier, kind }) => specifier.startsWith(".") && kind !== "dynamic");
      return [file.path, near.map((imported) => targetOf(file, imported))] as const;
    }),
  );
  const done = new Set<string>();
  const findings: Finding[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      const circle = [...trail.slice(trail.indexOf(path)), path].join(" → ");
      const message = `imports go in a circle: ${circle}. Move what both need into a file of its own`;
      findings.push({ rule: "cycle", path, line: 0, message });
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return findings;
}

/** Packages that `src/` imports are dependencies (users get no devDependencies), and every dependency is imported or used at build. */
export function dependencyFindings(
  files: readonly SourceFacts[],
  manifest: { readonly dependencies?: Readonly<Record<string, string>> },
): Finding[] {
  const declared = Object.keys(manifest.dependencies ?? {});
  const findings: Finding[] = [];
  const used = new Set<string>();
  for (const file of files.filter(({ path }) => path.startsWith("src/"))) {
    for (const { specifier, line } of file.imports) {
      const wanted = packageOf(specifier);
      used.add(wanted);
      if (specifier.startsWith(".") || specifier.startsWith("node:") || declared.includes(wanted)) continue;
      const message = `${wanted} is not in the dependencies of package.json, so users will not have it: add it there`;
      findings.push({ rule: "dependency", path: file.path, line, message });
    }
  }
  for (const name of declared.filter((name) => !used.has(name))) {
    const message = `nothing in src/ imports ${name}: remove it from the dependencies`;
    findings.push({ rule: "dependency", path: "package.json", line: 0, message });
  }
  return findings;
}

function targetOf(file: SourceFacts, imported: Import): string {
  return posix.normalize(posix.join(posix.dirname(file.path), imported.specifier));
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier.split("/")[0] ?? specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function roomOf(path: string): string | null {
  return Object.entries(rooms).find(([, room]) => room.files.test(path))?.[0] ?? null;
}

function platformOf(path: string): string | null {
  return /^src\/platforms\/([^/]+)\//.exec(path)?.[1] ?? null;
}
