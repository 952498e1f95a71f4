import type { Anomaly } from "../../model/anomaly.ts";
import type { Series, SeriesPoint, SeriesQuery } from "../../ports/record-table.ts";
import { dayOf } from "./index-pages.ts";
import { entityOf, type Item } from "./item.ts";
import { allShards, itemKeys, listKeys, rollupPeriodMillis, shards, timeOfText, timeText } from "./item-keys.ts";
import { minuteMillis, rollupOf, type Sums } from "./rollup-items.ts";
import { inParallel, type Table } from "./table.ts";

/** `RecordTable.series`. Rollups are by the minute, so the range is widened to whole minutes and buckets are whole minutes wide. */
export async function recordSeries(table: Table, query: SeriesQuery): Promise<Series> {
  const first = Math.floor(query.from / minuteMillis) * minuteMillis;
  const end = Math.ceil(query.to / minuteMillis) * minuteMillis;
  const minutes = (end - first) / minuteMillis;
  const bucketMillis = Math.max(1, Math.ceil(minutes / Math.max(1, query.points))) * minuteMillis;
  const buckets = new Map<number, Sums>();
  const add = (item: Item) => {
    const sums = sumsOf(item, query.field);
    const minute = timeOfText(item.sk);
    if (sums !== null) addTo(buckets, first + Math.floor((minute - first) / bucketMillis) * bucketMillis, sums);
  };
  const [anomalies] = await Promise.all([
    readAnomalies(table, query),
    first < end && readRollups(table, query, first, end - minuteMillis, add),
  ]);
  const points = [...buckets].sort(([left], [right]) => left - right).map(([time, sums]) => point(time, sums, query));
  return { bucketMillis, points, anomalies };
}

/** Of all shards, for minutes from `first` to `last`; looks only into months in which the stream has records. */
async function readRollups(
  table: Table,
  { tenant, stream }: SeriesQuery,
  first: number,
  last: number,
  each: (item: Item) => void,
): Promise<void> {
  const days = {
    index: null,
    partition: itemKeys.days(tenant, stream),
    from: timeText(dayOf(first)),
    to: timeText(last),
  };
  const periods = new Set<number>();
  for await (const { sk } of table.queryAll(days)) {
    periods.add(Math.floor(timeOfText(sk) / rollupPeriodMillis) * rollupPeriodMillis);
  }
  const partitions = [...periods].flatMap((period) =>
    allShards(shards.rollups).map((shard) => itemKeys.rollup(tenant, stream, period, shard).pk),
  );
  await inParallel(partitions, async (partition) => {
    const range = { index: null, partition, from: timeText(first), to: timeText(last) };
    for await (const item of table.queryAll(range)) each(item);
  });
}

/** What a minute has of a field, or of events for the field ""; null: nothing. */
function sumsOf(item: Item, field: string): Sums | null {
  const { count, fields } = rollupOf(item);
  if (field !== "") return fields[field] ?? null;
  return count === 0 ? null : { count, min: 0, max: 0, sum: 0 };
}

function addTo(buckets: Map<number, Sums>, time: number, { count, min, max, sum }: Sums): void {
  const sums = buckets.get(time);
  if (sums === undefined) {
    buckets.set(time, { count, min, max, sum });
    return;
  }
  sums.count += count;
  sums.min = Math.min(sums.min, min);
  sums.max = Math.max(sums.max, max);
  sums.sum += sum;
}

function point(time: number, { count, min, max, sum }: Sums, { field }: SeriesQuery): SeriesPoint {
  if (field === "") return { time, count, min: null, max: null, avg: null };
  return { time, count, min, max, avg: sum / count };
}

async function readAnomalies(table: Table, { tenant, stream, field, from, to }: SeriesQuery): Promise<Anomaly[]> {
  const anomalies: Anomaly[] = [];
  if (from >= to) return anomalies;
  const partition = listKeys.anomaliesOfField(tenant, stream, field);
  // Sort keys of a time are longer than the time alone, so its text comes before all of them.
  const range = { index: "g2", partition, from: timeText(from), to: timeText(to) } as const;
  for await (const item of table.queryAll(range)) anomalies.push(entityOf<Anomaly>(item));
  return anomalies;
}
