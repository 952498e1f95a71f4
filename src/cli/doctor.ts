import { type Command, Option } from "commander";
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
import { checkStage } from "./stage-check.ts";
import type { Terminal } from "./terminal.ts";
import { visibleText } from "./visible-text.ts";

interface StageFlags {
  readonly stage?: string;
  readonly infra: string;
  readonly lambda: string;
}

export function doctorCommand(): Command {
  const command = baseCommand(
    "doctor",
    "is the machine right",
    `Checks what EventPulse needs of this machine, with the settings that dev and start would use: Node, config, port, disk, data
folder and SQLite, mail server, clock. Changes nothing. Each failing check says what mends it; ends with 5 when one fails.

With --stage NAME instead: how that stage on AWS differs from what is here, by a plan of Terraform that is not carried out (the code
of the functions included), and whether its API is ready.

With --json: {"healthy", "checks": [{"name", "ok", "detail", "fix"}]}; fix is null when a check is ok`,
  );
  addSettingOptions(command, ["config", "port", "host", "data", "smtpUrl", "mailFrom"])
    .addOption(new Option("--stage <name>", "check this stage on AWS instead of the machine"))
    .addOption(new Option("--infra <folder>", "its Terraform configuration").default("infra"))
    .addOption(new Option("--lambda <folder>", "the functions as built here").default("dist/lambda"));
  return command.action(async ({ stage, infra, lambda }: StageFlags) => {
    const terminal = terminalFor(command);
    if (stage !== undefined) {
      const checks = await checkStage({ stage, infra, lambdaDirectory: lambda });
      process.exitCode = await tell(terminal, checks, `eventpulse doctor --stage ${stage}`);
      return;
    }
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
    const healthy = checks.every(({ ok }) => ok);
    process.exitCode = await tell(terminal, checks, healthy ? "eventpulse dev" : "eventpulse doctor");
  });
}

async function tell(terminal: Terminal, checks: readonly DoctorCheck[], next: string): Promise<ExitCode> {
  const healthy = checks.every(({ ok }) => ok);
  await terminal.result({ healthy, checks }, () =>
    checks
      .flatMap(({ name, ok, detail, fix }) => [
        `${terminal.style(ok ? "green" : "red", ok ? "✔" : "✘")} ${name.padEnd(7)} ${visibleText(detail)}`,
        ...(fix === null ? [] : [`          ${terminal.style("cyan", visibleText(fix))}`]),
      ])
      .join("\n"),
  );
  terminal.next(next);
  return healthy ? exitCodes.ok : exitCodes.unhealthy;
}
