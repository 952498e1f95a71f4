import { Command, Option } from "commander";
import { exitCodesHelp } from "./exit-code.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

interface OutputOptions {
  readonly json?: boolean;
  readonly url?: string;
}

/** A command with what every command has: `--json`, exit codes in its help, and a next step after a usage error. */
export function baseCommand(name: string, summary: string, description: string): Command {
  return groupCommand(name, summary, description)
    .addOption(new Option("--json", "results as JSON lines, errors as JSON (the default for results off a terminal)"))
    .addOption(new Option("--no-json", "results for people, also off a terminal"));
}

/** A command that does nothing but hold others. `name` has all the words that lead to it. */
export function groupCommand(name: string, summary: string, description: string): Command {
  return new Command(name.split(" ").at(-1))
    .summary(summary)
    .description(paragraphs(description))
    .helpOption("-h, --help", "show this help")
    .showSuggestionAfterError()
    .showHelpAfterError(`Next: eventpulse ${name} --help`)
    .addHelpText("after", exitCodesHelp);
}

/** The terminal as `--json` and `--no-json` want it. Commander's default for a pair of flags is true, which is nobody's wish. */
export function terminalFor(command: Command): Terminal {
  const asked = command.getOptionValueSource("json") === "cli";
  const { json, url } = command.opts<OutputOptions>();
  const elsewhere = url !== undefined && command.getOptionValueSource("url") === "cli" ? ` --url ${url}` : "";
  return openTerminal(asked ? json : undefined, elsewhere);
}

/** Lines of the source are not lines of the help: commander breaks them where the terminal does. Indented lines stay. */
function paragraphs(text: string): string {
  return text.replaceAll(/(?<!\n)\n(?![\n ])/g, " ");
}
