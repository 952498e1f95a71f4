import { count } from "./send-tally.ts";

/** A field of an answer for a person: nothing for null, numbers with separators, objects as JSON. Not made safe for a terminal yet. */
export function fieldText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return count(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
