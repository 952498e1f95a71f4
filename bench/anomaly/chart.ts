import { findsAt } from "./alarms.ts";
import { timeTicks, valueTicks } from "./chart-ticks.ts";
import type { LabelledSeries } from "./labelled-series.ts";
import type { JudgedWithBand } from "./score-series.ts";

const width = 960;
const height = 300;
const plot = { left: 58, right: width - 14, top: 52, bottom: height - 26 };
/** Pixels that share one stroke from their lowest to their highest value. */
const columnWidth = 2;
/** From the middle of a line of text down to where it stands; not every viewer knows `dominant-baseline`. */
const textDrop = 4;
/** About as wide as a letter is; fonts differ. */
const letterWidth = 6.5;
/** More columns than this without a row are a gap: series with fewer rows than columns have some that are none. */
const gapColumnsMin = 4;
const columns = (plot.right - plot.left) / columnWidth;

/** Colours that people who see few of them tell apart (Okabe and Ito 2008), lighter on dark; every mark has a shape of its own too. */
const style = `
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328 }
  .page { fill: #fff }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .value { fill: none; stroke: #24292f; stroke-width: 1; stroke-linejoin: round }
  .band { fill: #0072b2; fill-opacity: .2 }
  .window { fill: #009e73; fill-opacity: .16 }
  .missed { fill: none; stroke: #cc3311; stroke-width: 1.5; stroke-dasharray: 5 4 }
  .find { fill: #009e73; stroke: #fff; stroke-width: 1.5 }
  .false { fill: #d55e00; stroke: #fff; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title { fill: #f0f6fc }
    .page { fill: #0d1117 }
    .grid { stroke: #30363d }
    .value { stroke: #d1d7e0 }
    .band { fill: #56b4e9; fill-opacity: .28 }
    .window { fill: #2dd4a7; fill-opacity: .2 }
    .missed { stroke: #ff7b72 }
    .find { fill: #2dd4a7; stroke: #0d1117 }
    .false { fill: #ffa657; stroke: #0d1117 }
  }`;

/** One series as SVG: the values, the band that was expected, the labelled windows, what was found, missed and falsely found. */
export function chartSvg(title: string, series: LabelledSeries, judged: JudgedWithBand, threshold: number): string {
  const scale = scaleOf(series);
  const finds = findsAt({ ...series, ...judged }, threshold);
  const hits = finds.hits.filter((row) => row !== null);
  const alarms = finds.falseAlarms.length;
  const summary = `${hits.length} of ${countText(finds.hits.length, "window")} found, ${countText(alarms, "false alarm")}`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeText(title)}: ${summary}</title>`,
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="title" x="${plot.left}" y="20">${escapeText(title)}</text>`,
    `<text x="${plot.right}" y="20" text-anchor="end">${summary}</text>`,
    ...legend(),
    ...axes(scale),
    ...series.windows.map(([first, last], index) => windowMark(scale, first, last, finds.hits[index] !== null)),
    `<path class="band" d="${bandPath(series, judged, scale)}"/>`,
    `<path class="value" d="${valuePath(series, scale)}"/>`,
    ...apart(finds.falseAlarms.map((row) => scale.at(row))).map(falseMark),
    ...hits.map((row) => findMark(scale.at(row))),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

interface Scale {
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
  x(time: number): number;
  y(value: number): number;
  at(row: number): Place;
}
type Place = readonly [x: number, y: number];

function scaleOf({ times, values }: LabelledSeries): Scale {
  const first = times[0] ?? 0;
  const last = times.at(-1) ?? 0;
  const least = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
  const margin = 0.06 * (most - least) || Math.abs(most) || 1;
  const low = least - margin;
  const high = most + margin;
  const x = (time: number) => plot.left + ((time - first) / Math.max(1, last - first)) * (plot.right - plot.left);
  // A band may reach beyond what is shown.
  const y = (value: number) =>
    plot.bottom - Math.min(1, Math.max(0, (value - low) / (high - low))) * (plot.bottom - plot.top);
  return { first, last, low, high, x, y, at: (row) => [x(times[row] ?? first), y(values[row] ?? low)] };
}

function axes(scale: Scale): string[] {
  const values = valueTicks(scale.low, scale.high).flatMap(({ at, text }) => {
    const y = scale.y(at);
    return [
      `<path class="grid" d="M${plot.left} ${y.toFixed(1)}H${plot.right}"/>`,
      `<text x="${plot.left - 6}" y="${(y + textDrop).toFixed(1)}" text-anchor="end">${text}</text>`,
    ];
  });
  const times = timeTicks(scale.first, scale.last).map(({ at, text }) => {
    return `<text x="${scale.x(at).toFixed(1)}" y="${height - 8}" text-anchor="middle">${text}</text>`;
  });
  return [...values, ...times];
}

function legend(): string[] {
  const y = 36;
  const box = (name: string) => (x: number) => `<rect class="${name}" x="${x}" y="${y - 6}" width="14" height="12"/>`;
  const entries: readonly (readonly [string, (x: number) => string])[] = [
    ["value", (x) => `<path class="value" d="M${x} ${y}h14"/>`],
    ["expected", box("band")],
    ["labelled window", box("window")],
    ["found", (x) => findMark([x + 7, y])],
    ["missed", box("missed")],
    ["false alarm", (x) => falseMark([x + 7, y])],
  ];
  let x: number = plot.left;
  return entries.flatMap(([text, mark]) => {
    const entry = [mark(x), `<text x="${x + 20}" y="${y + textDrop}">${text}</text>`];
    x += 44 + letterWidth * text.length;
    return entry;
  });
}

function windowMark(scale: Scale, first: number, last: number, found: boolean): string {
  const [left] = scale.at(first);
  const [right] = scale.at(last);
  const box = `x="${left.toFixed(1)}" y="${plot.top}" width="${Math.max(2, right - left).toFixed(1)}" height="${plot.bottom - plot.top}"`;
  const shade = `<rect class="window" ${box}/>`;
  return found ? shade : `${shade}<rect class="missed" ${box}/>`;
}

function findMark([x, y]: Place): string {
  return `<circle class="find" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="5.5"/>`;
}

function falseMark([x, y]: Place): string {
  return `<path class="false" d="M${x.toFixed(1)} ${(y - 6).toFixed(1)}l6 6-6 6-6-6z"/>`;
}

/** Of marks that would lie on one another, the first: a hundred false alarms in a row are a line, not a blot. */
function apart(places: readonly Place[]): Place[] {
  const kept: Place[] = [];
  for (const place of places) {
    const before = kept.at(-1);
    if (before === undefined || Math.hypot(place[0] - before[0], place[1] - before[1]) >= 4) kept.push(place);
  }
  return kept;
}

function valuePath({ times, values }: LabelledSeries, scale: Scale): string {
  const lows = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
  const highs = new Float64Array(columns + 1).fill(Number.NEGATIVE_INFINITY);
  for (const [row, value] of values.entries()) {
    const column = columnOf(times[row] ?? 0, scale);
    lows[column] = Math.min(lows[column] ?? value, value);
    highs[column] = Math.max(highs[column] ?? value, value);
  }
  let path = "";
  let empty = gapColumnsMin + 1;
  for (let column = 0; column <= columns; column++) {
    const low = lows[column] ?? 0;
    const high = highs[column] ?? 0;
    if (low > high) {
      empty++;
      continue;
    }
    const place = `${plot.left + column * columnWidth} ${scale.y(low).toFixed(1)}`;
    // A value between two gaps is drawn as a point.
    path += empty > gapColumnsMin ? `M${place}h1` : `L${place}`;
    if (high > low) path += `V${scale.y(high).toFixed(1)}`;
    empty = 0;
  }
  return path;
}

/** The mean band of each column, as one area for each stretch in which there is a band. */
function bandPath({ times }: LabelledSeries, { lows, highs }: JudgedWithBand, scale: Scale): string {
  const sums = Array.from({ length: columns + 1 }, () => ({ low: 0, high: 0, rows: 0 }));
  for (const [row, time] of times.entries()) {
    const sum = sums[columnOf(time, scale)];
    const low = lows[row] ?? Number.NaN;
    const high = highs[row] ?? Number.NaN;
    if (sum === undefined || (Number.isNaN(low) && Number.isNaN(high))) continue;
    sum.low += Number.isNaN(low) ? scale.low : Math.max(low, scale.low);
    sum.high += Number.isNaN(high) ? scale.high : Math.min(high, scale.high);
    sum.rows++;
  }
  const upper: string[] = [];
  const lower: string[] = [];
  let path = "";
  const close = () => {
    if (upper.length > 0) path += `M${[...upper, ...lower.reverse()].join("L")}z`;
    upper.length = 0;
    lower.length = 0;
  };
  let empty = 0;
  for (const [column, { low, high, rows }] of sums.entries()) {
    if (rows === 0 && ++empty > gapColumnsMin) close();
    if (rows === 0) continue;
    empty = 0;
    const x = plot.left + column * columnWidth;
    upper.push(`${x} ${scale.y(high / rows).toFixed(1)}`);
    lower.push(`${x} ${scale.y(low / rows).toFixed(1)}`);
  }
  close();
  return path;
}

function columnOf(time: number, scale: Scale): number {
  return Math.round((scale.x(time) - plot.left) / columnWidth);
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
