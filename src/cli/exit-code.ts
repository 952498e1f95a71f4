import { CommanderError } from "commander";
import { type ErrorCode, EventPulseError } from "../model/error.ts";

/** What the process ends with, the same for every command. Listed in every `--help`. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  invalid: 3,
  notAllowed: 4,
  unhealthy: 5,
  /** 128 + SIGINT, as shells write it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0  done
  1  failed (no server, no disk, an error inside)
  2  called in a way that is not understood
  3  data or config that is not valid
  4  not allowed
  5  unhealthy`;

const usageCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "SETTING_INVALID",
  "PARAMETER_INVALID",
  "PARAMETER_UNKNOWN",
  "CURSOR_INVALID",
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof EventPulseError)) return exitCodes.failure;
  // A setting that the machine does not allow (port taken, folder in use) was asked for in the right way.
  if (error.code === "SETTING_INVALID" && error.cause !== undefined) return exitCodes.failure;
  if (usageCodes.has(error.code)) return exitCodes.usage;
  if (error.code === "CONFIG_INVALID") return exitCodes.invalid;
  if (error.status === 401 || error.status === 403) return exitCodes.notAllowed;
  return [400, 413, 415, 422].includes(error.status) ? exitCodes.invalid : exitCodes.failure;
}
