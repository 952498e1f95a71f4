/** A text for subjects and sentences: on one line, without control characters, cut at `charactersMax`. */
export function oneLine(text: string, charactersMax: number): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  const characters = [...plain];
  return characters.length <= charactersMax ? plain : `${characters.slice(0, charactersMax - 1).join("")}…`;
}
