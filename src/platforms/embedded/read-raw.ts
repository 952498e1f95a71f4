import type { RawMeta, RawObject } from "../../model/raw-object.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

/**
 * The raw object with this key from wherever it lies: the raw log, or the files that were uploaded, of which `metaOf` reads
 * the metadata. Null when it is gone.
 */
export async function readRaw(
  key: string,
  logged: (key: string) => RawObject | null | Promise<RawObject | null>,
  objects: Pick<ObjectStore, "head" | "get">,
  metaOf: (metadata: Readonly<Record<string, string>>) => RawMeta | null,
): Promise<RawObject | null> {
  const object = await logged(key);
  if (object !== null) return object;
  const [file, body] = [await objects.head(key), await objects.get(key)];
  const meta = file === null ? null : metaOf(file.metadata);
  return meta === null || body === null ? null : { key, meta, body };
}
