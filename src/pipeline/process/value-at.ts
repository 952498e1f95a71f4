/**
 * The value at the parts of a JSON Pointer; undefined where nothing is. Own properties only and whole indexes of arrays only, so
 * that `__proto__`, `constructor` and `length` are names like any other.
 */
export function valueAt(root: unknown, parts: readonly string[]): unknown {
  let current = root;
  for (const part of parts) current = memberAt(current, part);
  return current;
}

/** What a value holds under one part of a pointer. */
export function memberAt(holder: unknown, part: string): unknown {
  if (typeof holder !== "object" || holder === null) return undefined;
  if (Array.isArray(holder) ? !isIndex(part) : !Object.hasOwn(holder, part)) return undefined;
  return (holder as Record<string, unknown>)[part];
}

/** Whether a part of a pointer can be an index: RFC 6901 allows no leading zero. */
export function isIndex(part: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(part);
}
