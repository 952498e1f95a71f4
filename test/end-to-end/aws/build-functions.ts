import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { projectRoot } from "../../tidy/project-files.ts";

const buildMillisMax = 60_000;

/** What the command says on stderr, with `--json`, when it fails. */
interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly errors: readonly object[] };
}

/**
 * `eventpulse build`: the zips of a config's functions. Throws with the command's code and errors when it refuses the config.
 * A zip that is too large is another test's matter.
 */
export async function buildFunctions(configFile: string, folder: string): Promise<void> {
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning", "src/cli/main.ts"];
  try {
    const parameters = [...flags, "build", "--config", configFile, "--out", folder, "--json"];
    await promisify(execFile)(process.execPath, parameters, { cwd: projectRoot, timeout: buildMillisMax });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    if (stdout.startsWith("{")) return;
    const line = stderr.split("\n").find((text) => text.startsWith('{"error"'));
    if (line === undefined) throw new Error(`eventpulse build: ${(stderr || String(error)).slice(-2_000)}`);
    const { code, message, errors } = (JSON.parse(line) as Refusal).error;
    throw Object.assign(new Error(message), { code, errors });
  }
}
