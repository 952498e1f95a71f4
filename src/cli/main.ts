import { exitCodes } from "./exit-code.ts";
import { createProgram } from "./program.ts";
import { reportError } from "./report-error.ts";

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});

// The program may not get as far as reading its options.
const json = process.argv.includes("--json");
try {
  await createProgram(json).parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(error, json);
}
