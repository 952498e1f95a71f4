import { cursorInvalid, decodeCursor, encodeCursor } from "../../model/cursor.ts";
import { assert } from "../../model/error.ts";
import { identityHash } from "../../model/identity.ts";
import { limits } from "../../model/limits.ts";
import type { Page } from "../../model/page.ts";
import { parseRecordId, type StoredRecord } from "../../model/record.ts";
import type { RecordQuery, RecordTable } from "../../ports/record-table.ts";
import { conditionMatcher } from "./condition-matcher.ts";
import { type ItemKey, keyText } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import { rawKeys } from "./raw-keys.ts";
import { recordIds } from "./record-ids.ts";
import { type RecordItem, storedRecord } from "./record-items.ts";
import { replaceRecords } from "./record-replace.ts";
import { recordSeries } from "./record-series.ts";
import type { Table } from "./table.ts";

/** The part of `RecordTable` that reads, and `replace`. */
export function recordQueries(table: Table): Pick<RecordTable, "query" | "get" | "series" | "rawKeys" | "replace"> {
  return {
    query: (query) => queryRecords(table, query),
    get: (tenant, stream, id) => getRecord(table, tenant, stream, id),
    series: (query) => recordSeries(table, query),
    rawKeys: (query) => rawKeys(table, query),
    replace: (reprocessed, dryRun) => replaceRecords(table, reprocessed, dryRun),
  };
}

/** Data of one page: an answer of a Lambda function holds 6 MB. */
const pageCharactersMax = 4 * 1024 * 1024;
/** Time after which a page ends, with a cursor, instead of reading on. */
const scanMillisMax = 2_000;
/** Records read at once: one call at first, more as long as they are small. 400 of the largest take 100 MB. */
const chunkFirst = 100;
const chunkMax = 400;
const chunkBytesMax = 1024 * 1024;

/** One page of records, by way of the index. It ends early where it has become large or has taken long. */
async function queryRecords(table: Table, query: RecordQuery): Promise<Page<StoredRecord>> {
  assert(query.where.length <= limits.conditionsMax, "the number of conditions is checked where a query is read");
  const limit = Math.min(Math.max(1, query.limit), limits.pageRowsMax);
  const filtered = query.where.length > 0;
  const matches = filtered ? conditionMatcher(query.where) : () => true;
  const after = query.cursor === null ? null : positionOf(query.cursor);
  const ids = new IdReader(recordIds(table, { ...query, after }));
  const rows: StoredRecord[] = [];
  const startedAt = performance.now();
  let characters = 0;
  let scanned = 0;
  for (let size = chunkFirst; ; ) {
    // Where nothing filters, each record that is there is a row of the page.
    const chunk = await ids.take(filtered ? size : Math.min(size, limit - rows.length));
    if (chunk.length === 0) return { rows, next: null };
    const { records, bytes } = await readRecords(table, query, chunk);
    for (const [position, record] of records.entries()) {
      if (record === null || !matches(record.dataJson)) continue;
      rows.push(record);
      characters += record.dataJson.length;
      if (rows.length < limit && characters < pageCharactersMax) continue;
      const more = position < chunk.length - 1 || (await ids.more());
      return { rows, next: more ? encodePosition(record.id.slice(4)) : null };
    }
    scanned += chunk.length;
    const spent = scanned >= limits.scanRowsMax || performance.now() - startedAt >= scanMillisMax;
    if (spent) return { rows, next: encodePosition(chunk.at(-1) ?? "") };
    size = bytes < chunkBytesMax ? Math.min(size * 2, chunkMax) : chunkFirst;
  }
}

/** In the order of `ids` (hex); null for those that are gone. */
async function readRecords(table: Table, { tenant, stream }: RecordQuery, ids: readonly string[]) {
  const keys = ids.map((id) => itemKeys.record(tenant, stream, Buffer.from(id, "hex").subarray(6)));
  const found = await table.getAll(keys);
  let bytes = 0;
  const records = keys.map((key, position) => {
    const item = found.get(keyText(key)) as RecordItem | undefined;
    // An identity that was removed and stored again may have another time, and so another place in the index.
    if (item === undefined || item.i !== ids[position]) return null;
    bytes += item.d.length;
    return storedRecord(item, stream);
  });
  return { records, bytes };
}

/** Takes ids out of the index, as many as are asked for. */
class IdReader {
  readonly #spans: AsyncGenerator<readonly string[]>;
  #span: readonly string[] = [];
  #taken = 0;

  constructor(spans: AsyncGenerator<readonly string[]>) {
    this.#spans = spans;
  }

  /** Fewer than `count` only at the end. */
  async take(count: number): Promise<readonly string[]> {
    const ids: string[] = [];
    while (ids.length < count && (await this.more())) {
      const part = this.#span.slice(this.#taken, this.#taken + count - ids.length);
      this.#taken += part.length;
      ids.push(...part);
    }
    return ids;
  }

  async more(): Promise<boolean> {
    if (this.#taken < this.#span.length) return true;
    const { done, value } = await this.#spans.next();
    this.#span = done === true ? [] : value;
    this.#taken = 0;
    return done !== true;
  }
}

function encodePosition(id: string): string {
  return encodeCursor("records", [id]);
}

function positionOf(cursor: string): string {
  const [hex] = decodeCursor("records", cursor, ["string"]);
  if (typeof hex !== "string" || !/^[0-9a-f]{32}$/.test(hex)) throw cursorInvalid();
  return hex;
}

/** An event of the client is found by its id when it was plain (no source), and by `{source}#{id}` (split at the last "#") when it was a CloudEvent. */
async function getRecord(table: Table, tenant: string, stream: string, id: string): Promise<StoredRecord | null> {
  const keyOf = (source: string, eventId: string) =>
    itemKeys.record(tenant, stream, identityHash(tenant, stream, source, eventId).bytes10);
  const parsed = parseRecordId(id);
  const split = id.lastIndexOf("#");
  const named = split > 0 ? [keyOf("", id), keyOf(id.slice(0, split), id.slice(split + 1))] : [keyOf("", id)];
  const byId = parsed === null ? null : itemKeys.record(tenant, stream, parsed.subarray(6));
  const found = await table.getAll(byId === null ? named : [byId, ...named]);
  const at = (key: ItemKey) => found.get(keyText(key)) as RecordItem | undefined;
  const item = byId && at(byId);
  if (item && `evt_${item.i}` === id) return storedRecord(item, stream);
  // Ids that were assigned are derived from names too, but nobody gave those.
  const known = named.map(at).find((one) => one?.e !== undefined);
  return known === undefined ? null : storedRecord(known, stream);
}
