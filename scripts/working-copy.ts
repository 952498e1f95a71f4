import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("..", import.meta.url));

/**
 * A copy of the project in a temporary folder, as a fresh clone would be: what git keeps or would keep, and no data. The
 * packages are those of the project, by a link. `close` removes it.
 */
export function workingCopy(): { readonly folder: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), "eventpulse-copy-"));
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  for (const path of new Set(listed.split("\0").filter((path) => path !== ""))) {
    if (!existsSync(join(projectRoot, path))) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(projectRoot, path), join(folder, path));
  }
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) };
}
