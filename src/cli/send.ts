import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { Connection } from "../client/connection.ts";
import { batchEventsMax, sendEvents } from "../client/send-events.ts";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { type EventFile, type EventFileFormat, eventFileFormats, findEventFiles } from "./event-file.ts";
import { exitCodes } from "./exit-code.ts";
import { onInterrupt } from "./interrupt.ts";
import { jsonEvents, type LocatedEvent, ndjsonEvents } from "./located-event.ts";
import { sendCsv } from "./send-csv.ts";
import { count, type Place, type SendSummary, type SendTally, sendTally } from "./send-tally.ts";
import { stdinEvents } from "./stdin-events.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

interface SendCommandOptions extends ConnectionOptions {
  readonly format?: EventFileFormat;
  readonly concurrency: number;
}

/** One try at a request is worth this many: sending is what runs unattended. */
const attemptsMax = 8;

export function sendCommand(): Command {
  const command = baseCommand(
    "send",
    "send events from files or stdin",
    `Sends events from files, folders or stdin: JSON (one object or an array), NDJSON, CSV.
Sends up to 1,000 events or 5 MB a request, several at a time, compressed, and repeats what was refused or lost
without making two of an event. Invalid events are named with file and line; the others are not held up by them.
A CSV file goes through the upload door.

With --json: {"sent", "accepted", "invalid", "refused", "requests", "seconds"}`,
  )
    .argument("<stream>", "the stream that the events belong to")
    .argument("[files...]", 'files or folders; "-" or none for stdin')
    .addOption(
      new Option("--format <format>", "what the files hold, when their names do not say").choices(eventFileFormats),
    )
    .addOption(new Option("--concurrency <n>", "requests at the same time").argParser(wholeNumber(1, 64)).default(4));
  addConnectionOptions(command).action(async (stream: string, paths: string[], options: SendCommandOptions) => {
    const terminal = terminalFor(command);
    process.exitCode = await send(terminal, stream, paths, options);
  });
  return command;
}

async function send(terminal: Terminal, stream: string, paths: readonly string[], options: SendCommandOptions) {
  const fromStdin = paths.length === 0 || paths.includes("-");
  if (fromStdin && paths.length > 1)
    throw new EventPulseError("PARAMETER_INVALID", '"-" stands for stdin and goes alone.');
  if (fromStdin && process.stdin.isTTY === true && paths.length === 0) {
    throw new EventPulseError("PARAMETER_INVALID", "Name the files to send, or pipe events in.");
  }
  const files = fromStdin ? [] : await findEventFiles(paths, options.format);
  // A wrong stream, key or address is said at once and once, not after the first file was read.
  await (await openConnection(options)).json("GET", `/v1/streams/${encodeURIComponent(stream)}`);
  const connection = await openConnection(options, attemptsMax);
  using interrupt = onInterrupt("Finishing the requests that are under way.");
  const tally = sendTally(terminal, fromStdin ? null : files.reduce((bytes, file) => bytes + file.bytes, 0));
  const sending: Sending = { connection, stream, tally, concurrency: options.concurrency, stopped: interrupt.signal };
  try {
    if (fromStdin) await sendStdin(sending, options.format);
    else await sendFiles(sending, files);
  } catch (error) {
    const { accepted } = tally.summary();
    terminal.say(`Stopped after ${count(accepted)} accepted events.`);
    throw error;
  }
  const summary = tally.summary();
  await terminal.result(summary, () => describe(terminal, stream, summary));
  suggest(terminal, stream, summary);
  if (interrupt.signal.aborted) return exitCodes.interrupted;
  return summary.invalid > 0 ? exitCodes.invalid : exitCodes.ok;
}

interface Sending {
  readonly connection: Connection;
  readonly stream: string;
  readonly tally: SendTally;
  readonly concurrency: number;
  /** Nothing new is begun once this aborts. */
  readonly stopped: AbortSignal;
}

async function sendFiles(sending: Sending, files: readonly EventFile[]): Promise<void> {
  // JSON files are often one event each, so those of one kind share requests.
  const ofFormat = (format: EventFileFormat) => files.filter((file) => file.format === format);
  await sendLocated(sending, "json", jsonFiles(sending, ofFormat("json")));
  await sendLocated(sending, "ndjson", ndjsonFiles(sending, ofFormat("ndjson")));
  for (const { path } of ofFormat("csv")) {
    if (sending.stopped.aborted) return;
    await sendCsv(sending, path, await readFile(path));
  }
}

async function sendStdin(sending: Sending, format: EventFileFormat | undefined): Promise<void> {
  const file = "(stdin)";
  const input = await stdinEvents(process.stdin, format, sending.stopped);
  if (input.format === "csv") return sendCsv(sending, file, input.body);
  await sendLocated(sending, input.format, located(file, input.events));
}

interface LocatedChunk {
  readonly file: string;
  readonly events: readonly LocatedEvent[];
}

async function* located(
  file: string,
  chunks: Iterable<readonly LocatedEvent[]> | AsyncIterable<readonly LocatedEvent[]>,
): AsyncGenerator<LocatedChunk> {
  for await (const events of chunks) yield { file, events };
}

async function* jsonFiles({ tally }: Sending, files: readonly EventFile[]): AsyncGenerator<LocatedChunk> {
  for (const { path, bytes } of files) {
    try {
      const events = jsonEvents(await readFile(path));
      for (let first = 0; first < events.length; first += batchEventsMax) {
        tally.read((bytes * Math.min(batchEventsMax, events.length - first)) / events.length);
        yield { file: path, events: events.slice(first, first + batchEventsMax) };
      }
    } catch (error) {
      if (!(error instanceof EventPulseError)) throw error;
      tally.add({ sent: 1 });
      tally.invalid({ file: path, line: null }, false, [{ pointer: "", code: error.code, detail: error.message }]);
    }
  }
}

async function* ndjsonFiles({ tally }: Sending, files: readonly EventFile[]): AsyncGenerator<LocatedChunk> {
  for (const { path } of files) {
    const chunks = createReadStream(path, { highWaterMark: 1024 * 1024 });
    for await (const events of ndjsonEvents(chunks)) {
      tally.read(events.reduce((bytes, event) => bytes + event.bytes.length + 1, 0));
      yield { file: path, events };
    }
  }
}

async function sendLocated(
  sending: Sending,
  format: "json" | "ndjson",
  chunks: AsyncIterable<LocatedChunk>,
): Promise<void> {
  const { connection, stream, tally, concurrency, stopped } = sending;
  // Where the events came from, by index: a chunk is one file's, so its first index and its lines say it all.
  const origins: { readonly first: number; readonly file: string; readonly lines: readonly number[] }[] = [];
  async function* bytesOf(): AsyncGenerator<readonly Uint8Array[], void> {
    let first = 0;
    for await (const { file, events } of chunks) {
      if (stopped.aborted) return;
      origins.push({ first, file, lines: events.map(({ line }) => line) });
      first += events.length;
      yield events.map(({ bytes }) => bytes);
    }
  }
  const placeOf = (index: number): Place => {
    const origin = origins.findLast(({ first }) => first <= index);
    return { file: origin?.file ?? "", line: origin?.lines[index - origin.first] ?? null };
  };
  let before = { sent: 0, accepted: 0, requests: 0 };
  await sendEvents(connection, stream, bytesOf(), {
    format,
    concurrency,
    onProgress({ sent, accepted, requests }) {
      tally.add({
        sent: sent - before.sent,
        accepted: accepted - before.accepted,
        requests: requests - before.requests,
      });
      before = { sent, accepted, requests };
    },
    onInvalid: ({ index, kept, errors }) => tally.invalid(placeOf(index), kept, errors),
  });
}

function describe(terminal: Terminal, stream: string, { accepted, invalid, requests, seconds }: SendSummary): string {
  const events = `${count(accepted)} event${accepted === 1 ? "" : "s"} accepted by ${stream}`;
  const how = `${requests} request${requests === 1 ? "" : "s"}, ${seconds.toFixed(1)} s`;
  const head = `${terminal.style(invalid === 0 ? "green" : "yellow", invalid === 0 ? "✔" : "!")} ${events} (${how})`;
  return invalid === 0 ? head : `${head}\n  ${count(invalid)} of what was sent ${invalid === 1 ? "is" : "are"} invalid`;
}

function suggest(terminal: Terminal, stream: string, { accepted, invalid, refused }: SendSummary): void {
  const failures = `eventpulse failures list --stream ${stream}`;
  if (invalid > refused) terminal.next(failures, `eventpulse query ${stream}`);
  else if (accepted > 0) terminal.next(`eventpulse query ${stream}`);
}
