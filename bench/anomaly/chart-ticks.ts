export interface Tick {
  readonly at: number;
  readonly text: string;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const timeSteps = [1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600].map((seconds) => seconds * second);
const daySteps = [1, 2, 7, 14, 28, 56, 112].map((days) => days * day);

/** Three to eight round numbers within the range. */
export function valueTicks(low: number, high: number): readonly Tick[] {
  const rough = (high - low) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: Tick[] = [];
  for (let count = Math.ceil(low / step); count * step <= high; count++) {
    const at = Number((count * step).toPrecision(12));
    ticks.push({ at, text: valueText(at) });
  }
  return ticks;
}

function valueText(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential();
  return value.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 4 });
}

/** About eight round times in UTC: days where the series is long, else hours, minutes or seconds. */
export function timeTicks(first: number, last: number): readonly Tick[] {
  const step = [...timeSteps, ...daySteps].find((each) => (last - first) / each <= 9) ?? day * 112;
  const ticks: Tick[] = [];
  for (let at = Math.ceil(first / step) * step; at <= last; at += step) {
    const iso = new Date(at).toISOString();
    const date = step >= day || (at % day === 0 && last - first > day);
    ticks.push({ at, text: date ? iso.slice(5, 10) : step >= minute ? iso.slice(11, 16) : iso.slice(11, 19) });
  }
  return ticks;
}
