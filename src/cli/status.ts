import type { Command } from "commander";
import { type Connection, isObject } from "../client/connection.ts";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { count } from "./send-tally.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function statusCommand(): Command {
  const command = baseCommand(
    "status",
    "is it healthy, and where are all events",
    `Asks a running EventPulse for its health, the balance of every stream and the records of the last minute, hour and day.
Ends with 5 when a check fails.

accepted = stored + dropped + quarantined + dead + in flight, in events; duplicates stand beside it.

With --json: {"healthy", "checks": [{"name", "ok", "detail"}], "total": {"accepted", "stored", "dropped", "quarantined",
"dead", "inFlight", "duplicates"}, "streams": {NAME: {the same, and "lastMinute", "lastHour", "lastDay"}}}`,
  );
  return addConnectionOptions(command).action(async (options: ConnectionOptions) => {
    process.exitCode = await status(terminalFor(command), await openConnection(options));
  });
}

async function status(terminal: Terminal, connection: Connection): Promise<ExitCode> {
  const health = await readHealth(connection);
  const balance = await connection.json("GET", "/v1/balance");
  if (!isObject(balance) || !isObject(balance["total"]) || !isObject(balance["streams"])) {
    throw new EventPulseError("ANSWER_INVALID", "The server's answer is no balance.");
  }
  const streams = new Map<string, Counts>();
  for (const [name, counts] of Object.entries(balance["streams"])) {
    const stream = await connection.json("GET", `/v1/streams/${encodeURIComponent(name)}`);
    const rates = isObject(stream) && isObject(stream["rates"]) ? stream["rates"] : {};
    streams.set(name, { ...(isObject(counts) ? counts : {}), ...rates });
  }
  const value = { ...health, total: balance["total"], streams: Object.fromEntries(streams) };
  await terminal.result(value, () => draw(terminal, connection.url, health, balance["total"] as Counts, streams));
  const failed = Number(balance["total"]["quarantined"]) + Number(balance["total"]["dead"]);
  if (failed > 0) terminal.next("eventpulse failures list");
  else if (streams.size > 0) terminal.next(`eventpulse query ${[...streams.keys()][0]}`);
  return health.healthy ? exitCodes.ok : exitCodes.unhealthy;
}

type Counts = Readonly<Record<string, unknown>>;

interface Health {
  readonly healthy: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/** 503 is an answer here, not trouble: it says which check fails. */
async function readHealth(connection: Connection): Promise<Health> {
  const answer = await connection.json("GET", "/health/ready", { acceptStatus: 503 });
  if (!isObject(answer) || !Array.isArray(answer["checks"])) {
    throw new EventPulseError("ANSWER_INVALID", "The server's answer says nothing of its health.");
  }
  const checks = answer["checks"].filter(isObject).map(({ name, ok, detail }) => {
    return { name: String(name), ok: ok === true, detail: String(detail) };
  });
  return { healthy: checks.every(({ ok }) => ok), checks };
}

const columns = [
  ["accepted", "ACCEPTED"],
  ["stored", "STORED"],
  ["dropped", "DROPPED"],
  ["quarantined", "QUARANTINED"],
  ["dead", "DEAD"],
  ["inFlight", "IN FLIGHT"],
  ["duplicates", "DUPLICATES"],
  ["lastMinute", "LAST MIN"],
  ["lastHour", "HOUR"],
  ["lastDay", "DAY"],
] as const;

function draw(
  terminal: Terminal,
  url: string,
  { healthy, checks }: Health,
  total: Counts,
  streams: ReadonlyMap<string, Counts>,
): string {
  const head = healthy ? terminal.style("green", "✔ healthy") : terminal.style("red", "✘ unhealthy");
  const lines = checks.map(
    ({ name, ok, detail }) =>
      `  ${terminal.style(ok ? "green" : "red", ok ? "✔" : "✘")} ${visibleText(`${name}: ${detail}`)}`,
  );
  const titles = [{ title: "STREAM" }, ...columns.map(([, title]) => ({ title, align: "right" as const }))];
  const row = (name: string, counts: Counts) => [name, ...columns.map(([field]) => cell(counts[field]))];
  const rows = [...streams].map(([name, counts]) => row(name, counts));
  if (rows.length > 1) rows.push(row("total", total));
  return `${head} ${url}\n${lines.join("\n")}\n\n${formatTable(titles, rows, terminal.width)}`;
}

function cell(value: unknown): string {
  return typeof value === "number" ? count(value) : "";
}
