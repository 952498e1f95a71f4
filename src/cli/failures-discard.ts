import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../config/duration.ts";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { changeEach } from "./change-each.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { addFailureFilter, type FailureFilterOptions, failureSelection, hasFailureFilter } from "./failure-filter.ts";
import { failurePath } from "./failure-path.ts";
import { replayBody } from "./replay-options.ts";
import { runReplay } from "./run-replay.ts";
import type { Terminal } from "./terminal.ts";

interface DiscardOptions extends ConnectionOptions, FailureFilterOptions {
  readonly reason?: string;
  readonly grace?: number;
  readonly plan?: boolean;
  readonly apply?: boolean;
}

/** Long enough to notice that a filter was too wide. */
const graceSecondsDefault = 3_600;

export function failuresDiscardCommand(): Command {
  const command = baseCommand(
    "failures discard",
    "decide that they are not needed",
    `Discards failures: they count as dropped from then on and are kept until their retention ends.

One id is discarded at once. Several, an issue or filters are counted first (--plan, the default) and become a job with
--apply, which starts after a grace period in which it can be cancelled.

  eventpulse failures discard fail_019c13d0 --reason "a test of the sender"
  eventpulse failures discard --stream orders --contains test- --reason "a load test" --grace 15m --apply

With --json: the failure as the API shows it after the change, the plan {"items", "bytes", …}, or the job {"id", "state",
"items", "startsAt", …}`,
  ).argument("[id...]", "fail_…, or none with --issue or filters");
  addFailureFilter(command)
    .addOption(new Option("--reason <text>", "why, for those who ask later; a plan needs none"))
    .addOption(
      new Option("--grace <time>", "how long a job can be cancelled, like 15m (default: 1h)").argParser(graceArgument),
    )
    .addOption(new Option("--plan", "count what it would meet, discard nothing").conflicts("apply"))
    .addOption(new Option("--apply", "do it"));
  return addConnectionOptions(command).action(async (ids: string[], options: DiscardOptions) => {
    const terminal = terminalFor(command);
    const select = failureSelection(ids, options);
    const [only] = ids;
    const alone = ids.length === 1 && !hasFailureFilter(options) && options.grace === undefined;
    if (only !== undefined && alone && options.plan !== true) return discardNow(terminal, only, options);
    if (options.apply === true) checkedReason(options);
    process.exitCode = await discardMany(terminal, select, options);
  });
}

async function discardNow(terminal: Terminal, id: string, options: DiscardOptions): Promise<void> {
  const reason = checkedReason(options);
  const connection = await openConnection(options);
  await changeEach(terminal, [id], {
    kind: "failure",
    done: "discarded",
    change: () => connection.json("DELETE", failurePath(id), { query: { reason } }),
  });
  terminal.next("eventpulse failures list", "eventpulse status");
}

async function discardMany(terminal: Terminal, select: Readonly<Record<string, unknown>>, options: DiscardOptions) {
  const { apply, grace = graceSecondsDefault } = options;
  const graceSeconds = apply === true ? { graceSeconds: grace } : {};
  const body = await replayBody(select, options, { action: "discard", ...graceSeconds });
  return runReplay(terminal, { body, options, kind: "failure", modes: ["--apply"] });
}

function checkedReason({ reason }: DiscardOptions): string {
  if (reason !== undefined && reason.trim() !== "") return reason;
  throw new EventPulseError("PARAMETER_INVALID", "Say why with --reason, for those who ask later.");
}

function graceArgument(text: string): number {
  const millis = parseDuration(text);
  if (millis === null) throw new InvalidArgumentError("It must be a length of time like 30s, 15m, 1h or 2d.");
  return millis / 1_000;
}
