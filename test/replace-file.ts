import { rename, writeFile } from "node:fs/promises";

/** Puts another content in the place of a file at once: whoever watches it never reads one that is half written. */
export async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}
