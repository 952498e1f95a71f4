import type { Command } from "commander";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { shownPath } from "./serve.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function checkCommand(): Command {
  const command = baseCommand(
    "check",
    "is the config right",
    `Loads the config as dev and start do, starts nothing, and lists everything that is wrong at once, with file and line. Ends
with 3 when something is.

With --json: {"valid", "file", "name", "streams": [name, …], "message", "errors": [{"pointer", "code", "detail"}]}; name is
null when the config is not valid`,
  );
  addSettingOptions(command, ["config"]);
  return command.action(async () => {
    process.exitCode = await check(terminalFor(command), settingsOf(command).config);
  });
}

async function check(terminal: Terminal, file: string): Promise<ExitCode> {
  const { loadConfig } = await import("../config/load.ts");
  try {
    const { name, streams, anomalies, alerts } = (await loadConfig(file)).project;
    const value = { valid: true, file, name, streams: [...streams.keys()], message: null, errors: [] };
    await terminal.result(value, () => {
      const parts = `${streams.size} streams, ${anomalies.length} anomaly rules, ${alerts.length} alerts`;
      return `${terminal.style("green", "✔")} ${shownPath(file)} is right: ${visibleText(name)}, ${parts}`;
    });
    terminal.next(`eventpulse dev --config ${shownPath(file)}`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof EventPulseError) || error.code !== "CONFIG_INVALID") throw error;
    const { message, errors } = error;
    await terminal.result({ valid: false, file, name: null, streams: [], message, errors }, () => {
      const lines = errors.map(({ detail }) => `  ${visibleText(detail)}`);
      return [`${terminal.style("red", "✘")} ${visibleText(message)}`, ...lines].join("\n");
    });
    terminal.next(`eventpulse check --config ${shownPath(file)}`);
    return exitCodes.invalid;
  }
}
