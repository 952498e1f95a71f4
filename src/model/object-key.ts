import { assert, EventPulseError } from "./error.ts";

const keyBytesMax = 512;
/** As in S3, which counts names and values. */
const metadataBytesMax = 2048;

/** Throws OBJECT_KEY_INVALID unless `key` is 1 to 512 bytes of UTF-8 in parts that are not empty, "." or "..", without NUL. */
export function checkObjectKey(key: string): void {
  if (isObjectKey(key)) return;
  throw new EventPulseError(
    "OBJECT_KEY_INVALID",
    `An object key is 1 to ${keyBytesMax} bytes of UTF-8 in parts between "/"; no part is empty, "." or "..", and none holds a NUL.`,
  );
}

export function isObjectKey(key: string): boolean {
  const bytes = Buffer.byteLength(key);
  const parts = key.split("/");
  return (
    bytes >= 1 &&
    bytes <= keyBytesMax &&
    key.isWellFormed() &&
    !key.includes("\u0000") &&
    !parts.some((part) => part === "" || part === "." || part === "..")
  );
}

/** Throws OBJECT_TOO_LARGE for more than 2 KB of names and values. */
export function checkObjectMetadata(metadata: Readonly<Record<string, string>>): void {
  const entries = Object.entries(metadata);
  for (const [name] of entries) {
    assert(/^[a-z0-9-]+$/.test(name), "names of metadata are lower-case letters, digits and dashes");
  }
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value), 0);
  if (bytes > metadataBytesMax) {
    throw new EventPulseError(
      "OBJECT_TOO_LARGE",
      `The metadata of an object is at most ${metadataBytesMax} bytes, this is ${bytes}: put the rest into the body.`,
    );
  }
}
