import type { StreamDefinition } from "../../model/definition.ts";
import type { ErrorDetail } from "../../model/error.ts";
import { identityHash } from "../../model/identity.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { timeFits } from "../../model/record.ts";
import { escapePointer } from "../ingest/inspect-json.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import { fieldAt, fieldPath } from "./field-path.ts";

/** Who an event is and when it happened. */
export interface Identity {
  /** The id that identifies the event; `context.id` of transforms. */
  readonly id: string;
  /** The same, when the client gave it; null when it was assigned at acceptance. */
  readonly eventId: string | null;
  /** 53-bit hash; null when the id was assigned and so cannot come twice. */
  readonly hash: number | null;
  /** 10 bytes for record ids. */
  readonly bytes: Uint8Array;
  /** Event time, milliseconds since 1970. */
  readonly time: number;
}

/** Dotted paths of a stream, split once. */
export interface IdentityPaths {
  readonly key: readonly string[] | null;
  readonly time: readonly string[] | null;
}

export function identityPaths({ key, time }: Pick<StreamDefinition, "key" | "time">): IdentityPaths {
  return { key: key === null ? null : fieldPath(key), time: time === null ? null : fieldPath(time) };
}

/**
 * Identity of an event: CloudEvents `source` + `id`; else the stream's `key`; else the id assigned at acceptance, which is
 * `idSeed` and the place in the raw object and so the same on every attempt. Time: the stream's `time` field; else
 * CloudEvents `time`; else the received time. Answers with the reasons when the event lacks what its stream relies on.
 */
export function identify(event: ReadEvent, meta: RawMeta, paths: IdentityPaths): Identity | readonly ErrorDetail[] {
  const time = eventTime(event, meta, paths.time);
  if (typeof time !== "number") return [time];
  const attributes = event.attributes;
  if (attributes !== null) return fromClient(meta, attributes["source"] ?? "", attributes["id"] ?? "", time);
  if (paths.key !== null) {
    const value = fieldAt(event.data, paths.key);
    const usable = (typeof value === "string" && value !== "") || typeof value === "number";
    if (usable) return fromClient(meta, "", String(value), time);
    const detail = "This field identifies the event: it must be a text that is not empty, or a number.";
    return [{ pointer: pointerOf(paths.key), code: "KEY_MISSING", detail }];
  }
  const id = `${meta.idSeed}-${event.index}`;
  if (meta.idSeedFromClient) return { ...fromClient(meta, "", id, time), eventId: null };
  return { id, eventId: null, hash: null, bytes: assignedBytes(meta.idSeed, event.index), time };
}

function fromClient(meta: RawMeta, source: string, id: string, time: number): Identity {
  const { hash53, bytes10 } = identityHash(meta.tenant, meta.stream, source, id);
  return { id, eventId: id, hash: hash53, bytes: bytes10, time };
}

/** 7 bytes of seed, 3 of index: unique by construction, no hash needed. */
function assignedBytes(idSeed: string, index: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(10);
  bytes.write(idSeed, 0, 7, "hex");
  bytes.writeUIntBE(index, 7, 3);
  return bytes;
}

function eventTime(event: ReadEvent, meta: RawMeta, path: readonly string[] | null): number | ErrorDetail {
  if (path !== null) {
    const time = parseTime(fieldAt(event.data, path));
    if (time !== null) return time;
    const detail = "The event time must be an RFC 3339 text or milliseconds since 1970.";
    return { pointer: pointerOf(path), code: "TIME_INVALID", detail };
  }
  const text = event.attributes?.["time"];
  if (text === undefined) return meta.receivedAt;
  return (
    parseTime(text) ?? { pointer: "/time", code: "TIME_INVALID", detail: "The CloudEvents time must be RFC 3339." }
  );
}

function parseTime(value: unknown): number | null {
  const time =
    typeof value === "string" ? Date.parse(value) : typeof value === "number" ? Math.trunc(value) : Number.NaN;
  return timeFits(time) ? time : null;
}

function pointerOf(path: readonly string[]): string {
  return path.map((part) => `/${escapePointer(part)}`).join("");
}
