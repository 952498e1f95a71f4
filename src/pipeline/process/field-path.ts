/** The value at a dotted path (`site.floor`), own properties only; undefined when any part is missing. */
export function fieldAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, part)) return undefined;
    current = (current as Record<string, unknown>)[part];
  }
  return current;
}

export function fieldPath(dotted: string): readonly string[] {
  return dotted.split(".");
}
