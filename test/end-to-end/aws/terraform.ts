import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../tidy/project-files.ts";

/** An apply of everything to the emulator takes a minute. */
const commandMillisMax = 5 * 60_000;

export interface Terraform {
  run(...parameters: readonly string[]): Promise<string>;
  /** Values of the outputs, by name. */
  outputs(): Promise<Readonly<Record<string, unknown>>>;
}

/** `infra/` in a folder of its own, with its state there instead of in S3, ready for `apply`. */
export async function initTerraform(folder: string): Promise<Terraform> {
  await mkdir(folder, { recursive: true });
  const unwanted = /(?:^|\/)(?:\.terraform|terraform\.tfstate.*|tests)$/;
  await cp(join(projectRoot, "infra"), folder, { recursive: true, filter: (path) => !unwanted.test(path) });
  await writeFile(join(folder, "backend_override.tf"), 'terraform {\n  backend "local" {}\n}\n');
  const run = async (...parameters: readonly string[]) => {
    try {
      const options = { cwd: folder, timeout: commandMillisMax, maxBuffer: 64 * 1024 * 1024, env: process.env };
      return (await promisify(execFile)("terraform", parameters, options)).stdout;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`terraform ${parameters[0]}: ${(stderr || stdout || String(error)).slice(-4_000)}`);
    }
  };
  const mirror = process.env["TF_PLUGIN_DIR"];
  await run("init", "-input=false", "-no-color", ...(mirror === undefined ? [] : [`-plugin-dir=${mirror}`]));
  return {
    run,
    async outputs() {
      const outputs = JSON.parse(await run("output", "-json")) as Record<string, { value: unknown }>;
      return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
    },
  };
}
