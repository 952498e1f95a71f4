const cells = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** Numbers as a line of blocks, the largest as the tallest. Nothing is a blank, so that one failure differs from none. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1);
  return values
    .map((value) => (value <= 0 ? " " : (cells[Math.ceil((value / most) * cells.length) - 1] ?? "")))
    .join("");
}

const hourMillis = 3_600_000;

/** Counts by hour (RFC 3339, without empty hours) as one number for each of the last `hours` hours, the present one included. */
export function hourlyCounts(
  trend: readonly { readonly time: string; readonly count: number }[],
  hours: number,
  now: number = Date.now(),
): readonly number[] {
  const byHour = new Map(trend.map(({ time, count }) => [Math.floor(Date.parse(time) / hourMillis), count]));
  const last = Math.floor(now / hourMillis);
  return Array.from({ length: hours }, (_, index) => byHour.get(last - hours + 1 + index) ?? 0);
}
