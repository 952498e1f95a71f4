import type { Command } from "commander";
import { groupCommand } from "./base-command.ts";
import { failuresDiscardCommand } from "./failures-discard.ts";
import { failuresEditCommand } from "./failures-edit.ts";
import { failuresListCommand } from "./failures-list.ts";
import { failuresPayloadCommand } from "./failures-payload.ts";
import { failuresReplayCommand } from "./failures-replay.ts";
import { failuresRetryCommand } from "./failures-retry.ts";
import { failuresShowCommand } from "./failures-show.ts";

export function failuresCommand(): Command {
  return groupCommand(
    "failures",
    "what could not be processed, and what to do about it",
    "Lists failures, shows why each failed and the bytes as they were sent, mends, replays and discards them.",
  )
    .addCommand(failuresListCommand())
    .addCommand(failuresShowCommand())
    .addCommand(failuresPayloadCommand())
    .addCommand(failuresEditCommand())
    .addCommand(failuresReplayCommand())
    .addCommand(failuresRetryCommand())
    .addCommand(failuresDiscardCommand());
}
