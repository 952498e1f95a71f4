import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Files of the browser pages; nothing else can be asked for. */
const names = new Set(["swagger-ui-bundle.js", "swagger-ui.css"]);
const loaded = new Map<string, Uint8Array | null>();

/** A file of the browser pages by its name: from the published package, or from the development dependency of a checkout. Null when it has neither. */
export function asset(name: string): Uint8Array | null {
  if (!names.has(name)) return null;
  let content = loaded.get(name);
  if (content === undefined) {
    const path = [join(import.meta.dirname, "../../assets", name), developmentPath(name)].find(
      (one) => one !== null && existsSync(one),
    );
    content = path ? readFileSync(path) : null;
    loaded.set(name, content);
  }
  return content;
}

function developmentPath(name: string): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json")), name);
  } catch {
    return null;
  }
}

/** Version of the installed package. Read when asked for the first time. */
let version: string | null = null;

export function packageVersion(): string {
  version ??= (
    JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")) as { version: string }
  ).version;
  return version;
}
