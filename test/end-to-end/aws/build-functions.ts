import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { projectRoot } from "../../tidy/project-files.ts";

const buildMillisMax = 60_000;

/** `eventpulse build`: the zips of a config's functions. Throws with what the command says when it cannot. */
export async function buildFunctions(configFile: string, folder: string): Promise<void> {
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning", "src/cli/main.ts"];
  try {
    await promisify(execFile)(process.execPath, [...flags, "build", "--config", configFile, "--out", folder], {
      cwd: projectRoot,
      timeout: buildMillisMax,
      env: { ...process.env, NO_COLOR: "1" },
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`eventpulse build: ${stderr || stdout || String(error)}`);
  }
}
