import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DetectRun } from "../../src/cli/detect-run.ts";
import { detectorFor } from "../../src/pipeline/process/detect/detector-for.ts";
import { fixture, fixtureMissing } from "../fixtures.ts";
import { type CliOptions, endOf, jsonLines, runCli, spawnCli, temporaryFolder } from "./run-cli.ts";

const detect = (input: string | Uint8Array, args: readonly string[] = [], options: CliOptions = {}) =>
  runCli(["detect", "-", ...args], { ...options, input });
const row = (timestamp: string, value: number | null) => {
  return { timestamp, value, score: 0, anomalous: false, expectedLow: null, expectedHigh: null, why: null };
};

describe("detect", { concurrency: true }, () => {
  test("prints a line for every row, in the order of the file, with the time as it was given", async () => {
    const times = ["2026-01-01 00:00:00", "2026-01-01T00:05:00+01:00", "1767225600", "1767225600000", "2026-01-02"];
    const { code, stdout, stderr } = await detect(`timestamp,value\n${times.map((time) => `${time},1.50\n`).join("")}`);
    assert.equal(code, 0, stderr);
    const lines = jsonLines(stdout);
    assert.deepEqual(
      lines.map(({ timestamp }) => timestamp),
      times,
    );
    assert.deepEqual(Object.keys(lines[0] ?? {}), Object.keys(row("", null)));
    assert.match(
      stderr,
      /^5 rows, 0 finds, 1 row earlier than the one before; [\d.]+ µs a point, [\d,]+ bytes of state\.\n$/,
    );
  });

  test("takes an empty cell, NaN, NA and null as a missing value, which is not judged", async () => {
    const cells = ["", "NaN", "nan", "NA", "null", " "];
    const { code, stdout, stderr } = await detect(`timestamp,value\n${cells.map((cell) => `1,${cell}\n`).join("")}`);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      jsonLines(stdout),
      cells.map(() => row("1", null)),
    );
    assert.match(stderr, /^6 rows, 0 finds, 6 rows without a value\.\n$/);
  });

  test("shows people the finds alone, and what it cost", async (context) => {
    const file = join(await temporaryFolder(context), "flat.csv");
    await writeFile(file, "timestamp,value\n1,1\n2,1\n");
    const { code, stdout, stderr } = await runCli(["detect", file, "--no-json"]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^2 rows, 0 finds; /);
    assert.equal((await runCli(["detect", file, "--json"])).stderr, "");
  });

  test("refuses a file that is not there, a folder, and a number of false alarms that is none", async (context) => {
    const folder = await temporaryFolder(context);
    const missing = await runCli(["detect", join(folder, "none.csv")]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /There is no file .*none\.csv/);
    const directory = await runCli(["detect", folder]);
    assert.equal(directory.code, 2);
    assert.match(directory.stderr, /is a folder; name one CSV file/);
    for (const wrong of ["0", "-1", "many", "1e9", "Infinity"]) {
      const { code, stderr } = await detect("", [`--false-alarms-per-week=${wrong}`]);
      assert.equal(code, 2, wrong);
      assert.match(stderr, /must be a number from 0.001 to 1000/);
    }
  });

  test("keeps what was judged before a row that cannot be read", async () => {
    const { code, stdout, stderr } = await detect("timestamp,value\n1,1\n2,x\n3,3\n", ["--json"]);
    assert.equal(code, 3);
    assert.deepEqual(
      jsonLines(stdout).map(({ timestamp }) => timestamp),
      ["1"],
    );
    const [{ error } = { error: null }] = jsonLines(stderr);
    assert.deepEqual(error, { ...(error as object), code: "CSV_INVALID", exitCode: 3 });
  });

  test("answers a pipe row by row, and ends with 130 at Ctrl-C", async () => {
    const child = spawnCli(["detect", "-", "--json"]);
    const ended = endOf(child);
    const seen = new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    // The last row has not come whole: it is judged neither now nor at the end.
    child.stdin.write("timestamp,value\n1,1\n2,2\n3,3");
    await seen;
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    assert.equal(code, 130);
    assert.deepEqual(
      jsonLines(stdout).map(({ timestamp }) => timestamp),
      ["1", "2"],
    );
  });

  test("judges a real series as a whole", {
    skip: fixtureMissing("series/nab/realTraffic/occupancy_6005.csv"),
  }, async () => {
    const { code, stdout, stderr } = await runCli(["detect", fixture("series/nab/realTraffic/occupancy_6005.csv")]);
    assert.equal(code, 0, stderr);
    const lines = jsonLines(stdout);
    assert.equal(lines.length, 2_380);
    for (const { score, anomalous, why } of lines) {
      assert.ok(typeof score === "number" && score >= 0 && score <= 1);
      assert.equal(anomalous, why !== null);
    }
  });
});

describe("a detector over one series", () => {
  const run = () => new DetectRun(detectorFor({ kind: "range", low: null, high: 10 }));
  const at = (time: number, value: number | null) => ({ timestamp: String(time), time, value });

  test("is judged with its band, its score and why, where it finds something", () => {
    const series = run();
    const ordinary = series.judge(at(1, 5));
    assert.deepEqual(ordinary, { ...row("1", 5), expectedHigh: 10 });
    const find = series.judge(at(2, 20));
    assert.equal(find.anomalous, true);
    assert.ok(find.score > 0.5);
    assert.match(find.why ?? "", /20 is 10 above the fixed band/);
  });

  test("counts rows, finds, missing values and rows that are earlier than the one before", () => {
    const series = run();
    for (const point of [at(2, 20), at(1, 20), at(1, null), at(3, 3)]) series.judge(point);
    const counts = "4 rows, 2 finds, 1 row without a value, 1 row earlier than the one before";
    assert.match(series.summary(), new RegExp(`^${counts}; [\\d.]+ µs a point, [\\d,]+ bytes of state\\.$`));
  });
});
