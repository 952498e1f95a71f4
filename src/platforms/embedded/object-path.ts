/**
 * Where an object lies: one folder for each part of its key and, in place of a file, a folder that ends in "~" with the
 * body and what is known of it. So "a" and "a/b" can both be keys, as in S3, and an object appears whole, by one rename.
 *
 * Parts are written as they are where a file name can hold them, else percent-encoded; "~" is always encoded and so free
 * for our own marks. A part of more than 64 bytes is cut into nested folders that end in "~~": encoded it could be three
 * times as long, and a file name holds 255 bytes.
 */
export const objectPathMarks = { object: "~", cut: "~~" } as const;

const partBytesMax = 64;

/** Folders and then the object's own folder. The key must be valid. */
export function objectPath(key: string): string[] {
  const parts = key.split("/").map((part) => encodePart(part));
  const last = parts.at(-1) ?? [];
  return [...parts.slice(0, -1).flat(), ...last.slice(0, -1), `${last.at(-1)}${objectPathMarks.object}`];
}

/** Folders of the whole parts of a prefix: what a listing needs to look at, and no more. */
export function prefixFolders(prefix: string): string[] {
  return prefix
    .split("/")
    .slice(0, -1)
    .flatMap((part) => encodePart(part));
}

/** The names of one part: cut folders, then the rest. */
function encodePart(part: string): string[] {
  const bytes = Buffer.from(part);
  const names: string[] = [];
  let start = 0;
  for (; bytes.length - start > partBytesMax; start += partBytesMax) {
    names.push(`${encodeBytes(bytes.subarray(start, start + partBytesMax))}${objectPathMarks.cut}`);
  }
  return [...names, encodeBytes(bytes.subarray(start))];
}

function encodeBytes(bytes: Uint8Array): string {
  let name = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    name += /[A-Za-z0-9._=@,+-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  // "." and ".." as the rest of a part that was cut are no names of their own.
  return /^\.{1,2}$/.test(name) ? name.replaceAll(".", "%2E") : name;
}

/** The bytes of a name without its mark. */
export function decodeName(name: string): Buffer {
  return Buffer.from(
    name.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}
