/** An RFC 6901 JSON Pointer from its parts, after `base`: "~" and "/" inside a part are escaped. "" is the whole document. */
export function jsonPointer(parts: readonly (string | number)[], base = ""): string {
  let pointer = base;
  for (const part of parts) pointer += `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return pointer;
}

/** Recipes ask for each of their few paths for each event. */
const split = new Map<string, readonly string[]>();
const splitMax = 1_000;

/** The parts of a JSON Pointer, unescaped. */
export function pointerParts(pointer: string): readonly string[] {
  const known = split.get(pointer);
  if (known !== undefined) return known;
  const parts = pointer.split("/").slice(1);
  const unescaped = parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (split.size >= splitMax) split.clear();
  split.set(pointer, unescaped);
  return unescaped;
}
