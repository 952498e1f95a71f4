import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chartSvg } from "../../bench/anomaly/chart.ts";

const rows = 4032;
const fiveMinutes = 300_000;
const values = Float64Array.from({ length: rows }, (_, row) => Math.sin(row / 40));
const series = {
  name: "category/file.csv",
  times: Float64Array.from({ length: rows }, (_, row) => Date.UTC(2024, 0, 1) + row * fiveMinutes),
  values,
  windows: [
    [1000, 1100],
    [2000, 2100],
  ] as const,
};

function judged(scores: Readonly<Record<number, number>>, band: number) {
  return {
    scores: Float64Array.from({ length: rows }, (_, row) => scores[row] ?? 0),
    lows: new Float64Array(rows).fill(-band),
    highs: new Float64Array(rows).fill(band),
    stateBytesMax: 0,
  };
}

describe("a chart of a series", () => {
  const count = (svg: string, text: string) => svg.split(text).length - 1;
  // Each mark is in the legend once.
  const legend = 1;

  test("marks what was found, missed and falsely found", () => {
    const svg = chartSvg("a title", series, judged({ 1010: 0.9, 1020: 0.9, 1500: 0.5, 3000: 0.7, 3500: 0.4 }, 1), 0.5);
    assert.match(svg, /<title>a title: 1 of 2 windows found, 2 false alarms<\/title>/);
    assert.equal(count(svg, 'class="find"'), 1 + legend);
    assert.equal(count(svg, 'class="missed"'), 1 + legend);
    assert.equal(count(svg, 'class="false"'), 2 + legend);
    assert.equal(count(svg, 'class="window"'), 2 + legend);
  });

  test("stays small, names days, and holds only finite numbers, also of a series that never changes", () => {
    for (const flat of [false, true]) {
      const shown = flat ? { ...series, values: new Float64Array(rows) } : series;
      const svg = chartSvg("a title", shown, judged({}, flat ? 0 : 1), 0.5);
      assert.ok(svg.length < 40_000, `${svg.length} characters`);
      assert.match(svg, />01-\d\d</);
      assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
    }
  });

  test("draws no line over a time without values, and a value between two such times as a point", () => {
    const there = [...Array(1000).keys(), 1500, ...Array.from({ length: 1000 }, (_, index) => 3000 + index)];
    const kept = (all: Float64Array) => Float64Array.from(there, (row) => all[row] ?? 0);
    const shown = { ...series, times: kept(series.times), values: kept(series.values), windows: [] };
    const nothing = new Float64Array(there.length);
    const svg = chartSvg("a title", shown, { scores: nothing, lows: nothing, highs: nothing, stateBytesMax: 0 }, 0.5);
    const path = [...svg.matchAll(/class="value" d="([^"]*)"/g)].at(-1)?.[1] ?? "";
    assert.equal(count(path, "M"), 3);
    assert.match(path, /M[\d.]+ [\d.]+h1M/);
  });

  test("leaves the band out where nothing is expected yet", () => {
    const svg = chartSvg("a title", series, judged({}, Number.NaN), 0.5);
    assert.match(svg, /<path class="band" d=""\/>/);
  });

  test("writes a title with signs of XML as text", () => {
    assert.match(chartSvg("a < b & c", series, judged({}, 1), 0.5), />a &lt; b &amp; c</);
  });
});
