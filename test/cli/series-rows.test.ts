import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { type SeriesColumns, type SeriesRow, seriesRows } from "../../src/cli/series-rows.ts";
import { parseSeriesTime } from "../../src/cli/series-time.ts";

/** `bytesEach`: how the series comes in; a pipe cuts it anywhere. */
async function read(series: string | Uint8Array, more: Partial<SeriesColumns> = {}, bytesEach = 65_536) {
  const bytes = Buffer.from(series);
  const chunks = Array.from({ length: Math.ceil(bytes.length / bytesEach) }, (_, index) =>
    bytes.subarray(index * bytesEach, (index + 1) * bytesEach),
  );
  const rows: SeriesRow[] = [];
  for await (const row of seriesRows(Readable.from(chunks), { time: "timestamp", value: "value", ...more }))
    rows.push(row);
  return rows;
}

describe("a series in a CSV file", () => {
  for (const bytesEach of [1, 7, 65_536]) {
    test(`is read as spreadsheets write it: a mark at the start, CRLF, quotes, blank lines, other columns; ${bytesEach} bytes at a time`, async () => {
      const text =
        '\ufeff"note","°C","at"\r\n"a, ""ü""\r\nc",-1.5e1,2026-01-01 00:00:00\r\n\r\n,"+20.25","2026-01-01 00:10:00"';
      assert.deepEqual(await read(text, { time: "at", value: "°C" }, bytesEach), [
        { timestamp: "2026-01-01 00:00:00", time: Date.UTC(2026, 0, 1), value: -15 },
        { timestamp: "2026-01-01 00:10:00", time: Date.UTC(2026, 0, 1, 0, 10), value: 20.25 },
      ]);
    });
  }

  const head = "timestamp,value\n";
  const wrongColumns = [
    [
      "a column that is not there",
      "timestamp,Value\n1,1\n",
      /no column "value"; did you mean "Value"\? Name it with --value/,
    ],
    [
      "a file without a header",
      "2026-01-01,1\n",
      /no column "timestamp"; known: 2026-01-01, 1\. .*first line must name/,
    ],
    ["another separator", "timestamp;value\n1;1\n", /known: timestamp;value\. .*commas between them/],
  ] as const;
  const wrongData = [
    ["a column that is there twice", "timestamp,value,value\n1,1,1\n", /Two columns are called "value"/],
    ["no rows and no header", "", /The series is empty; its first line must name the columns/],
    ["a header alone", head, /The series has no rows/],
    [
      "a text for a number",
      `${head}1,1\n\n2,12 V\n`,
      /Line 4: "12 V" in column value is no finite number; .* leave the cell empty/,
    ],
    ["a number too large", `${head}1,1e999\n`, /Line 2: "1e999".*no finite number/],
    ["a number of another notation", `${head}1,0x10\n`, /Line 2: "0x10"/],
    [
      "a date that is none",
      `${head}2026-02-30,1\n`,
      /Line 2: "2026-02-30" in column timestamp is no time; write 2026-/,
    ],
    ["a row that is cut", `${head}1,1\n2\n`, /Line 3 has 1 cell, the header 2/],
    ["a comma in a number", `${head}1,1,000\n`, /Line 2 has 3 cells, the header 2; quote a value/],
    ["a quote that is not closed", `${head}1,"2\n3,4\n`, /cannot be read near line \d+: check its quotes/],
    ["a quote that takes too much into memory", `${head}1,"${"2\n".repeat(200_000)}`, /cannot be read near line/],
    ["a picture", Buffer.from("89504e470d0a1a0a0000000d", "hex"), /binary or UTF-16; save it as CSV in UTF-8/],
    ["UTF-16", Buffer.from(`\ufeff${head}1,1\n`, "utf16le"), /binary or UTF-16/],
  ] as const;
  for (const [exit, cases] of [
    [2, wrongColumns],
    [3, wrongData],
  ] as const) {
    for (const [name, series, message] of cases) {
      test(`is refused for ${name}, with ${exit}`, async () => {
        const error = await read(series).then(
          () => null,
          (reason: unknown) => reason,
        );
        assert.match(String(error), message);
        assert.equal(exitCodeOf(error), exit);
      });
    }
  }
});

describe("the time of a row", () => {
  const cases = [
    ["2014-04-01 00:00:00", "2014-04-01T00:00:00.000Z"],
    ["2014-04-01T02:00+02:00", "2014-04-01T00:00:00.000Z"],
    ["2014-04-01 02:00:00,5+0200", "2014-04-01T00:00:00.500Z"],
    ["2016-02-29", "2016-02-29T00:00:00.000Z"],
    ["1396310400", "2014-04-01T00:00:00.000Z"],
    ["1396310400.25", "2014-04-01T00:00:00.250Z"],
    ["1396310400250", "2014-04-01T00:00:00.250Z"],
    ["-5", "1969-12-31T23:59:55.000Z"],
  ] as const;
  for (const [text, expected] of cases) {
    test(`${text} is ${expected}`, () => assert.equal(parseSeriesTime(text), Date.parse(expected)));
  }

  for (const text of [
    "",
    "now",
    "2014-02-29",
    "2014-04-01T25:00:00Z",
    "01.04.2014",
    "1396310400250000",
    "2014-04-01 00:00:00 CET",
  ]) {
    test(`${JSON.stringify(text)} is no time`, () => assert.equal(parseSeriesTime(text), null));
  }
});
