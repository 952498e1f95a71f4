import { readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Database } from "./database.ts";

/** Which items of a job's step ended the process. */
export interface ItemSuspects {
  /** Those that were being tried each time that the process ended, more than once since the last `clear`. */
  culprits(): ReadonlySet<string>;
  note(item: string): void;
  clear(): void;
}

/** How often the process ended while an item was being tried. */
type Ends = Readonly<Record<string, number>>;

/** Once may be chance: somebody killed the process. */
const endsMax = 2;

/**
 * Kept outside the process that they end. What is being tried is a file of its own that nobody flushes: it outlives the
 * process, and a flush for each of thousands of items would make a step take seconds.
 */
export function itemSuspects({ meta }: Pick<Database, "meta">, file: string): ItemSuspects {
  return {
    culprits() {
      const trying = readText(file);
      const known = JSON.parse(meta.get("ends") || "{}") as Ends;
      const ends: Ends = trying === null ? known : { ...known, [trying]: (known[trying] ?? 0) + 1 };
      meta.set("ends", JSON.stringify(ends));
      rmSync(file, { force: true });
      return new Set(Object.keys(ends).filter((item) => (ends[item] ?? 0) >= endsMax));
    },
    note: (item) => writeFileSync(file, item),
    clear() {
      rmSync(file, { force: true });
      meta.set("ends", "");
    },
  };
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8") || null;
  } catch {
    return null;
  }
}
