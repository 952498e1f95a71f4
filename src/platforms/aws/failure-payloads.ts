import type { ObjectStore } from "../../ports/object-store.ts";
import { entityOf, type Item, keyText, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { failureGraceMillis } from "./stored-failure.ts";
import { inParallel, type Table } from "./table.ts";

/** The bucket of payloads that are too big for an item. Its lifecycle rule removes them. */
export type PayloadObjects = Pick<ObjectStore, "put" | "get">;

export interface FailurePayload {
  readonly id: string;
  readonly original: Uint8Array;
  readonly expiresAt: number;
}

/** What the item holds in place of bytes that are too many for it. */
interface PayloadLink {
  readonly objectKey: string;
}

/** An item holds 400 KB, names included. An event has 256 KB at most; only what was refused for its size is longer. */
const itemBytesMax = 300 * 1024;

/** Writes payloads, each in an item of its own: lists of failures do not read them. Doing it twice changes nothing. */
export async function writePayloads(
  table: Table,
  objects: PayloadObjects | null,
  drafts: readonly FailurePayload[],
): Promise<void> {
  const items: Item[] = [];
  await inParallel(drafts, async ({ id, original, expiresAt }) => {
    const item = { ...itemKeys.failurePayload(id), ttl: ttlOf(expiresAt + failureGraceMillis) };
    if (original.byteLength <= itemBytesMax) {
      items.push({ ...item, b: original });
      return;
    }
    if (objects === null) throw new Error(`no bucket is set for the ${original.byteLength} bytes of failure ${id}`);
    const link: PayloadLink = { objectKey: `failures/${id}` };
    await objects.put(link.objectKey, original);
    items.push({ ...item, j: JSON.stringify(link) });
  });
  await table.putAll(items);
}

/** Those that are there, by the failure's id. */
export async function readPayloads(
  table: Table,
  objects: PayloadObjects | null,
  ids: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const found = await table.getAll(ids.map((id) => itemKeys.failurePayload(id)));
  const payloads = new Map<string, Uint8Array>();
  await inParallel([...new Set(ids)], async (id) => {
    const item = found.get(keyText(itemKeys.failurePayload(id)));
    if (item === undefined) return;
    const bytes = item.b ?? (await objects?.get(entityOf<PayloadLink>(item).objectKey)) ?? null;
    if (bytes !== null) payloads.set(id, bytes);
  });
  return payloads;
}
