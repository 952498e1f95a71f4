import { CommanderError } from "commander";
import { EventPulseError } from "../model/error.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { visibleText } from "./visible-text.ts";

/**
 * Says on stderr why a command failed, and answers with the exit code. With `json`, one line:
 * `{"error": {"code", "message", "errors": [{"pointer", "code", "detail", "actual"?, "hint"?}], "exitCode"}}`.
 */
export function reportError(error: unknown, json: boolean): ExitCode {
  const exitCode = exitCodeOf(error);
  // Commander has said already what it did not understand.
  if (error instanceof CommanderError && !json) return exitCode;
  if (exitCode === exitCodes.ok) return exitCode;
  const code = error instanceof EventPulseError ? error.code : error instanceof CommanderError ? "USAGE" : "INTERNAL";
  const message = (error instanceof Error ? error.message : String(error)).replace(/^error: /, "");
  const errors = error instanceof EventPulseError ? error.errors : [];
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, errors, exitCode } })}\n`);
    return exitCode;
  }
  const lines = [
    `eventpulse: ${message}`,
    ...errors.flatMap(({ pointer, detail, hint }) => [
      `  ${pointer === "" ? "" : `${pointer}: `}${detail}`,
      ...(hint === undefined ? [] : [`    → ${hint}`]),
    ]),
  ];
  process.stderr.write(
    `${lines
      .flatMap((line) => line.split("\n"))
      .map(visibleText)
      .join("\n")}\n`,
  );
  // Not the world's mistake but ours: the stack is what a bug report needs.
  if (!(error instanceof EventPulseError) && error instanceof Error && process.env["EVENTPULSE_DEBUG"] !== undefined) {
    process.stderr.write(`${error.stack}\n`);
  }
  return exitCode;
}
