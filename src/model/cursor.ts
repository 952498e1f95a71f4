import { EventPulseError } from "./error.ts";

/** Position of the last row of a page, for the next one. Opaque outside; `kind` keeps a cursor of one list out of another. */
export function encodeCursor(kind: string, position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([kind, ...position])).toString("base64url");
}

/** The position in a cursor, checked against the types expected. Throws CURSOR_INVALID. */
export function decodeCursor(
  kind: string,
  cursor: string,
  types: readonly ("string" | "number")[],
): (string | number)[] {
  const position = parse(cursor);
  const valid =
    Array.isArray(position) &&
    position.length === types.length + 1 &&
    position[0] === kind &&
    types.every((type, index) => typeof position[index + 1] === type);
  if (!valid) throw cursorInvalid();
  return position.slice(1);
}

export function cursorInvalid(): EventPulseError {
  return new EventPulseError(
    "CURSOR_INVALID",
    "The cursor does not come from this list. Use `page.next` of the page before as it is, or leave it out to start again.",
  );
}

function parse(cursor: string): unknown {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  // Buffer skips what is not base64url; a cursor that was changed must not pass as another one.
  if (Buffer.from(text).toString("base64url") !== cursor) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
