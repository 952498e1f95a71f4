import { timeFits } from "../model/record.ts";

/** Seconds up to the year 5138, milliseconds from March 1973 on: no real series is on both sides. */
const unixSecondsMax = 1e11;

/**
 * Milliseconds since 1970 of a time as files of series have it: RFC 3339, the same without a zone (taken as UTC) or with a
 * blank instead of the T, a date, or Unix seconds or milliseconds. Null for anything else.
 */
export function parseSeriesTime(cell: string): number | null {
  const text = cell.trim();
  if (/^-?\d+(\.\d+)?$/.test(text)) {
    const unix = Number(text);
    return known(Math.trunc(Math.abs(unix) < unixSecondsMax ? unix * 1000 : unix));
  }
  const parts = /^(\d{4}-\d{2}-(\d{2}))(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(
    text,
  );
  if (parts === null) return null;
  const [, date, day, clock = "00:00", zone = "Z"] = parts;
  // Date takes 31 February as 3 March.
  if (Number(day) > 28 && new Date(`${date}T00:00Z`).getUTCDate() !== Number(day)) return null;
  return known(Date.parse(`${date}T${clock.replace(",", ".")}${zone}`));
}

function known(millis: number): number | null {
  return timeFits(millis) ? millis : null;
}
