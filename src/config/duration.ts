/** A length of time in a config: a whole number and seconds, minutes, hours or days. */
export type Duration = `${number}${"s" | "m" | "h" | "d"}`;

const unitMillis: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "30s", "5m", "2h", "7d" in milliseconds; null for everything else. */
export function parseDuration(text: unknown): number | null {
  const [, count, unit] = typeof text === "string" ? (/^(\d{1,9})([smhd])$/.exec(text) ?? []) : [];
  const millis = unitMillis[unit ?? ""];
  return millis === undefined ? null : Number(count) * millis;
}

/** Milliseconds as a person would write them in a config: the largest unit without a remainder. */
export function durationText(millis: number): string {
  for (const unit of ["d", "h", "m"]) {
    const size = unitMillis[unit] ?? 1;
    if (millis >= size && millis % size === 0) return `${millis / size}${unit}`;
  }
  return `${millis / 1000}s`;
}
