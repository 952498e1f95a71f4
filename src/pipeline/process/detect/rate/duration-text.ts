const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** A length of time for people, in the largest unit of which there are at least two (or exactly one): "90 minutes", "1 hour". */
export function durationText(millis: number): string {
  for (const [unit, size] of units) {
    const count = Math.round(millis / size);
    if (millis === size) return `1 ${unit}`;
    if (millis >= 2 * size) return `${count} ${unit}s`;
  }
  return `${Math.round(millis / 1000)} seconds`;
}
