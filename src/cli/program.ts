import { Command } from "commander";
import { anomaliesCommand } from "./anomalies.ts";
import { auditCommand } from "./audit.ts";
import { buildCommand } from "./build.ts";
import { checkCommand } from "./check.ts";
import { costCommand } from "./cost.ts";
import { detectCommand } from "./detect.ts";
import { devCommand } from "./dev.ts";
import { diffCommand } from "./diff.ts";
import { doctorCommand } from "./doctor.ts";
import { exitCodesHelp } from "./exit-code.ts";
import { failuresCommand } from "./failures.ts";
import { initCommand } from "./init.ts";
import { issuesCommand } from "./issues.ts";
import { jobsCommand } from "./jobs.ts";
import { openapiCommand } from "./openapi.ts";
import { packageVersion } from "./package-version.ts";
import { queryCommand } from "./query.ts";
import { recipesCommand } from "./recipes.ts";
import { replayCommand } from "./replay.ts";
import { schemaCommand } from "./schema.ts";
import { sendCommand } from "./send.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";
import { tailCommand } from "./tail.ts";
import { versionCommand } from "./version.ts";

const groups: readonly (readonly [string, readonly (() => Command)[]])[] = [
  ["Begin:", [initCommand, devCommand, doctorCommand]],
  ["Send and ask:", [sendCommand, queryCommand, tailCommand, statusCommand]],
  ["Anomalies:", [anomaliesCommand, detectCommand]],
  ["Fix and replay:", [failuresCommand, issuesCommand, replayCommand, jobsCommand, recipesCommand, auditCommand]],
  ["Config:", [checkCommand, diffCommand, schemaCommand, openapiCommand]],
  ["Operate:", [startCommand, buildCommand, costCommand, versionCommand]],
];

/**
 * `eventpulse` with all its commands. Parsing throws CommanderError instead of ending the process; `quiet` leaves it to the
 * caller to say what was not understood.
 */
export function createProgram(quiet: boolean): Command {
  const program = new Command("eventpulse")
    .description("Events in; validated, transformed, checked for anomalies, stored, queryable, alerting.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .showSuggestionAfterError()
    .showHelpAfterError("Next: eventpulse --help")
    .addHelpText("after", `${exitCodesHelp}\n\nNew here? eventpulse init demo && cd demo && eventpulse dev`);
  for (const [heading, commands] of groups) {
    program.commandsGroup(heading);
    for (const create of commands) program.addCommand(create());
  }
  forEachCommand(program, (command) => {
    command.exitOverride();
    if (quiet) command.configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  });
  return program;
}

/** addCommand, unlike command, hands nothing down. */
function forEachCommand(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const below of command.commands) forEachCommand(below, change);
}
