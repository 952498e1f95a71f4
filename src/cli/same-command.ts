/** Options whose value does not belong on a screen, or which the terminal adds to every suggestion itself. */
const left = new Set(["--key", "--url"]);

/**
 * The command line that was given (`process.argv`), as something to paste, without the flags `without` and with `plus` at its
 * end. A key is left out.
 */
export function sameCommand(argv: readonly string[], without: readonly string[], plus?: string): string {
  const words: string[] = [];
  for (let index = 2; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (left.has(word)) index += 1;
    else if (!without.includes(word) && ![...left].some((name) => word.startsWith(`${name}=`)))
      words.push(quoted(word));
  }
  return ["eventpulse", ...words, ...(plus === undefined ? [] : [plus])].join(" ");
}

/** As a POSIX shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
