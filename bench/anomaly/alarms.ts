import { probationRows, type ScoredSeries } from "./nab-score.ts";

const hourMillis = 3_600_000;
const weekMillis = 7 * 24 * hourMillis;

export interface TimedSeries extends ScoredSeries {
  /** Milliseconds since 1970, one a row. */
  readonly times: Float64Array;
}

export interface AlarmResult {
  readonly threshold: number;
  /** 0 to 1: windows with at least one row at or above the threshold. */
  readonly recall: number;
  /** Per series and week. */
  readonly falseAlarmsPerWeek: number;
  /** From the first row of a window to its first row at or above the threshold, median over the windows that were hit; NaN when none was. */
  readonly delayRows: number;
  readonly delayHours: number;
}

/**
 * What somebody who is alerted at `threshold` would see. Rows outside the windows count as one false alarm an hour at most, whatever
 * their number; what comes before `firstRow` is for learning and does not count.
 */
export function alarmsAt(corpus: readonly TimedSeries[], threshold: number, firstRow = probationRows): AlarmResult {
  let windowCount = 0;
  const rows: number[] = [];
  const hours: number[] = [];
  for (const { scores, times, windows } of corpus) {
    windowCount += windows.length;
    for (const [first, last] of windows) {
      const start = Math.max(first, firstRow(scores.length));
      const hit = scores.subarray(start, last + 1).findIndex((score) => score >= threshold);
      if (hit === -1) continue;
      rows.push(start + hit - first);
      hours.push(((times[start + hit] ?? 0) - (times[first] ?? 0)) / hourMillis);
    }
  }
  return {
    threshold,
    recall: rows.length / windowCount,
    falseAlarmsPerWeek: falseAlarms(corpus, threshold, firstRow) / weeks(corpus, firstRow),
    delayRows: middle(rows),
    delayHours: middle(hours),
  };
}

/** The lowest threshold that raises at most so many false alarms per series and week over all series; Infinity when none does. */
export function thresholdFor(corpus: readonly TimedSeries[], falseAlarmsPerWeek: number): number {
  const thresholds = [...new Set(corpus.flatMap(({ scores }) => [...scores]))].sort((a, b) => a - b);
  const allowed = falseAlarmsPerWeek * weeks(corpus, probationRows);
  // More rows can only mean more alarms, so the thresholds that keep to the allowance are the upper end of the list.
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const half = (low + high) >>> 1;
    if (falseAlarms(corpus, thresholds[half] ?? 0, probationRows) <= allowed) high = half;
    else low = half + 1;
  }
  return thresholds[low] ?? Number.POSITIVE_INFINITY;
}

type FirstRow = (rows: number) => number;

function falseAlarms(corpus: readonly TimedSeries[], threshold: number, firstRow: FirstRow): number {
  let count = 0;
  for (const { scores, times, windows } of corpus) {
    let window = 0;
    let quietUntil = Number.NEGATIVE_INFINITY;
    for (let row = firstRow(scores.length); row < scores.length; row++) {
      while (row > (windows[window]?.[1] ?? Number.POSITIVE_INFINITY)) window++;
      if ((scores[row] ?? 0) < threshold || row >= (windows[window]?.[0] ?? Number.POSITIVE_INFINITY)) continue;
      const time = times[row] ?? 0;
      if (time < quietUntil) continue;
      quietUntil = time + hourMillis;
      count++;
    }
  }
  return count;
}

function weeks(corpus: readonly TimedSeries[], firstRow: FirstRow): number {
  return corpus.reduce((sum, { times }) => {
    return sum + ((times.at(-1) ?? 0) - (times[firstRow(times.length)] ?? 0)) / weekMillis;
  }, 0);
}

function middle(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >>> 1] ?? Number.NaN;
}
