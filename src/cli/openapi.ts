import type { Command } from "commander";
import { baseCommand, terminalFor } from "./base-command.ts";
import { packageVersion } from "./package-version.ts";

export function openapiCommand(): Command {
  const command = baseCommand(
    "openapi",
    "print the API as OpenAPI 3.1",
    `Prints the OpenAPI 3.1 document of the HTTP API, the same that a running EventPulse serves at /openapi.json, to generate
clients from. Needs no server and no config.

Always JSON: the document.`,
  );
  return command.action(async () => {
    const terminal = terminalFor(command);
    const { apiDocument } = await import("../http/create-app.ts");
    await terminal.write(`${JSON.stringify(apiDocument(packageVersion()), null, terminal.pretty ? 2 : 0)}\n`);
  });
}
