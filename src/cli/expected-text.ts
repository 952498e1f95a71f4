import { numberText } from "../pipeline/process/detect/number-text.ts";

/** The expected band of an answer for a person: "900 to 4200", "from 900", "up to 4200", nothing when both ends are open. */
export function expectedText(low: unknown, high: unknown): string {
  const [from, to] = [valueText(low), valueText(high)];
  if (from !== "" && to !== "") return `${from} to ${to}`;
  if (from !== "") return `from ${from}`;
  return to === "" ? "" : `up to ${to}`;
}

/** A measured value for a person: four significant digits also where it is small, other than `fieldText`. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? numberText(value) : typeof value === "object" ? JSON.stringify(value) : `${value}`;
}

/** 0 to 1 with two decimals, rounded down: 1.00 is said of nothing that is less than certain. */
export function scoreText(score: unknown): string {
  return typeof score === "number" ? (Math.floor(score * 100) / 100).toFixed(2) : "";
}
