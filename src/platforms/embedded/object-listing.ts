import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeName, objectPathMarks, prefixFolders } from "./object-path.ts";

/** One object found in the folders. */
export interface ListedObject {
  readonly key: string;
  readonly path: string;
}

interface Entry {
  /** Bytes of the part of the key. */
  readonly part: Buffer;
  readonly path: string;
  readonly isObject: boolean;
}

/** Objects whose key starts with `prefix`, ascending by UTF-8 bytes. Holds one folder of each level in memory at a time. */
export async function* objectListing(directory: string, prefix: string): AsyncIterable<ListedObject> {
  if (!prefix.isWellFormed() || prefix.includes("\u0000")) return;
  const whole = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  // Parts that no key can have lead nowhere, least of all out of the folder.
  if (
    whole
      .split("/")
      .slice(0, -1)
      .some((part) => part === "" || part === "." || part === "..")
  )
    return;
  const start = join(directory, ...prefixFolders(prefix));
  yield* walk(start, Buffer.from(whole), Buffer.from(prefix.slice(whole.length)));
}

/** `above`: bytes of the key before this folder. `startsWith`: what the next part must begin with. */
async function* walk(folder: string, above: Buffer, startsWith: Buffer): AsyncIterable<ListedObject> {
  const entries = await entriesOf(folder, Buffer.alloc(0));
  const matching = entries.filter(({ part }) => part.subarray(0, startsWith.length).equals(startsWith));
  // The keys below a folder all go on with "/", so it sorts as if its name ended in one: "a!" stands before "a/b".
  matching.sort((left, right) => Buffer.compare(sortKey(left), sortKey(right)));
  for (const { part, path, isObject } of matching) {
    const key = Buffer.concat([above, part]);
    if (isObject) yield { key: key.toString(), path };
    else yield* walk(path, Buffer.concat([key, Buffer.from("/")]), Buffer.alloc(0));
  }
}

function sortKey({ part, isObject }: Entry): Buffer {
  return isObject ? part : Buffer.concat([part, Buffer.from("/")]);
}

/** The entries of a folder, those of parts that were cut put together again. */
async function entriesOf(folder: string, begin: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const name of await namesIn(folder)) {
    // Our own folders begin with the mark: an encoded name never does.
    if (name.startsWith("~")) continue;
    const path = join(folder, name);
    const isCut = name.endsWith(objectPathMarks.cut);
    const isObject = !isCut && name.endsWith(objectPathMarks.object);
    const mark = isCut ? objectPathMarks.cut : isObject ? objectPathMarks.object : "";
    const part = Buffer.concat([begin, decodeName(name.slice(0, name.length - mark.length))]);
    if (isCut) entries.push(...(await entriesOf(path, part)));
    else entries.push({ part, path, isObject });
  }
  return entries;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return [];
    throw error;
  }
}
