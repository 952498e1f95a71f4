import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { RawMeta } from "../../model/raw-object.ts";

/** Name of the one metadatum of a raw object. */
const metadatum = "meta";
/** S3 takes 2 KB, names included. */
const valueBytesMax = 2048 - metadatum.length;

/** Where the `RawMeta` of an object lies that has none of its own: it is too large for metadata, or a client put the object. */
export function sidecarKey(rawKey: string): string {
  return `meta/${rawKey}`;
}

/** As object metadata, or null when it is too large for that. */
export function encodeRawMeta(meta: RawMeta): Record<string, string> | null {
  const value = deflateRawSync(JSON.stringify(meta)).toString("base64");
  return value.length > valueBytesMax ? null : { [metadatum]: value };
}

/** Null when the object has none. Throws when the text is none that `encodeRawMeta` made. */
export function decodeRawMeta(metadata: Readonly<Record<string, string>>): RawMeta | null {
  const value = metadata[metadatum];
  if (value === undefined) return null;
  return JSON.parse(inflateRawSync(Buffer.from(value, "base64")).toString("utf8")) as RawMeta;
}
