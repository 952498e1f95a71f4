import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** The values of all `NAME.json` in a folder, by name; none when there is no such folder. Throws what is no JSON. */
export async function readJsonFiles(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(".json")).map(({ name }) => name);
  const values = names
    .sort()
    .map(async (name) => [basename(name, ".json"), JSON.parse(await readFile(join(folder, name), "utf8"))] as const);
  return Object.fromEntries(await Promise.all(values));
}
