import type { Command } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { packageVersion } from "./package-version.ts";

export function versionCommand(): Command {
  const command = baseCommand(
    "version",
    "print the version of EventPulse, Node and SQLite",
    `Prints what a bug report needs.

With --json: {"version", "node", "sqlite", "platform"}`,
  );
  return command.action(async () => {
    const terminal = terminalFor(command);
    const { node, sqlite } = process.versions;
    const value = {
      version: packageVersion(),
      node,
      sqlite: sqlite ?? null,
      platform: `${process.platform}-${process.arch}`,
    };
    await terminal.result(
      value,
      () => `eventpulse ${value.version} (Node ${value.node}, SQLite ${value.sqlite ?? "unknown"}, ${value.platform})`,
    );
  });
}
