import { type Command, Option } from "commander";
import { loadSettings, type SettingDefinition, type SettingName, type Settings, settings } from "../config/settings.ts";

/** Gives a command the flags of the named settings, described by the settings table alone. */
export function addSettingOptions(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) command.addOption(new Option(settings[name].flags, describe(settings[name])));
  return command;
}

/**
 * The settings in force: flags of this command, then the environment, then defaults. Only flags that were given count:
 * commander gives `--no-…` a value of its own. Throws SETTING_INVALID with all bad values at once.
 */
export function settingsOf(command: Command): Settings {
  const given = Object.keys(settings).filter((name) => command.getOptionValueSource(name) === "cli");
  return loadSettings({ flags: Object.fromEntries(given.map((name) => [name, command.getOptionValue(name)])) });
}

function describe({ description, default: fallback, environment }: SettingDefinition): string {
  const shown = fallback === null || typeof fallback === "boolean" ? "" : `default: ${fallback}, `;
  return `${description} (${shown}env: ${environment})`;
}
