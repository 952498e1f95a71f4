import { DayMemory } from "./day-memory.ts";
import { Rarity } from "./rarity.ts";
import { ShapeMemory } from "./shape-memory.ts";
import { ValueMemory } from "./value-memory.ts";

/** Changes with the layout below: a state of another version begins anew. */
const version = 1;

/** Values that are looked at as one course; the two shorter windows lie within it. */
export const courseRows = 96;
/** Values of all times that the scale is taken from. */
export const sampleMax = 64;

/** What is looked at: each has a distance of its own, whose rarity is kept. */
export const aspects = ["extreme", "shortSpread", "longSpread", "course", "timeOfDay"] as const;
export type Aspect = (typeof aspects)[number];

/** Single numbers by their place in `numbers`. */
export const place = {
  /** Values so far. */
  rows: 0,
  min: 1,
  max: 2,
  mean: 3,
  /** Mean distance from the mean. */
  deviation: 4,
  /** Exponentially smoothed value, and the mean distance of single values from it. */
  level: 5,
  noise: 6,
  /** Values are compared as `asinh((value - centre) / scale)`; a scale of 0 is not known yet. */
  centre: 7,
  scale: 8,
  sampleCount: 9,
  /** A value goes into the sample every so many rows. */
  sampleStride: 10,
  /** The row from which another incident may begin. */
  incidentEnd: 11,
  /** The most evidence of that incident. */
  incidentPeak: 12,
  /** Milliseconds since 1970. */
  firstTime: 13,
} as const;
const numberCount = 14;

/** Where each part begins, in bytes; the parts with the widest numbers first, so that all are aligned. */
const numbersAt = 0;
const courseAt = numbersAt + numberCount * 8;
const sampleAt = courseAt + courseRows * 8;
const shapesAt = sampleAt + sampleMax * 8;
const daysAt = shapesAt + ShapeMemory.bytes;
const raritiesAt = daysAt + DayMemory.bytes;
const shortSpreadsAt = raritiesAt + aspects.length * Rarity.bytes;
const longSpreadsAt = shortSpreadsAt + ValueMemory.bytes;
const byteCount = longSpreadsAt + ValueMemory.bytes;

/** Logarithms of spreads, in scales, begin at a hundredth (`learnValue`). */
const spreadMin = -5;

/**
 * All that is kept of one series, in one piece of memory so that a copy is one `slice`: 9 KB, and 12 KB as the base64 text that
 * it is in JSON.
 */
export class SeriesState {
  readonly numbers: Float64Array;
  /** The last values, a ring by row. */
  readonly course: Float64Array;
  readonly sample: Float64Array;
  readonly shapes: ShapeMemory;
  readonly days: DayMemory;
  readonly shortSpreads: ValueMemory;
  readonly longSpreads: ValueMemory;
  readonly rarities: Readonly<Record<Aspect, Rarity>>;
  readonly #buffer: ArrayBuffer;

  private constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer;
    this.numbers = new Float64Array(buffer, numbersAt, numberCount);
    this.course = new Float64Array(buffer, courseAt, courseRows);
    this.sample = new Float64Array(buffer, sampleAt, sampleMax);
    this.shapes = new ShapeMemory(buffer, shapesAt);
    this.days = new DayMemory(buffer, daysAt);
    this.shortSpreads = new ValueMemory(buffer, shortSpreadsAt, spreadMin);
    this.longSpreads = new ValueMemory(buffer, longSpreadsAt, spreadMin);
    const rarity = (aspect: Aspect) => new Rarity(buffer, raritiesAt + aspects.indexOf(aspect) * Rarity.bytes);
    this.rarities = {
      extreme: rarity("extreme"),
      shortSpread: rarity("shortSpread"),
      longSpread: rarity("longSpread"),
      course: rarity("course"),
      timeOfDay: rarity("timeOfDay"),
    };
  }

  /** What a detector is given: a state of this process, one that was JSON, or null. */
  static from(stored: unknown): SeriesState {
    if (stored instanceof SeriesState) return stored;
    const bytes = isStored(stored) ? Buffer.from(stored.bytes, "base64") : null;
    const buffer = new ArrayBuffer(byteCount);
    if (bytes?.length === byteCount) new Uint8Array(buffer).set(bytes);
    return new SeriesState(buffer);
  }

  copy(): SeriesState {
    return new SeriesState(this.#buffer.slice(0));
  }

  toJSON(): { readonly version: number; readonly bytes: string } {
    return { version, bytes: Buffer.from(this.#buffer).toString("base64") };
  }

  get(name: keyof typeof place): number {
    return this.numbers[place[name]] ?? 0;
  }

  set(name: keyof typeof place, value: number): void {
    this.numbers[place[name]] = value;
  }
}

function isStored(stored: unknown): stored is { readonly bytes: string } {
  return (
    typeof stored === "object" &&
    stored !== null &&
    "version" in stored &&
    stored.version === version &&
    "bytes" in stored &&
    typeof stored.bytes === "string"
  );
}
