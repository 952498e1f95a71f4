import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type Command, Option } from "commander";
import { sensitivity } from "../config/read-detect.ts";
import { EventPulseError } from "../model/error.ts";
import { detectorFor } from "../pipeline/process/detect/detector-for.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { countOf } from "./count-of.ts";
import { findsTable, jsonRows } from "./detect-output.ts";
import { DetectRun } from "./detect-run.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { onInterrupt } from "./interrupt.ts";
import { numberArgument } from "./number-argument.ts";
import { progressBar } from "./progress-bar.ts";
import type { SeriesColumns } from "./series-rows.ts";
import { untilStopped } from "./stdin-events.ts";
import type { Terminal } from "./terminal.ts";

interface DetectOptions extends SeriesColumns {
  readonly falseAlarmsPerWeek: number;
}

export function detectCommand(): Command {
  const command = baseCommand(
    "detect",
    "try the streaming detector on a series in a CSV file",
    `Runs the detector of detect: "streaming" over one series, row by row, as a rule would over the records of a stream, and
shows what it finds. No server and no config are needed, and nothing is kept.

  eventpulse detect requests.csv --false-alarms-per-week 0.1
  eventpulse detect sensor.csv --time at --value celsius
  zcat big.csv.gz | eventpulse detect - --json > scores.ndjson

The first line names the columns; others than the two are not looked at. Times are RFC 3339, or 2026-11-16 06:00:00 (taken
as UTC), or Unix seconds or milliseconds; the steps between them may vary. An empty cell, NaN, NA and null are missing
values. Rows are judged in the order of the file, as events are in the order they come; those that are earlier than the row
before are counted. A row that cannot be read ends it with 3 and the line.

With --json: one row of the file a line, in its order: {"timestamp": as given, "value", "score": 0 to 1, "anomalous",
"expectedLow", "expectedHigh", "why"}; value is null where it is missing, why where nothing is anomalous`,
  )
    .argument("<series>", 'CSV file, "-" for stdin')
    .addOption(new Option("--value <column>", "the column of the values").default("value"))
    .addOption(new Option("--time <column>", "the column of the times").default("timestamp"))
    .addOption(
      new Option("--false-alarms-per-week <n>", "how many it may raise when nothing is wrong; less finds less")
        .argParser(numberArgument(sensitivity))
        .default(1),
    );
  return command.action(async (series: string, options: DetectOptions) => {
    process.exitCode = await detect(terminalFor(command), series, options);
  });
}

/** The bar redraws ten times a second; asking the clock at every row would be waste. */
const progressRows = 1_000;

async function detect(terminal: Terminal, series: string, options: DetectOptions): Promise<ExitCode> {
  const { seriesRows } = await import("./series-rows.ts");
  using interrupt = onInterrupt("Ending with the rows that are judged.");
  const bytesTotal = series === "-" ? null : await fileBytes(series);
  const input = series === "-" ? process.stdin : createReadStream(series);
  const run = new DetectRun(detectorFor({ kind: "streaming", falseAlarmsPerWeek: options.falseAlarmsPerWeek }));
  const output = terminal.pretty ? findsTable(terminal) : jsonRows(terminal);
  const bar = progressBar();
  let bytes = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of untilStopped(input, interrupt.signal)) {
      bytes += chunk.length;
      yield chunk;
    }
  }
  try {
    for await (const row of seriesRows(chunks(), options)) {
      // The rest of the input, cut anywhere, is no row.
      if (interrupt.signal.aborted) break;
      const written = output.add(run.judge(row));
      if (written !== undefined) await written;
      if (run.rows % progressRows === 0) {
        bar.update(bytes, bytesTotal, `${countOf(run.rows, "row")}, ${countOf(run.finds, "find")}`);
      }
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  } finally {
    bar.clear();
    await output.end();
  }
  terminal.say(run.summary());
  return interrupt.signal.aborted ? exitCodes.interrupted : exitCodes.ok;
}

async function fileBytes(path: string): Promise<number | null> {
  const status = await stat(path).catch(() => null);
  if (status === null) throw new EventPulseError("PARAMETER_INVALID", `There is no file ${path}.`);
  if (status.isDirectory()) throw new EventPulseError("PARAMETER_INVALID", `${path} is a folder; name one CSV file.`);
  // A pipe with a name has no size.
  return status.isFile() ? status.size : null;
}
