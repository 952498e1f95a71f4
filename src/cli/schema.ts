import { type Command, Option } from "commander";
import { EventPulseError } from "../model/error.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";

export function schemaCommand(): Command {
  const command = baseCommand(
    "schema",
    "print the contract of a stream as JSON Schema",
    `Prints the contract that events of a stream must fit, as JSON Schema 2020-12, for editors, other languages and reviews.
Without a stream: of all streams, by name.

Always JSON: the schema, or {NAME: schema} without a stream; null where the schema's library cannot tell.`,
  ).argument("[stream]", "the stream");
  addSettingOptions(command, ["config"]).addOption(new Option("--compact", "on one line, also on a terminal"));
  return command.action(async (name: string | undefined, options: { readonly compact?: boolean }) => {
    const terminal = terminalFor(command);
    const { config } = settingsOf(command);
    const { loadConfig } = await import("../config/load.ts");
    const { compileContract } = await import("../pipeline/process/compile-contract.ts");
    const { streams } = (await loadConfig(config)).project;
    const schemas = new Map(
      [...streams].map(([stream, definition]) => [stream, compileContract(definition).jsonSchema]),
    );
    if (name !== undefined && !schemas.has(name)) {
      throw new EventPulseError(
        "PARAMETER_INVALID",
        `${config} has no stream ${JSON.stringify(name)}; it has ${[...schemas.keys()].join(", ")}.`,
      );
    }
    const value = name === undefined ? Object.fromEntries(schemas) : schemas.get(name);
    await terminal.write(`${JSON.stringify(value, null, terminal.pretty && options.compact !== true ? 2 : 0)}\n`);
  });
}
