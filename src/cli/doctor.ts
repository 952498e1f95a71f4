import type { Command } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import {
  checkClock,
  checkConfig,
  checkData,
  checkDisk,
  checkNode,
  checkPort,
  checkSmtp,
  type DoctorCheck,
} from "./doctor-check.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

export function doctorCommand(): Command {
  const command = baseCommand(
    "doctor",
    "is the machine right",
    `Checks what EventPulse needs of this machine, with the settings that dev and start would use: Node, config, port, disk, data
folder and SQLite, mail server, clock. Changes nothing. Each failing check says what mends it; ends with 5 when one fails.

With --json: {"healthy", "checks": [{"name", "ok", "detail", "fix"}]}; fix is null when a check is ok`,
  );
  addSettingOptions(command, ["config", "port", "host", "data", "smtpUrl", "mailFrom"]);
  return command.action(async () => {
    const terminal = terminalFor(command);
    const settings = settingsOf(command);
    const checks = await Promise.all([
      checkNode(process.versions.node),
      checkConfig(settings.config),
      checkPort(settings.host, settings.port),
      checkDisk(settings.data),
      checkData(settings.data),
      checkSmtp(settings.smtpUrl),
      checkClock(settings.data, Date.now()),
    ]);
    process.exitCode = await tell(terminal, checks);
  });
}

async function tell(terminal: Terminal, checks: readonly DoctorCheck[]): Promise<ExitCode> {
  const healthy = checks.every(({ ok }) => ok);
  await terminal.result({ healthy, checks }, () =>
    checks
      .flatMap(({ name, ok, detail, fix }) => [
        `${terminal.style(ok ? "green" : "red", ok ? "✔" : "✘")} ${name.padEnd(7)} ${visibleText(detail)}`,
        ...(fix === null ? [] : [`          ${terminal.style("cyan", visibleText(fix))}`]),
      ])
      .join("\n"),
  );
  terminal.next(healthy ? "eventpulse dev" : "eventpulse doctor");
  return healthy ? exitCodes.ok : exitCodes.unhealthy;
}
