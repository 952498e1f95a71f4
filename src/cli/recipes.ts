import type { Command } from "commander";
import { isObject } from "../client/connection.ts";
import { baseCommand, groupCommand, terminalFor } from "./base-command.ts";
import { addConnectionOptions, type ConnectionOptions, openConnection } from "./connection-options.ts";
import { fieldText } from "./field-text.ts";
import { formatTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export function recipesCommand(): Command {
  return groupCommand(
    "recipes",
    "what mends many failures the same way",
    "Recipes are steps in files, or functions of the config, that mend events before they are replayed.",
  ).addCommand(listCommand());
}

function listCommand(): Command {
  const command = baseCommand(
    "recipes list",
    "list the recipes of the config",
    `Lists the recipes that a replay can take by name.

  eventpulse recipes list

With --json: one recipe a line, as the API shows it`,
  );
  return addConnectionOptions(command).action(async (options: ConnectionOptions) => {
    const terminal = terminalFor(command);
    const answer = await (await openConnection(options)).json("GET", "/v1/recipes");
    const recipes = isObject(answer) && Array.isArray(answer["data"]) ? answer["data"].filter(isObject) : [];
    if (recipes[0] === undefined) {
      terminal.say("The config has no recipes; a replay also takes --recipe FILE.json.");
      return;
    }
    if (terminal.pretty) await terminal.write(`${draw(terminal, recipes)}\n`);
    else await terminal.write(`${recipes.map((recipe) => JSON.stringify(recipe)).join("\n")}\n`);
    terminal.next(`eventpulse failures replay --issue ISSUE --recipe ${recipes[0]["name"]} --dry-run`);
  });
}

function draw(terminal: Terminal, recipes: readonly Readonly<Record<string, unknown>>[]): string {
  const rows = recipes.map(({ name, kind, steps, description }) => {
    const does = Array.isArray(steps) ? steps.map(stepName).join(", ") : kind;
    return [name, does, description].map(fieldText);
  });
  return formatTable(
    [{ title: "NAME", whole: true }, { title: "STEPS" }, { title: "DESCRIPTION" }],
    rows,
    terminal.width,
  );
}

function stepName(step: unknown): string {
  return isObject(step) ? String(step["do"]) : "";
}
