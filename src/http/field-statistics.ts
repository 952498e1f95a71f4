import type { StoredRecord } from "../model/record.ts";
import type { RecordTable, SeriesPoint } from "../ports/record-table.ts";

const minuteMillis = 60_000;
const dayMillis = 24 * 60 * minuteMillis;
/** Each field costs a query over the rollups; a page shows no more anyway. */
const fieldsMax = 20;

export interface FieldStatistics {
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly avg: number | null;
}

/** Count, min, max and mean of the given fields over the last 24 hours of event time; fields without values are left out. */
export async function fieldStatistics(
  records: Pick<RecordTable, "series">,
  tenant: string,
  stream: string,
  fields: readonly string[],
  now: number,
): Promise<Readonly<Record<string, FieldStatistics>>> {
  const to = Math.floor(now / minuteMillis) * minuteMillis + minuteMillis;
  const found = await Promise.all(
    fields.slice(0, fieldsMax).map(async (field) => {
      const { points } = await records.series({ tenant, stream, field, from: to - dayMillis, to, points: 1 });
      return [field, merged(points)] as const;
    }),
  );
  return Object.fromEntries(found.filter(([, { count }]) => count > 0));
}

/** Numbers at the top level: of the contract, and of the newest records, which may have others than the contract. */
export function numericFields(
  jsonSchema: Readonly<Record<string, unknown>> | null,
  samples: readonly StoredRecord[],
): readonly string[] {
  const names = new Set<string>();
  const properties = (jsonSchema?.["properties"] ?? {}) as Record<string, { readonly type?: unknown } | boolean>;
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property === "object" && (property.type === "number" || property.type === "integer")) names.add(name);
  }
  for (const { dataJson } of samples) {
    const data: unknown = JSON.parse(dataJson);
    if (typeof data !== "object" || data === null) continue;
    for (const [name, value] of Object.entries(data)) if (typeof value === "number") names.add(name);
  }
  return [...names];
}

function merged(points: readonly SeriesPoint[]): FieldStatistics {
  let count = 0;
  let sum = 0;
  let min: number | null = null;
  let max: number | null = null;
  for (const point of points) {
    if (point.min === null || point.max === null || point.avg === null) continue;
    count += point.count;
    sum += point.avg * point.count;
    min = min === null ? point.min : Math.min(min, point.min);
    max = max === null ? point.max : Math.max(max, point.max);
  }
  return { count, min, max, avg: count === 0 ? null : sum / count };
}
