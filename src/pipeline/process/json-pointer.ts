/** An RFC 6901 JSON Pointer from its parts, after `base`: "~" and "/" inside a part are escaped. "" is the whole document. */
export function jsonPointer(parts: readonly (string | number)[], base = ""): string {
  let pointer = base;
  for (const part of parts) pointer += `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return pointer;
}

/** The parts of a JSON Pointer, unescaped. A recipe asks for each of its paths for each event, and few paths have a "~". */
export function pointerParts(pointer: string): readonly string[] {
  if (pointer === "") return [];
  const parts = pointer.slice(1).split("/");
  if (!pointer.includes("~")) return parts;
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
