import { EventPulseError } from "../../model/error.ts";
import type { RawDraft, RawMeta, RawObject } from "../../model/raw-object.ts";
import type { RawLog } from "../../ports/raw-log.ts";
import { decodeRawMeta, encodeRawMeta, sidecarKey } from "./encode-raw-meta.ts";
import type { ReadObject, S3ObjectStore } from "./object-store.ts";

/** What is accepted and not committed yet, item by item. */
export interface PendingItems {
  add(rawKey: string, meta: RawMeta): Promise<void>;
  remove(rawKey: string): Promise<void>;
}

export interface S3RawLogOptions {
  readonly objects: Pick<S3ObjectStore, "put" | "get" | "read">;
  readonly pending: PendingItems;
  /** 16 hex digits, never the same twice. */
  readonly random: () => string;
}

export interface S3RawLog extends RawLog {
  /** `append` under a key of the caller's: appending the same key again changes nothing. */
  appendAs(key: string, draft: RawDraft): Promise<void>;
  /** Gives an object that a client put into the bucket what is known of it, once: the first meta stays. Answers with that one. */
  adopt(key: string, meta: RawMeta): Promise<RawMeta>;
  /** What `adopt` was given for this key; null: nothing yet. */
  adopted(key: string): Promise<RawMeta | null>;
  /** Refuses appends from now on. */
  close(): void;
}

const retryAfterSeconds = 1;

/**
 * Raw objects in S3, whose own events hand them to processing. The pending item is written before the object: an object whose
 * event got lost is found by it, and an item whose object never came is dropped by the sweep.
 */
export function s3RawLog({ objects, pending, random }: S3RawLogOptions): S3RawLog {
  let closed = false;
  const store = async (key: string, { meta, body }: RawDraft): Promise<void> => {
    if (closed)
      throw new EventPulseError("SHUTTING_DOWN", "The server is stopping; send again.", { retryAfterSeconds });
    try {
      await pending.add(key, meta);
      const metadata = encodeRawMeta(meta);
      if (metadata === null) await objects.put(sidecarKey(key), jsonBytes(meta));
      await objects.put(key, body, metadata ?? {});
    } catch (cause) {
      // Whether or not S3 has it, nobody was told that it does; the sweep takes the item away if this cannot.
      await pending.remove(key).catch(() => undefined);
      const message = "The object store does not take the events; send them again.";
      throw new EventPulseError("NOT_DURABLE", message, { retryAfterSeconds, cause });
    }
  };
  const adopted = async (key: string): Promise<RawMeta | null> => {
    const json = await objects.get(sidecarKey(key));
    return json === null ? null : (JSON.parse(Buffer.from(json).toString("utf8")) as RawMeta);
  };
  return {
    async append(draft) {
      const key = rawKeyAt(draft.meta, draft.meta.receivedAt, random());
      await store(key, draft);
      return key;
    },
    appendAs: store,
    adopted,
    async adopt(key, meta) {
      if ((await objects.put(sidecarKey(key), jsonBytes(meta))) === "created") return meta;
      return (await adopted(key)) ?? meta;
    },
    async read(key) {
      try {
        const found = await objects.read(key);
        return found === null ? null : await rawObject(key, found, adopted);
      } catch (cause) {
        if (!isCorrupt(cause)) throw cause;
        const message = `What S3 holds under ${key} is not what was put there; look for another version of it.`;
        throw new EventPulseError("RAW_CORRUPT", message, { cause });
      }
    },
    close() {
      closed = true;
    },
  };
}

/** `raw/{stream}/{yyyy}/{mm}/{dd}/{time}-{unique}`: ids of a stream sort by time. */
export function rawKeyAt({ stream }: Pick<RawMeta, "stream">, time: number, unique: string): string {
  const day = new Date(time).toISOString().slice(0, 10).replaceAll("-", "/");
  return `raw/${stream}/${day}/${time.toString(16).padStart(12, "0")}-${unique}`;
}

/** Null for an object that nobody has adopted yet. */
async function rawObject(
  key: string,
  { object, body }: ReadObject,
  adopted: (key: string) => Promise<RawMeta | null>,
): Promise<RawObject | null> {
  const meta = decodeRawMeta(object.metadata) ?? (await adopted(key));
  return meta === null ? null : { key, meta, body };
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** A checksum that does not fit, or metadata that cannot be read. */
function isCorrupt(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof SyntaxError || /^Checksum mismatch/.test(error.message) || codeOf(error).startsWith("Z_");
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
