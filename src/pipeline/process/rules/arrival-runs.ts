/** Records to be judged together, and what is known before they are. */
export interface ArrivalRun<Record> {
  /** All that arrived before is judged: neither one of these records nor one behind them arrived earlier. */
  readonly seenUntil: number;
  readonly records: readonly Record[];
}

/** When something happened, and when it arrived, milliseconds since 1970. */
interface Arrival {
  readonly time: number;
  readonly receivedAt: number;
}

/** So often one machine asks about silence, which lasts for two buckets of a second at least. */
export const askEveryMillis = 1_000;

/**
 * Cuts records, which lie by event time, into runs of a second of the clock of silence. That is the clock of arrivals, live and
 * here: it stands at the arrival of the earliest event that is not judged yet (`Watch.seenUntil`). So one record that came
 * hours late, among others that came at once, does not look like hours without the others.
 */
export function arrivalRuns<Record extends Arrival>(records: readonly Record[]): readonly ArrivalRun<Record>[] {
  let earliest = (records.at(-1)?.time ?? 0) + fastestMillis(records);
  const seenUntil = records.map(() => 0);
  for (let index = records.length - 1; index >= 0; index--) {
    earliest = Math.min(earliest, records[index]?.receivedAt ?? earliest);
    seenUntil[index] = earliest;
  }
  const starts = seenUntil.flatMap((at, index) => (sameSecond(at, seenUntil[index - 1]) ? [] : [index]));
  return starts.map((start, number) => {
    return { seenUntil: seenUntil[start] ?? 0, records: records.slice(start, starts[number + 1]) };
  });
}

/** From an event to its arrival, at the least; less than nothing where a clock ran ahead. What comes behind is taken to be no faster. */
export function fastestMillis(records: readonly Arrival[]): number {
  return records.reduce((least, { time, receivedAt }) => Math.min(least, receivedAt - time), Number.POSITIVE_INFINITY);
}

function sameSecond(at: number, before: number | undefined): boolean {
  return before !== undefined && Math.floor(at / askEveryMillis) === Math.floor(before / askEveryMillis);
}
