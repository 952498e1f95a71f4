import type { RecordTable } from "../ports/record-table.ts";

const minuteMillis = 60_000;
const hourMillis = 60 * minuteMillis;
const dayMillis = 24 * hourMillis;

export interface Rates {
  /** By event time: the last full minute, hour and day, and the minute that is running. */
  readonly lastMinute: number;
  readonly lastHour: number;
  readonly lastDay: number;
}
/** How many events a stream had lately, by event time. */
export async function streamRates(
  records: Pick<RecordTable, "series">,
  tenant: string,
  stream: string,
  now: number,
): Promise<Rates> {
  const minute = Math.floor(now / minuteMillis) * minuteMillis;
  const to = minute + minuteMillis;
  const { points } = await records.series({ tenant, stream, field: "", from: to - dayMillis, to, points: 1440 });
  const since = (time: number) => points.reduce((sum, point) => (point.time >= time ? sum + point.count : sum), 0);
  return { lastMinute: since(minute - minuteMillis), lastHour: since(to - hourMillis), lastDay: since(0) };
}
