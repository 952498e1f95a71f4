/** An RFC 6901 JSON Pointer from its parts, after `base`: "~" and "/" inside a part are escaped. "" is the whole document. */
export function jsonPointer(parts: readonly (string | number)[], base = ""): string {
  let pointer = base;
  for (const part of parts) pointer += `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return pointer;
}

/** The parts of a JSON Pointer, unescaped. */
export function pointerParts(pointer: string): readonly string[] {
  return pointer === ""
    ? []
    : pointer
        .slice(1)
        .split("/")
        .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}
