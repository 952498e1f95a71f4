import { type ErrorDetail, EventPulseError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { Page } from "../model/page.ts";
import type { RawObject } from "../model/raw-object.ts";
import type { ReadEvent } from "../pipeline/ingest/read-event.ts";
import type { Contract } from "../pipeline/process/contract.ts";
import { eventsOf } from "../pipeline/process/process-raw.ts";
import type { RawKeyQuery } from "../ports/record-table.ts";
import type { Services } from "./services.ts";

/** One event as it was sent. */
interface SentEvent {
  readonly rawKey: string;
  readonly rawIndex: number;
  /** RFC 3339. */
  readonly receivedAt: string;
  /** What a contract judges: of a CloudEvent its data, of a CSV row its cells by column. Null when it cannot be read. */
  readonly data: unknown;
  /** Why it cannot be read. */
  readonly errors: readonly ErrorDetail[];
}

/** Characters of data in one page: 1,000 events of the largest kind would take 256 MB. */
const pageCharactersMax = 8 * 1024 * 1024;

/** Where a page begins: a raw object, and how many of its events, from the last on, were given already. */
type Position = readonly [key: string, given: number];

/**
 * Events of a stream that were sent and processed, the newest first: they are read from their raw objects, as long as these
 * are kept. Rows are JSON texts; a page can end early. Throws CURSOR_INVALID.
 */
export async function sentEvents(
  services: Pick<Services, "records" | "readRaw">,
  contract: Contract,
  query: Omit<RawKeyQuery, "startAt"> & { readonly cursor: string | null },
): Promise<Page<string>> {
  const { cursor, limit, ...range } = query;
  const start = cursor === null ? null : decode(cursor, query.stream);
  const keysMax = limits.pageRowsMax;
  const keys = await services.records.rawKeys({ ...range, startAt: start?.[0] ?? null, limit: keysMax });
  const rows: string[] = [];
  let characters = 0;
  for (const key of keys) {
    let given = start?.[0] === key ? start[1] : 0;
    const events = await readObject(services, contract, query.tenant, key);
    for (const event of events.toReversed().slice(given)) {
      if (rows.length === limit || characters > pageCharactersMax) return { rows, next: encode([key, given]) };
      characters += rows[rows.push(JSON.stringify(event)) - 1]?.length ?? 0;
      given++;
    }
  }
  const last = keys.at(-1);
  // No object is as long as this: the next page begins behind the last key.
  return { rows, next: last === undefined || keys.length < keysMax ? null : encode([last, Number.MAX_SAFE_INTEGER]) };
}

/** The events of a raw object; none when it has expired, or is another tenant's. */
async function readObject(
  { readRaw }: Pick<Services, "readRaw">,
  contract: Contract,
  tenant: string,
  key: string,
): Promise<readonly SentEvent[]> {
  let object: RawObject | null = null;
  try {
    object = await readRaw(key);
    if (object === null || object.meta.tenant !== tenant) return [];
    const { receivedAt } = object.meta;
    return eventsOf(object, null, contract).map((event) => sentEvent(key, receivedAt, event));
  } catch (error) {
    if (!(error instanceof EventPulseError)) throw error;
    const errors = [{ pointer: "", code: error.code, detail: error.message }];
    return [{ rawKey: key, rawIndex: 0, receivedAt: timeOf(object?.meta.receivedAt ?? 0), data: null, errors }];
  }
}

function sentEvent(rawKey: string, receivedAt: number, { index, data, errors }: ReadEvent): SentEvent {
  return {
    rawKey,
    rawIndex: index,
    receivedAt: timeOf(receivedAt),
    data: errors === null ? data : null,
    errors: errors ?? [],
  };
}

function timeOf(millis: number): string {
  return new Date(millis).toISOString();
}

function encode(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

function decode(cursor: string, stream: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (Array.isArray(position) && position.length === 2) {
      const [key, given] = position as [unknown, unknown];
      const inStream = typeof key === "string" && key.startsWith(`raw/${stream}/`);
      if (inStream && Number.isSafeInteger(given) && (given as number) >= 0) return [key, given as number];
    }
  } catch {
    // Not one of ours.
  }
  throw new EventPulseError("CURSOR_INVALID", "The cursor is not one of this list; start again without one.");
}
