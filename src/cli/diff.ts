import { type Command, Option } from "commander";
import type { Contract } from "../pipeline/process/contract.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { drawDiff } from "./draw-diff.ts";
import { exitCodes } from "./exit-code.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";
import { compareStream, type EventSelection, onePage } from "./stream-diff.ts";
import { timeArgument } from "./time-argument.ts";
import { wholeNumber } from "./whole-number.ts";

type DiffOptions = ConnectionOptions & EventSelection;

/** Reading is safe to repeat, so a moment of trouble in the middle of many events is ridden out. */
const attemptsMax = 4;

export function diffCommand(): Command {
  const command = baseCommand(
    "diff",
    "what would this config change for those who send events",
    `Compares the contract of each stream in the config with the one that is in force on a server, and tries it on events that
were sent there.

  major  an event that was valid may be refused
  minor  more is accepted than before
  patch  only the words differ

A break (a major change, or events that would be refused and were not before) is announced by a higher major number in
stream({ version: "2.0.0" }). Ends with 5 when one is not announced. The events hold personal data, so the server notes
the reason in its audit log. They stay in memory and are not shown.

With --json: one stream a line: {"stream", "state": "new", "removed" or "compared", "level", "deployed": {"version",
"announced"}, "local", "changes": [{"level", "pointer", "detail"}], "events": {"tried", "refused", "refusedBefore",
"reasons": [{"code", "pointer", "detail", "count"}]}, "break", "announced"}`,
  );
  addSettingOptions(command, ["config"])
    .addOption(
      new Option("--from <time>", "events received since: RFC 3339, a date, or an age like 15m, 2h, 7d")
        .argParser(timeArgument)
        .default(timeArgument("24h"), "24h"),
    )
    .addOption(
      new Option("--limit <n>", "events of each stream at most, the newest; 0: none")
        .argParser(wholeNumber(0, 1_000_000))
        .default(10_000),
    )
    .addOption(
      new Option("--reason <text>", "why you look at events as they were sent").default(
        "eventpulse diff: to try a new contract",
      ),
    );
  return addConnectionOptions(command).action(async (options: DiffOptions) => {
    const terminal = terminalFor(command);
    const { config } = settingsOf(command);
    const contracts = await localContracts(config);
    const connection = await openConnection(options, attemptsMax);
    const deployed = (await onePage(connection, "/v1/streams")).map(({ name }) => String(name));
    let breaks = 0;
    for (const stream of new Set([...contracts.keys(), ...deployed].sort())) {
      const diff = await compareStream(connection, stream, contracts.get(stream) ?? null, options);
      await terminal.result(diff, () => drawDiff(terminal, diff));
      if (diff.break && !diff.announced) breaks++;
    }
    if (breaks === 0) return;
    const subject = breaks === 1 ? "A break is" : `${breaks} breaks are`;
    terminal.say(`${subject} not announced: raise the major number of \`version\`, or keep valid what was.`);
    process.exitCode = exitCodes.unhealthy;
  });
}

async function localContracts(config: string): Promise<ReadonlyMap<string, Contract>> {
  const { loadConfig } = await import("../config/load.ts");
  const { compileContract } = await import("../pipeline/process/compile-contract.ts");
  const { streams } = (await loadConfig(config)).project;
  return new Map([...streams].map(([name, definition]) => [name, compileContract(definition)]));
}
