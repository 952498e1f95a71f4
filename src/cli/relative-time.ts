const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** "in 6 d" or "3 h ago" for an RFC 3339 time, in the largest unit that fits; "" for what is no time. */
export function relativeTime(time: unknown, now: number = Date.now()): string {
  const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return "";
  const millis = Math.abs(at - now);
  const [unit, size] = units.find(([, one]) => millis >= one) ?? ["s", 1_000];
  const length = `${Math.floor(millis / size)} ${unit}`;
  return at > now ? `in ${length}` : `${length} ago`;
}
