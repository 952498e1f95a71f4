import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assert } from "../../model/error.ts";
import { checkObjectKey, checkObjectMetadata } from "../../model/object-key.ts";
import type { ObjectStore, StoredObject } from "../../ports/object-store.ts";
import type { Clock } from "./database.ts";
import { objectListing } from "./object-listing.ts";
import { objectPath } from "./object-path.ts";
import { signUploadLink } from "./upload-link.ts";

export { verifyUploadLink } from "./upload-link.ts";

export interface FileObjectStoreOptions {
  /** Made when the first object is stored. */
  readonly directory: string;
  readonly clock: Clock;
  /** Signs upload links; a store without it makes none. */
  readonly secret?: string;
  /** Where upload links lead, as clients see it, without a trailing slash. */
  readonly baseUrl?: () => string;
}

/** What lies beside a body. */
interface Sidecar {
  readonly storedAt: number;
  readonly metadata: Readonly<Record<string, string>>;
}

const bodyFile = "body";
const sidecarFile = "object.json";
/** Where objects are written before they appear, and go before they are removed. No encoded name begins with "~". */
const workFolder = "~work";

/** Objects as files, in folders that follow the parts of their keys. */
export function fileObjectStore({ directory, clock, secret, baseUrl }: FileObjectStoreOptions): ObjectStore {
  const pathOf = (key: string) => {
    checkObjectKey(key);
    return join(directory, ...objectPath(key));
  };
  const read = async (key: string, path: string): Promise<StoredObject | null> => {
    const sidecar = await absentAsNull(readFile(join(path, sidecarFile), "utf8"));
    const body = await absentAsNull(stat(join(path, bodyFile)));
    if (sidecar === null || body === null) return null;
    const { storedAt, metadata } = JSON.parse(sidecar) as Sidecar;
    return { key, bytes: body.size, storedAt, metadata };
  };

  return {
    async put(key, body, metadata = {}) {
      const path = pathOf(key);
      checkObjectMetadata(metadata);
      if ((await absentAsNull(stat(path))) !== null) return "exists";
      const prepared = await prepare(directory, body, { storedAt: clock(), metadata });
      return publish(directory, prepared, path);
    },
    async get(key) {
      return absentAsNull(readFile(join(pathOf(key), bodyFile)));
    },
    async head(key) {
      return read(key, pathOf(key));
    },
    async *list(prefix) {
      for await (const { key, path } of objectListing(directory, prefix)) {
        const object = await read(key, path);
        if (object !== null) yield object;
      }
    },
    async delete(key) {
      const path = pathOf(key);
      const trash = join(directory, workFolder, randomUUID());
      await mkdir(dirname(trash), { recursive: true });
      // Gone at once, by a rename; the files follow.
      if ((await absentAsNull(rename(path, trash))) === null) return;
      await flush(dirname(path));
      await rm(trash, { recursive: true, force: true });
    },
    async uploadLink(key, request) {
      checkObjectKey(key);
      assert(secret !== undefined && baseUrl !== undefined, "a store that makes links has a secret and an address");
      return signUploadLink(secret, baseUrl(), key, request);
    },
  };
}

/** Removes what a crash left half written. For the start, before anything is stored. */
export async function clearUnfinishedObjects(directory: string): Promise<void> {
  await rm(join(directory, workFolder), { recursive: true, force: true });
}

/** Writes body and sidecar into a folder of their own and flushes all three. */
async function prepare(directory: string, body: Uint8Array, sidecar: Sidecar): Promise<string> {
  const folder = join(directory, workFolder, randomUUID());
  await mkdir(folder, { recursive: true });
  await writeFlushed(join(folder, bodyFile), body);
  await writeFlushed(join(folder, sidecarFile), Buffer.from(JSON.stringify(sidecar)));
  await flush(folder);
  return folder;
}

/**
 * Renames the prepared folder to where the object belongs. A folder that is not empty is never replaced, so of two that
 * come at the same time the first stays, body and metadata together; a link for each file could mix the two.
 */
async function publish(directory: string, prepared: string, path: string): Promise<"created" | "exists"> {
  const parent = dirname(path);
  await mkdir(parent, { recursive: true });
  try {
    await rename(prepared, path);
  } catch (error) {
    await rm(prepared, { recursive: true, force: true });
    if (isCode(error, "ENOTEMPTY", "EEXIST", "EPERM") && (await absentAsNull(stat(path))) !== null) return "exists";
    throw error;
  }
  // Every folder on the way may be new, made here or by a put at the same time: each is an entry of the one above it.
  for (let folder = parent; folder.startsWith(directory); folder = dirname(folder)) await flush(folder);
  return "created";
}

async function writeFlushed(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new name in a folder is durable only when the folder is flushed. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function absentAsNull<T>(operation: Promise<T>): Promise<T | null> {
  try {
    return await operation;
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
