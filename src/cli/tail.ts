import type { Command } from "commander";
import { isObject } from "../client/connection.ts";
import { type LiveMessage, live } from "../client/live.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { onInterrupt } from "./interrupt.ts";
import type { Style, Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function tailCommand(): Command {
  const command = baseCommand(
    "tail",
    "watch records, failures and anomalies as they happen",
    `Prints what is committed from now on until Ctrl-C. Connects again when the line breaks and says so: what happened
meanwhile is not shown.

With --json: {"kind": "record" | "failure" | "anomaly" | "skipped", "data": …} a line; the data as the API shows it`,
  ).argument("[stream]", "only this stream");
  addConnectionOptions(command).action(async (stream: string | undefined, options: ConnectionOptions) => {
    await tail(terminalFor(command), stream ?? null, options);
  });
  return command;
}

async function tail(terminal: Terminal, stream: string | null, options: ConnectionOptions): Promise<void> {
  const connection = await openConnection(options);
  // Nothing there at the start is a mistake to be told at once; nothing there later is worth waiting for.
  await connection.json("GET", stream === null ? "/v1/streams" : `/v1/streams/${encodeURIComponent(stream)}`);
  using interrupt = onInterrupt("The watching ends; EventPulse runs on.");
  const onLine = (state: "open" | "lost", reason: string | null) => {
    if (state === "lost")
      terminal.say(`The connection is lost (${reason}). Trying again; what happens meanwhile is not shown.`);
    else terminal.say(`Watching ${stream ?? "all streams"} at ${connection.url}. Ctrl-C ends it.`);
  };
  for await (const message of live(connection, stream, { signal: interrupt.signal, onLine })) {
    // The data's text goes on as it came: parsing and writing it again could change a number.
    await terminal.write(
      terminal.pretty ? `${draw(terminal, message)}\n` : `{"kind":"${message.kind}","data":${message.json}}\n`,
    );
  }
}

const styles = { record: "green", failure: "red", anomaly: "yellow", skipped: "dim" } as const satisfies Record<
  LiveMessage["kind"],
  Style
>;

function draw(terminal: Terminal, { kind, data, json }: LiveMessage): string {
  const fields = isObject(data) ? data : {};
  const shown = kind === "record" ? JSON.stringify(fields["data"]) : kind === "anomaly" ? fields["why"] : json;
  const head = terminal.style(styles[kind], kind.padEnd(7));
  const stream = typeof fields["stream"] === "string" ? `${fields["stream"]} ` : "";
  const time = typeof fields["time"] === "string" ? `${terminal.style("dim", visibleText(fields["time"]))} ` : "";
  return `${time}${head} ${visibleText(`${stream}${shown ?? json}`)}`;
}
