import { join } from "node:path";
import { installOnce } from "./install-once.ts";

/** The newest Node 22: Lambda keeps its runtime at the newest of its line. */
const lambdaNodeVersion = "22.23.3";

/** Installs the Node that Lambda runs: the path of its program. */
export async function installLambdaNode(): Promise<string> {
  const program = ["node_modules", "node", "bin", "node"];
  const folder = await installOnce("node", lambdaNodeVersion, async (folder, run) => {
    const quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
    await run("npm", ["install", "--prefix", folder, ...quiet, `node@${lambdaNodeVersion}`]);
    const version = (await run(join(folder, ...program), ["--version"])).trim();
    if (version !== `v${lambdaNodeVersion}`) throw new Error(`node@${lambdaNodeVersion} brought Node ${version}.`);
  });
  return join(folder, ...program);
}
