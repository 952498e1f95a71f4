import { type Command, InvalidArgumentError, Option } from "commander";
import { EventPulseError } from "../model/error.ts";
import { readJsonFile } from "./read-json-file.ts";
import { wholeNumber } from "./whole-number.ts";

/** How a job is asked for: shown first, tried without a write, or done. */
export interface ReplayOptions {
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly apply?: boolean;
  readonly recipe?: string;
  readonly canary?: number;
  readonly rate?: number;
  readonly reason?: string;
  readonly wait?: boolean;
}

export type ReplayMode = "plan" | "dry-run" | "run";

/** `--plan`, `--dry-run`, `--apply` and what steers a job that is started. */
export function addReplayOptions(command: Command): Command {
  return addModeOptions(command)
    .addOption(
      new Option("--canary <n>", "pause after n items unless all were recovered").argParser(wholeNumber(1, 1_000_000)),
    )
    .addOption(new Option("--rate <n>", "items a second at most").argParser(rateArgument))
    .addOption(new Option("--reason <text>", "why, for the audit log"))
    .addOption(new Option("--no-wait", "start the job and do not wait for it"));
}

function addModeOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--plan", "count what it would meet, start nothing (the default)").conflicts(["dryRun", "apply"]),
    )
    .addOption(new Option("--dry-run", "the real pipeline without a write").conflicts("apply"))
    .addOption(new Option("--apply", "do it"));
}

export function replayMode({ dryRun, apply }: ReplayOptions): ReplayMode {
  if (apply === true) return "run";
  return dryRun === true ? "dry-run" : "plan";
}

/**
 * The body of `POST /v1/replays` as JSON text: a recipe from a file goes into it as it was written, because parsing could round
 * a number. Throws PARAMETER_INVALID and RECIPE_INVALID.
 */
export async function replayBody(
  select: Readonly<Record<string, unknown>>,
  options: ReplayOptions,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { recipe, canary, rate, reason } = options;
  const body = { select, mode: replayMode(options), canary, ratePerSecond: rate, reason, ...more };
  if (recipe === undefined) return JSON.stringify(body);
  if (!recipe.endsWith(".json")) return JSON.stringify({ ...body, recipe });
  const text = await readJsonFile(recipe, "RECIPE_INVALID");
  if (!text.startsWith("{"))
    throw new EventPulseError("RECIPE_INVALID", `The file ${recipe} holds no recipe: a JSON object.`);
  return `${JSON.stringify(body).slice(0, -1)},"recipe":${text}}`;
}

function rateArgument(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= 1_000_000) return value;
  throw new InvalidArgumentError("It must be a number above 0, like 50 or 0.5.");
}
