/**
 * Text that cannot drive a terminal: control characters, line separators and marks that reorder text are shown as escapes. For
 * what a person looks at; data that goes into a pipe is never changed.
 */
export function visibleText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\u061C\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu, (character) => {
    const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
    return named ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
  });
}
