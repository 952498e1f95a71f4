import { readFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EventPulseError } from "../model/error.ts";
import { awsCost, type Cost, type CostLine, type Traffic } from "./aws-cost.ts";
import { type AwsPrices, awsPrices } from "./aws-prices.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { exitCodes } from "./exit-code.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

interface CostOptions {
  readonly eventsPerMonth: number;
  readonly eventBytes: number;
  readonly batch: number;
  readonly series: number;
  readonly retentionDays: number;
  readonly traces: number;
  readonly prices?: string;
}

const eventsMax = 1e12;

export function costCommand(): Command {
  const command = baseCommand(
    "cost",
    "what a stage on AWS costs a month",
    `Prints the list price of a month on AWS, item by item, from a price file with a date (us-east-1, no free tier). Nothing is
asked of AWS. What the infrastructure can switch on besides (GuardDuty, audit trail, VPC endpoints, replication) has its price in
the description of its variable in infra/variables.tf.

With --json: {"prices": {"region", "asOf"}, "traffic", "lines": [{"item", "quantity", "unit", "usd"}], "trafficUsd", "fixedUsd",
"totalUsd", "usdPerMillionEvents"}`,
  );
  command
    .addOption(
      new Option("--events-per-month <n>", "events in a month").argParser(wholeNumber(0, eventsMax)).default(1_000_000),
    )
    .addOption(new Option("--batch <n>", "events in one request").argParser(wholeNumber(1, 10_000)).default(100))
    .addOption(new Option("--event-bytes <n>", "bytes of one event").argParser(wholeNumber(2, 262_144)).default(1024))
    .addOption(
      new Option("--series <n>", "series that streaming rules follow in one request")
        .argParser(wholeNumber(0, 10_000))
        .default(0),
    )
    .addOption(
      new Option("--retention-days <n>", "days that events are kept").argParser(wholeNumber(1, 36_500)).default(7),
    )
    .addOption(new Option("--traces <share>", "share of requests that are traced").argParser(share).default(0.01))
    .addOption(new Option("--prices <file>", "a price file of your own, JSON in the shape of the built-in one"));
  return command.action(async (options: CostOptions) => {
    const { prices: file, series: seriesPerObject, ...given } = options;
    const prices = file === undefined ? awsPrices : await readPrices(file);
    const traffic: Traffic = { ...given, seriesPerObject, objectsPerInvocation: 1 };
    const cost = awsCost(traffic, prices);
    const terminal = terminalFor(command);
    const { region, asOf } = prices;
    await terminal.result({ prices: { region, asOf }, traffic, ...cost }, () => draw(terminal, prices, cost));
    process.exitCode = exitCodes.ok;
  });
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 1.");
}

/** Throws SETTING_INVALID when a price is missing or none. */
async function readPrices(file: string): Promise<AwsPrices> {
  const wrong = (detail: string, cause?: unknown) =>
    new EventPulseError("SETTING_INVALID", `${file} is no price file: ${detail}.`, { cause });
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw wrong("it cannot be read", cause);
  });
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw wrong("it is not JSON", cause);
  }
  if (typeof given !== "object" || given === null) throw wrong("it is no object");
  for (const [name, known] of Object.entries(awsPrices)) {
    const value: unknown = Reflect.get(given, name);
    const valid = typeof known === "number" ? typeof value === "number" && value >= 0 : typeof value === "string";
    if (!valid) throw wrong(`"${name}" must be a ${typeof known === "number" ? "number of USD" : "text"}`);
  }
  return given as AwsPrices;
}

function draw(terminal: Terminal, { region, asOf }: AwsPrices, cost: Cost): string {
  const columns = [
    { title: "ITEM" },
    { title: "QUANTITY", align: "right" as const },
    { title: "UNIT" },
    { title: "USD", align: "right" as const },
  ];
  const row = ({ item, quantity, unit, usd }: CostLine) => [item, amount(quantity), unit, usd.toFixed(2)];
  const total = (name: string, usd: number) => [name, "", "", usd.toFixed(2)];
  const rows = [
    ...cost.lines.map(row),
    total("traffic", cost.trafficUsd),
    total("without traffic", cost.fixedUsd),
    total("a month", cost.totalUsd),
  ];
  const perMillion = `${cost.usdPerMillionEvents.toFixed(2)} USD per million events, beside ${cost.fixedUsd.toFixed(2)} USD a month for a stage without any.`;
  return `List prices of ${region}, ${asOf}\n\n${formatTable(columns, rows, terminal.width)}\n\n${perMillion}`;
}

function amount(quantity: number): string {
  return quantity.toLocaleString("en-US", { maximumFractionDigits: quantity < 100 ? 2 : 0 });
}
