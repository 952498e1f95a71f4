import { failureId, partIdentityHash } from "../../model/identity.ts";
import type { RecordId } from "../../model/record.ts";
import type { Reprocessed } from "../../model/replacement.ts";
import { type Item, type ItemKey, keyText } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { RecordItem } from "./record-items.ts";
import type { Table } from "./table.ts";

/** What the table holds, as a replacement sees it: read once, with what it is about to write laid over it. */
export class ReplaceView {
  readonly #table: Table;
  /** As the table has it, as far as is known. */
  readonly #stored = new Map<string, Item | null>();
  readonly #changed = new Map<string, Item | null>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Reads at once what the events will be looked up by. */
  async prefetch(reprocessed: readonly Reprocessed[]): Promise<void> {
    const keys: ItemKey[] = [];
    for (const { rawKey, meta, events } of reprocessed) {
      const { tenant, stream, receivedAt } = meta;
      for (const { index, place, records } of events) {
        keys.push(itemKeys.failure(failureId(rawKey, receivedAt, index)));
        if (place === null) continue;
        keys.push(itemKeys.record(tenant, stream, place.id.subarray(6)));
        // One more than there would be: the first that is not there tells that there are no more.
        for (let part = 1; part <= Math.max(1, records.length); part++) {
          keys.push(itemKeys.record(tenant, stream, partIdentityHash(tenant, stream, place.name, part).bytes10));
        }
      }
    }
    await this.#load(keys);
    await this.#load(reprocessed.flatMap((one) => this.#pointers(one)));
  }

  async get(key: ItemKey): Promise<Item | null> {
    const text = keyText(key);
    const changed = this.#changed.get(text);
    if (changed !== undefined) return changed;
    const known = this.#stored.get(text);
    if (known !== undefined) return known;
    const item = await this.#table.get(key);
    this.#stored.set(text, item);
    return item;
  }

  /** What is stored under the identity of this record, from whatever time it is. */
  async record(tenant: string, stream: string, id: RecordId): Promise<RecordItem | null> {
    return (await this.get(itemKeys.record(tenant, stream, id.subarray(6)))) as RecordItem | null;
  }

  /** Null: it is removed. */
  change(key: ItemKey, item: Item | null): void {
    this.#changed.set(keyText(key), item);
  }

  /** As the table had it when it was read, or as it was written since. */
  stored(key: ItemKey): Item | null {
    return this.#stored.get(keyText(key)) ?? null;
  }

  /** The table has it like this now. */
  written(key: ItemKey, item: Item | null): void {
    this.#stored.set(keyText(key), item);
  }

  /** Events that are not stored may have been failures before. */
  #pointers({ meta, events }: Reprocessed): ItemKey[] {
    const { tenant, stream } = meta;
    return events.flatMap(({ place }) => {
      if (place === null || place.identity === null) return [];
      if (this.stored(itemKeys.record(tenant, stream, place.id.subarray(6))) !== null) return [];
      return [itemKeys.waiting(tenant, stream, place.identity, place.contentHash)];
    });
  }

  async #load(keys: readonly ItemKey[]): Promise<void> {
    const found = await this.#table.getAll(keys);
    for (const key of keys) this.#stored.set(keyText(key), found.get(keyText(key)) ?? null);
  }
}
