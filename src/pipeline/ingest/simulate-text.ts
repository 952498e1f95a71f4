import { simulatePattern } from "./simulate-pattern.ts";
import type { Random } from "./simulate-random.ts";

/** What a text must satisfy, read from its JSON Schema. Lengths in code points. */
export interface TextRules {
  readonly format: string | null;
  readonly patterns: readonly string[];
  readonly lengthMin: number;
  readonly lengthMax: number;
}

export interface TextPlace {
  /** Name of the field, for plausible values. */
  readonly name: string;
  /** The field that identifies the event: every text differs. */
  readonly isKey: boolean;
  /** Time of the event, milliseconds since 1970. */
  readonly time: number;
}

/** Tries to find a text by pattern before giving up; patterns with lookarounds need some. */
const patternTries = 60;

/** A plausible text for a field: by format, by name, else by pattern; the first that satisfies every rule. */
export function simulateText(rules: TextRules, place: TextPlace, random: Random): string {
  const fits = fitter(rules);
  const first = candidates(rules, place, random).find(fits);
  if (first !== undefined) return first;
  const generators = rules.patterns.map(simulatePattern);
  let text = "";
  for (let attempt = 0; attempt < patternTries && generators.length > 0; attempt += 1) {
    // Several patterns must all hold (a prefix and a suffix, say): one of them alone, then all of them in a row.
    const parts = generators.map((generate) => generate(random));
    text = attempt % 2 === 0 ? (parts[(attempt / 2) % parts.length] ?? "") : parts.join("");
    for (const candidate of [text, resized(text, rules)]) if (fits(candidate)) return candidate;
  }
  return text === "" ? resized(place.name, rules) : text;
}

function fitter(rules: TextRules): (text: string) => boolean {
  const patterns = rules.patterns.map((pattern) => new RegExp(pattern));
  return (text) => {
    const length = [...text].length;
    return length >= rules.lengthMin && length <= rules.lengthMax && patterns.every((pattern) => pattern.test(text));
  };
}

/** Cut or repeated to a length that is allowed. */
function resized(text: string, { lengthMin, lengthMax }: TextRules): string {
  const unit = text === "" ? "x" : text;
  const long = unit.length >= lengthMin ? unit : unit.repeat(Math.ceil(lengthMin / unit.length)).slice(0, lengthMin);
  return long.slice(0, lengthMax);
}

function candidates(rules: TextRules, place: TextPlace, random: Random): readonly string[] {
  const hex = (length: number) => Array.from({ length }, () => random.integer(0, 15).toString(16)).join("");
  const byFormat = formatted(rules.format, place, random, hex);
  if (byFormat.length > 0) return byFormat;
  if (place.isKey) {
    const stem = place.name.replace(/_?id$/i, "") || "sim";
    const unique = `${place.time.toString(36)}${hex(8)}`;
    return [
      `${stem}-${unique}`,
      unique,
      hex(Math.min(Math.max(rules.lengthMin, 16), rules.lengthMax, 64)),
      ...uuids(hex),
    ];
  }
  const named = namedTexts.find(({ name }) => name.test(place.name))?.texts;
  const plain = `${place.name}-${random.integer(1, 5)}`;
  const texts = named === undefined ? [plain, resized(plain, rules)] : [random.pick(named), ...named];
  return /(?:At|_at|time|timestamp|date)$/.test(place.name) ? [...dateTimes(place.time), ...texts] : texts;
}

/** Few values per name, so that they make groups. */
const namedTexts: readonly { readonly name: RegExp; readonly texts: readonly [string, ...string[]] }[] = [
  { name: /country/i, texts: ["DE", "FR", "US", "NL", "PL", "DEU", "Germany"] },
  { name: /currency/i, texts: ["EUR", "USD", "GBP"] },
  { name: /city/i, texts: ["Berlin", "Paris", "Lyon", "Utrecht"] },
  { name: /(?:first|last|user|full|customer)_?name/i, texts: ["Ada", "Grace", "Linus", "Radia"] },
  { name: /e?mail/i, texts: ["ada@example.com", "grace@example.com", "radia@example.com"] },
  { name: /url|link|href/i, texts: ["https://example.com/a", "https://example.com/b"] },
  { name: /region/i, texts: ["eu-central-1", "us-east-1", "eu-west-3"] },
  { name: /status|state/i, texts: ["ok", "pending", "done"] },
  { name: /method/i, texts: ["GET", "POST"] },
];

function formatted(
  format: string | null,
  { time, name }: TextPlace,
  random: Random,
  hex: (length: number) => string,
): readonly string[] {
  switch (format) {
    case "date-time":
      return dateTimes(time);
    case "date":
      return [new Date(time).toISOString().slice(0, 10)];
    case "time":
      return [new Date(time).toISOString().slice(11, 19), new Date(time).toISOString().slice(11, 24)];
    case "duration":
      return [`PT${random.integer(1, 59)}M`];
    case "email":
      return [`${random.pick(["ada", "grace", "radia"])}@example.com`];
    case "uuid":
      return uuids(hex);
    case "uri":
    case "url":
      return [`https://example.com/${encodeURIComponent(name)}/${random.integer(1, 5)}`];
    case "hostname":
      return [`host-${random.integer(1, 5)}.example.com`];
    case "ipv4":
      return [`192.0.2.${random.integer(1, 254)}`];
    case "ipv6":
      return [`2001:db8::${random.integer(1, 9999)}`];
    default:
      return [];
  }
}

function dateTimes(time: number): readonly string[] {
  const text = new Date(time).toISOString();
  const seconds = text.slice(0, 19);
  return [
    text,
    `${seconds}Z`,
    `${text.slice(0, -1)}000Z`,
    text.slice(0, 23),
    seconds,
    `${text.slice(0, 16)}Z`,
    text.slice(0, 16),
  ];
}

/** Version 4, then the other versions, for schemas that ask for one. */
function uuids(hex: (length: number) => string): readonly string[] {
  return [4, 7, 6, 1, 2, 3, 5, 8].map((version) => `${hex(8)}-${hex(4)}-${version}${hex(3)}-a${hex(3)}-${hex(12)}`);
}
