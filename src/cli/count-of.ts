import { count } from "./send-tally.ts";

/** "1 failure", "1,234 failures". `kind` in the singular, with an s for more. */
export function countOf(number: number, kind: string): string {
  return `${count(number)} ${kind}${number === 1 ? "" : "s"}`;
}
