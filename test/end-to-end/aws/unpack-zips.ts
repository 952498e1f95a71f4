import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";

/** Unpacks each `NAME.zip` of a folder into `to/NAME`, as Lambda does at a cold start. */
export async function unpackZips(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (!name.endsWith(".zip")) continue;
    for (const [path, bytes] of Object.entries(unzipSync(await readFile(join(from, name))))) {
      if (path.endsWith("/")) continue;
      const file = join(to, name.slice(0, -".zip".length), path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
  }
}
