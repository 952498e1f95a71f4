import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { recipesFolder } from "../config/read-recipe-files.ts";
import { baseCommand, terminalFor } from "./base-command.ts";
import { exitCodes } from "./exit-code.ts";
import { packageVersion } from "./package-version.ts";
import { readJsonFiles } from "./read-json-files.ts";
import { shownPath } from "./serve.ts";
import { addSettingOptions, settingsOf } from "./setting-options.ts";
import { formatTable } from "./table.ts";

/** A function of this size starts in under 250 ms. */
const zipBytesMax = 500_000;

export function buildCommand(): Command {
  const command = baseCommand(
    "build",
    "bundle the functions for AWS",
    `Bundles the config with each function of the AWS platform: one zip each, and openapi.json, which API Gateway imports.
infra/ deploys what lies there. Environment variables that the config reads must be set, as for check, and again where the
functions run. Ends with 1 when a zip is over 500 kB.

With --json: {"out", "functions": [{"name", "zipBytes", "bytes", "fits"}]}`,
  );
  addSettingOptions(command, ["config"]);
  command.addOption(new Option("--out <folder>", "where the zips go").default("dist/lambda"));
  return command.action(async ({ out }: { readonly out: string }) => {
    const terminal = terminalFor(command);
    const file = resolve(settingsOf(command).config);
    const { loadConfig } = await import("../config/load.ts");
    await loadConfig(file);
    const recipes = await readJsonFiles(join(file, "..", recipesFolder));
    const { lambdaNames, lambdaPackage } = await import("./lambda-package.ts");
    await mkdir(out, { recursive: true });
    const functions: { name: string; zipBytes: number; bytes: number; fits: boolean }[] = [];
    for (const name of lambdaNames) {
      const { zip, bytes } = await lambdaPackage(name, { configFile: file, recipes, version: packageVersion() });
      await writeFile(join(out, `${name}.zip`), zip);
      functions.push({ name, zipBytes: zip.length, bytes, fits: zip.length <= zipBytesMax });
    }
    await writeFile(join(out, "openapi.json"), await gatewayJson());
    await terminal.result({ out, functions }, () => {
      const columns = [
        { title: "FUNCTION" },
        { title: "ZIP", align: "right" as const },
        { title: "UNZIPPED", align: "right" as const },
        { title: "" },
      ];
      const rows = functions.map(({ name, zipBytes, bytes, fits }) => [
        ...[name, kilobytes(zipBytes), kilobytes(bytes)],
        fits ? "" : `over ${kilobytes(zipBytesMax)}`,
      ]);
      return `${formatTable(columns, rows, terminal.width)}\n\nWritten to ${shownPath(resolve(out))}, with openapi.json for API Gateway`;
    });
    process.exitCode = functions.every(({ fits }) => fits) ? exitCodes.ok : exitCodes.failure;
  });
}

async function gatewayJson(): Promise<string> {
  const { apiDocument } = await import("../http/create-app.ts");
  const { gatewayDocument } = await import("../http/gateway-document.ts");
  return `${JSON.stringify(gatewayDocument(apiDocument(packageVersion())), null, 2)}\n`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
