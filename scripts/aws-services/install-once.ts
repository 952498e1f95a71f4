import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../working-copy.ts";

/** Where everything that is installed for the AWS checks is kept, one folder for each name and version. Git ignores it. */
export const installFolder = join(projectRoot, ".aws-test");

/** An install loads up to 150 MB from a registry. */
const installMillisMax = 6 * 60_000;

export type Run = (command: string, parameters: readonly string[]) => Promise<string>;

/**
 * The folder of `name` at `version`, installed the first time it is asked for. A mark is written last: an install that was
 * interrupted has none and is done anew. Throws with the last lines of what the installer said.
 */
export async function installOnce(
  name: string,
  version: string,
  install: (folder: string, run: Run) => Promise<void>,
): Promise<string> {
  const folder = join(installFolder, `${name}-${version}`);
  const mark = join(folder, "installed");
  if (existsSync(mark)) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  await install(folder, runner(name, folder));
  await writeFile(mark, `${new Date().toISOString()}\n`);
  console.log(`  ${name} ${version}: installed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  return folder;
}

function runner(name: string, cwd: string): Run {
  return async (command, parameters) => {
    try {
      const options = { cwd, timeout: installMillisMax, maxBuffer: 16 * 1024 * 1024, encoding: "utf8" } as const;
      return (await promisify(execFile)(command, parameters, options)).stdout;
    } catch (error) {
      const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
      const said = `${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n");
      throw new Error(`${name} could not be installed (${message.split("\n")[0]}):\n${said}`);
    }
  };
}
