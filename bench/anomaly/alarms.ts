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
  /** The same as a share of the window: the labels' windows begin before what they label, so 0.5 is its middle. */
  readonly delayShare: number;
}

/** What of a series somebody is alerted to at a threshold; all are rows. */
export interface Finds {
  /** For each window its first row at or above the threshold; null: missed. */
  readonly hits: readonly (number | null)[];
  readonly falseAlarms: readonly number[];
}

/** Answers the first row that counts, of so many; those before are for learning. */
type FirstRow = (rows: number) => number;

/** Rows outside the windows count as one false alarm an hour at most, whatever their number. */
export function findsAt(series: TimedSeries, threshold: number, firstRow: FirstRow = probationRows): Finds {
  const { scores, times, windows } = series;
  const start = firstRow(scores.length);
  const hits: (number | null)[] = windows.map(() => null);
  const falseAlarms: number[] = [];
  let window = 0;
  let quietUntil = Number.NEGATIVE_INFINITY;
  for (let row = start; row < scores.length; row++) {
    while (row > (windows[window]?.[1] ?? Number.POSITIVE_INFINITY)) window++;
    if ((scores[row] ?? 0) < threshold) continue;
    const time = times[row] ?? 0;
    if (row >= (windows[window]?.[0] ?? Number.POSITIVE_INFINITY)) {
      hits[window] ??= row;
    } else if (time >= quietUntil) {
      quietUntil = time + hourMillis;
      falseAlarms.push(row);
    }
  }
  return { hits, falseAlarms };
}

/** The same over a corpus, in figures. */
export function alarmsAt(
  corpus: readonly TimedSeries[],
  threshold: number,
  firstRow: FirstRow = probationRows,
): AlarmResult {
  let windowCount = 0;
  let falseAlarms = 0;
  const rows: number[] = [];
  const hours: number[] = [];
  const shares: number[] = [];
  for (const series of corpus) {
    const finds = findsAt(series, threshold, firstRow);
    falseAlarms += finds.falseAlarms.length;
    windowCount += finds.hits.length;
    for (const [window, hit] of finds.hits.entries()) {
      if (hit === null) continue;
      const [first, last] = series.windows[window] ?? [0, 0];
      rows.push(hit - first);
      hours.push(((series.times[hit] ?? 0) - (series.times[first] ?? 0)) / hourMillis);
      shares.push((hit - first) / (last - first + 1));
    }
  }
  return {
    threshold,
    recall: rows.length / windowCount,
    falseAlarmsPerWeek: falseAlarms / weeks(corpus, firstRow),
    delayRows: middle(rows),
    delayHours: middle(hours),
    delayShare: middle(shares),
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
    const raised = corpus.reduce((sum, series) => sum + findsAt(series, thresholds[half] ?? 0).falseAlarms.length, 0);
    if (raised <= allowed) high = half;
    else low = half + 1;
  }
  return thresholds[low] ?? Number.POSITIVE_INFINITY;
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
