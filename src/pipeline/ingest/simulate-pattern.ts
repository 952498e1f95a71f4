import type { Random } from "./simulate-random.ts";

type Node =
  | { readonly kind: "characters"; readonly characters: string }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly node: Node; readonly min: number; readonly max: number };

const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyz";
const wordCharacters = `${letters}${letters.toUpperCase()}${digits}_`;
const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join("");
/** How often `*` and `+` repeat at most. */
const repeatMax = 4;
const nothing: Node = { kind: "sequence", parts: [] };

/**
 * Makes texts that a regular expression is likely to accept. Lookarounds, back references and word boundaries are ignored, so
 * the caller tests what comes out and tries again.
 */
export function simulatePattern(source: string): (random: Random) => string {
  const reader = new PatternReader(source);
  const root = reader.choice();
  return (random) => generate(root, random);
}

function generate(node: Node, random: Random): string {
  switch (node.kind) {
    case "characters":
      return node.characters[random.integer(0, node.characters.length - 1)] ?? "";
    case "choice": {
      const option = node.options[random.integer(0, node.options.length - 1)];
      return option === undefined ? "" : generate(option, random);
    }
    case "sequence":
      return node.parts.map((part) => generate(part, random)).join("");
    case "repeat": {
      let text = "";
      for (let left = random.integer(node.min, node.max); left > 0; left -= 1) text += generate(node.node, random);
      return text;
    }
  }
}

/** Reads the syntax of ECMAScript patterns from left to right. */
class PatternReader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  choice(): Node {
    const options: Node[] = [this.#sequence()];
    while (this.#take("|")) options.push(this.#sequence());
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: "choice", options };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#peek())) parts.push(this.#quantified(this.#atom()));
    return { kind: "sequence", parts };
  }

  #atom(): Node {
    const character = this.#read();
    if (character === "^" || character === "$") return nothing;
    if (character === ".") return { kind: "characters", characters: wordCharacters };
    if (character === "[") return this.#class();
    if (character === "(") return this.#group();
    if (character === "\\") return this.#escape();
    return { kind: "characters", characters: character };
  }

  #group(): Node {
    const lookaround = /^\?<?[=!]/.test(this.#source.slice(this.#at));
    const prefix = /^\?(?:[:=!]|<[=!]|<\w+>)/.exec(this.#source.slice(this.#at));
    this.#at += prefix?.[0].length ?? 0;
    const inner = this.choice();
    this.#take(")");
    return lookaround ? nothing : inner;
  }

  #escape(): Node {
    const character = this.#read();
    if (character === "b" || character === "B") return nothing;
    const set = setOf(character);
    return { kind: "characters", characters: set ?? this.#escaped(character) };
  }

  #escaped(character: string): string {
    const simple = { n: "\n", r: "\r", t: "\t", f: "\f", v: "\v", "0": "\0" }[character];
    if (simple !== undefined) return simple;
    const hex = { x: /^([0-9a-f]{2})/i, u: /^(?:([0-9a-f]{4})|\{([0-9a-f]+)\})/i }[character];
    const found = hex?.exec(this.#source.slice(this.#at));
    if (!found) return character;
    this.#at += found[0].length;
    return String.fromCodePoint(Number.parseInt(found[1] ?? found[2] ?? "0", 16));
  }

  #class(): Node {
    const negated = this.#take("^");
    let members = "";
    while (this.#at < this.#source.length && !this.#take("]")) {
      const first = this.#classMember();
      if (first.length === 1 && this.#peek() === "-" && this.#source[this.#at + 1] !== "]") {
        this.#read();
        members += range(first, this.#classMember());
      } else members += first;
    }
    const characters = negated ? [...printable].filter((one) => !members.includes(one)).join("") : members;
    return { kind: "characters", characters };
  }

  #classMember(): string {
    const character = this.#read();
    if (character !== "\\") return character;
    const escaped = this.#read();
    if (escaped === "b") return "\b";
    return setOf(escaped) ?? this.#escaped(escaped);
  }

  #quantified(node: Node): Node {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#source.slice(this.#at));
    if (!found) return node;
    this.#at += found[0].length;
    const [, sign, low, comma, high] = found;
    if (sign !== undefined)
      return { kind: "repeat", node, min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : repeatMax };
    const min = Number(low);
    const max = comma === "" ? min : high === "" ? min + repeatMax : Number(high);
    return { kind: "repeat", node, min, max: Math.min(max, min + 20) };
  }

  #peek(): string {
    return this.#source[this.#at] ?? "";
  }

  #read(): string {
    const character = this.#peek();
    this.#at += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }
}

function setOf(escaped: string): string | null {
  switch (escaped) {
    case "d":
      return digits;
    case "w":
      return wordCharacters;
    case "s":
      return " ";
    case "D":
    case "S":
      return letters;
    case "W":
      return " -.";
    default:
      return null;
  }
}

function range(first: string, last: string): string {
  const start = first.charCodeAt(0);
  const count = Math.min(Math.max(last.charCodeAt(0) - start + 1, 1), 256);
  return Array.from({ length: count }, (_, index) => String.fromCharCode(start + index)).join("");
}
