import { type Command, Option } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions } from "./connection-options.ts";
import { addFailureFilter, type FailureFilterOptions, failureSelection } from "./failure-filter.ts";
import { addReplayOptions, type ReplayOptions, replayBody } from "./replay-options.ts";
import { runReplay } from "./run-replay.ts";

interface FailuresReplayOptions extends ConnectionOptions, FailureFilterOptions, ReplayOptions {}

export function failuresReplayCommand(): Command {
  const command = baseCommand(
    "failures replay",
    "plan, try and run many again, mended or not",
    `Processes failures again: those named, those of an issue, or all that the filters match at this moment. --plan counts and
starts nothing, --dry-run runs the real pipeline without a write, --apply does it. Both start a job and wait for it.

  eventpulse failures replay --issue iss_4be1c0a29f11
  eventpulse failures replay --issue iss_4be1c0a29f11 --recipe comma-totals --dry-run
  eventpulse failures replay --stream orders --code CONTRACT_BROKEN --recipe mend.json --canary 100 --apply

Ends with 0 when nothing fails still (recovered, duplicate or dropped), with 3 when something does, also in a dry run, and
with 1 when the job was stopped before its end.

With --json: the plan {"items", "bytes", "streams", "states", "issues", …}, or the job as it was when the waiting ended
{"id", "state", "items", "results": {"recovered": n, …}, "reasons": […], "samples": […], …}`,
  ).argument("[id...]", "fail_…, or none with --issue or filters");
  addFailureFilter(command);
  addReplayOptions(command).addOption(
    new Option("--recipe <name>", "mend with this recipe or function first; a FILE.json is sent along"),
  );
  return addConnectionOptions(command).action(async (ids: string[], options: FailuresReplayOptions) => {
    const body = await replayBody(failureSelection(ids, options), options);
    process.exitCode = await runReplay(terminalFor(command), {
      body,
      options,
      kind: "failure",
      modes: ["--dry-run", "--apply"],
    });
  });
}
