import type { ErrorDetail } from "../../model/error.ts";

/**
 * Finds what `JSON.parse` would hide in `text`: keys that come twice in one object (JSON_KEY_DUPLICATE) and numbers that a
 * double cannot keep (NUMBER_NOT_EXACT: integers beyond 2^53 that are not exact doubles, magnitudes beyond 1.8e308), each with its pointer.
 * `text` must be valid JSON of bounded depth. Slow (it walks every character): only for texts that `scanJson` found suspicious.
 */
export function inspectJson(text: string): readonly ErrorDetail[] {
  const found: ErrorDetail[] = [];
  new Walk(text, found).value("");
  return found;
}

class Walk {
  readonly #text: string;
  readonly #found: ErrorDetail[];
  #position = 0;

  constructor(text: string, found: ErrorDetail[]) {
    this.#text = text;
    this.#found = found;
  }

  value(pointer: string): void {
    const character = this.#next();
    if (character === "{") this.#object(pointer);
    else if (character === "[") this.#array(pointer);
    else if (character === '"') this.#string();
    else this.#scalar(pointer);
  }

  #object(pointer: string): void {
    const keys = new Set<string>();
    this.#position++;
    while (this.#next() !== "}") {
      const key: string = JSON.parse(this.#string());
      const child = `${pointer}/${escapePointer(key)}`;
      if (keys.has(key)) {
        this.#found.push({
          pointer: child,
          code: "JSON_KEY_DUPLICATE",
          detail: "this key comes twice in its object; send it once",
        });
      }
      keys.add(key);
      this.#next();
      this.#position++; // ":"
      this.value(child);
      if (this.#next() === ",") this.#position++;
    }
    this.#position++;
  }

  #array(pointer: string): void {
    this.#position++;
    for (let index = 0; this.#next() !== "]"; index++) {
      this.value(`${pointer}/${index}`);
      if (this.#next() === ",") this.#position++;
    }
    this.#position++;
  }

  #string(): string {
    const start = this.#position++;
    while (this.#text[this.#position] !== '"') this.#position += this.#text[this.#position] === "\\" ? 2 : 1;
    this.#position++;
    return this.#text.slice(start, this.#position);
  }

  #scalar(pointer: string): void {
    const start = this.#position;
    while (this.#position < this.#text.length && !/[\s,\]}]/.test(this.#text[this.#position] as string))
      this.#position++;
    const token = this.#text.slice(start, this.#position);
    if (/^-?\d/.test(token) && !isExact(token)) {
      this.#found.push({
        pointer,
        code: "NUMBER_NOT_EXACT",
        detail: "this number would lose digits as a double; send it as a string",
      });
    }
  }

  /** Skips white space; the character there. */
  #next(): string | undefined {
    while (/\s/.test(this.#text[this.#position] ?? "x")) this.#position++;
    return this.#text[this.#position];
  }
}

function isExact(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  // What JavaScript prints again digit by digit is kept as sent, even where a double has other digits behind it.
  return /[.eE]/.test(token) || String(value) === token || BigInt(token) === BigInt(value);
}

/** RFC 6901, section 3. */
export function escapePointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
