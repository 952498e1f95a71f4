import { type Command, Option } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions } from "./connection-options.ts";
import { addReplayOptions, type ReplayOptions, replayBody } from "./replay-options.ts";
import { runReplay } from "./run-replay.ts";
import { timeArgument } from "./time-argument.ts";

interface RawReplayOptions extends ConnectionOptions, ReplayOptions {
  readonly stream: string;
  readonly from: string;
  readonly to?: string;
}

export function replayCommand(): Command {
  const command = baseCommand(
    "replay",
    "process what was received again, after a change of the code",
    `Processes the raw objects of a stream again that were received in a time range, and replaces the records whose output has
changed. --plan counts and starts nothing, --dry-run says what would change, --apply does it. For failures alone use
failures replay.

  eventpulse replay --stream orders --from 2026-11-16T06:00:00Z --to 2026-11-16T09:00:00Z --dry-run
  eventpulse replay --stream orders --from 2d --to 1d --rate 20 --reason "cents were rounded down" --apply

Ends with 0 when nothing fails, with 3 when something does, also in a dry run, and with 1 when the job was stopped before its
end.

With --json: the plan {"items", "bytes", …}, or the job as it was when the waiting ended {"id", "state", "items",
"results": {"same": n, "changed": n, …}, …}`,
  )
    .addOption(new Option("--stream <stream>", "the stream whose input is processed again").makeOptionMandatory())
    .addOption(
      new Option("--from <time>", "received, inclusive: RFC 3339, a date, or an age like 15m, 2h, 7d")
        .argParser(timeArgument)
        .makeOptionMandatory(),
    )
    .addOption(new Option("--to <time>", "received, exclusive; now when left out").argParser(timeArgument));
  addReplayOptions(command);
  return addConnectionOptions(command).action(async (options: RawReplayOptions) => {
    const { stream, from, to = new Date().toISOString() } = options;
    const body = await replayBody({ raw: { stream, from, to } }, options);
    process.exitCode = await runReplay(terminalFor(command), {
      body,
      options,
      kind: "raw object",
      modes: ["--dry-run", "--apply"],
    });
  });
}
