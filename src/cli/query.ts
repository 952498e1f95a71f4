import { type Command, Option } from "commander";
import type { Condition } from "../model/page.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { recordPages } from "./record-pages.ts";
import { type RecordFormat, recordFormats, recordWriter } from "./record-writer.ts";
import { count } from "./send-tally.ts";
import type { Terminal } from "./terminal.ts";
import { timeArgument } from "./time-argument.ts";
import { whereArgument, whereQuery } from "./where-argument.ts";
import { wholeNumber } from "./whole-number.ts";

interface QueryOptions extends ConnectionOptions {
  readonly from?: string;
  readonly to?: string;
  readonly where?: readonly Condition[];
  readonly limit: number;
  readonly order?: "asc" | "desc";
  readonly format?: RecordFormat;
}

/** Reading is safe to repeat, so a moment of trouble in the middle of a long answer is ridden out. */
const attemptsMax = 4;

export function queryCommand(): Command {
  const command = baseCommand(
    "query",
    "ask for records of a stream",
    `Prints the records of a stream in order of their event time, the newest first unless --order says otherwise.

  eventpulse query orders --where 'total gte 100' --where 'country eq DE' --from 2h
  eventpulse query orders --limit 100000 --format csv > orders.csv

json, ndjson and csv carry every character as it was sent; a table shows control characters as escapes. In CSV an object
or a list is JSON in its cell, and an empty text is "" where a missing field is nothing.

With --json: one record a line, as the API shows it:
{"id", "stream", "time", "receivedAt", "eventId", "attributes", "data", "rawKey", "rawIndex"}`,
  )
    .argument("<stream>", "the stream to ask")
    .addOption(
      new Option("--from <time>", "event time, inclusive: RFC 3339, a date, or an age like 15m, 2h, 7d").argParser(
        timeArgument,
      ),
    )
    .addOption(new Option("--to <time>", "event time, exclusive").argParser(timeArgument))
    .addOption(
      new Option("--where <condition>", "field operator value; give it again for more, all must hold").argParser(
        whereArgument,
      ),
    )
    .addOption(new Option("--limit <n>", "records at most").argParser(wholeNumber(1, 100_000_000)).default(100))
    .addOption(new Option("--order <order>", "by event time").choices(["asc", "desc"]).default("desc"))
    .addOption(
      new Option("--format <format>", "default: table on a terminal, else ndjson")
        .choices(recordFormats)
        .conflicts("json"),
    );
  addConnectionOptions(command).action(async (stream: string, options: QueryOptions) => {
    await query(terminalFor(command), stream, options);
  });
  return command;
}

async function query(terminal: Terminal, stream: string, options: QueryOptions): Promise<void> {
  const connection = await openConnection(options, attemptsMax);
  const { from, to, order, limit, where = [] } = options;
  const format = options.format ?? (terminal.pretty ? "table" : "ndjson");
  const writer = recordWriter(format, terminal);
  let records = 0;
  let complete = true;
  for await (const page of recordPages(connection, stream, { from, to, order, ...whereQuery(where) }, limit)) {
    records += page.length;
    complete = records < limit;
    await writer.add(page);
  }
  await writer.end();
  if (records === 0) {
    terminal.say(`No records of ${stream} fit.`);
    terminal.next("eventpulse status", `eventpulse failures list --stream ${stream}`);
  } else if (!complete) {
    terminal.say(`The first ${count(records)} records; there may be more.`);
    terminal.next(`eventpulse query ${stream} --limit ${limit * 10}`);
  }
}
