import type { RawObject } from "../../../model/raw-object.ts";

/** Bodies kept: three of the largest objects, or some hundred batches. */
const bytesMax = 32 * 1024 * 1024;

/**
 * Reads raw objects and keeps those read last: the failures of a step often come from few objects, and each would cost a
 * call of S3 and a reading of the whole object. Objects never change; one that is gone is asked for again.
 */
export function recentObjects(
  read: (key: string) => Promise<RawObject | null>,
): (key: string) => Promise<RawObject | null> {
  const recent = new Map<string, RawObject>();
  let bytes = 0;
  return async (key) => {
    const known = recent.get(key);
    if (known !== undefined) {
      // To the end: the map's first is the one that was not asked for the longest.
      recent.delete(key);
      recent.set(key, known);
      return known;
    }
    const object = await read(key);
    if (object === null) return null;
    recent.set(key, object);
    bytes += object.body.byteLength;
    for (const [oldest, { body }] of recent) {
      if (bytes <= bytesMax || oldest === key) break;
      recent.delete(oldest);
      bytes -= body.byteLength;
    }
    return object;
  };
}
