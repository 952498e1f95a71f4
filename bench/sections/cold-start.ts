import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { installLambdaNode } from "../../scripts/aws-services/lambda-node.ts";
import { lambdaNames } from "../../src/cli/lambda-package.ts";
import { buildFunctions } from "../../test/end-to-end/aws/build-functions.ts";
import { unpackZips } from "../../test/end-to-end/aws/unpack-zips.ts";
import { projectRoot } from "../../test/tidy/project-files.ts";
import { median, type Row } from "../table.ts";

const starts = 7;
/** A start takes a quarter of a second; on a machine that is busy, longer. */
const startMillisMax = 30_000;
const bare = "bare";

/** What an adapter needs to be made, as `infra/` and Lambda set it. Nothing is called: an import asks no service. */
const environment = {
  EVENTPULSE_STAGE: "bench",
  EVENTPULSE_TABLE: "bench",
  EVENTPULSE_RAW_BUCKET: "bench-raw",
  EVENTPULSE_QUARANTINE_BUCKET: "bench-quarantine",
  EVENTPULSE_WORK_QUEUE_URL: "http://127.0.0.1:1/work",
  EVENTPULSE_WORK_DEAD_QUEUE_URL: "http://127.0.0.1:1/work-dead",
  EVENTPULSE_MAIL_FROM: "bench@example.com",
  AWS_REGION: "eu-central-1",
  AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x",
  AWS_LAMBDA_FUNCTION_NAME: "bench",
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
};

/**
 * A fresh Node 22 from the start of its process until the handler of a function is there, beside one whose handler is empty. That is
 * what of AWS's INIT phase can be seen on this machine: there, the zip is fetched before, and the processor is another.
 */
export async function coldStart(): Promise<readonly Row[]> {
  const lambdaNode = await installLambdaNode();
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-bench-"));
  try {
    await buildFunctions(join(projectRoot, "examples", "quickstart", "eventpulse.config.ts"), folder);
    await unpackZips(folder, folder);
    await mkdir(join(folder, bare));
    await writeFile(join(folder, bare, "index.mjs"), "export const handler = async () => null;\n");
    const millis = new Map<string, number[]>([bare, ...lambdaNames].map((name) => [name, []]));
    // In turn: what else the machine does slows all of them alike.
    for (let start = 0; start < starts; start++) {
      for (const [name, measured] of millis) measured.push(await startMillis(lambdaNode, join(folder, name)));
    }
    const baseline = { name: "empty handler", value: median(millis.get(bare) ?? []) };
    return await Promise.all(
      lambdaNames.map(async (name) => {
        const kilobytes = Math.round((await stat(join(folder, `${name}.zip`))).size / 1000);
        const figure = `function ${name}, zip of ${kilobytes} kB, imported by a fresh Node 22, median of ${starts}`;
        return { figure, value: median(millis.get(name) ?? []), unit: "ms", baseline, target: "250 ms" };
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** From the start of the process, which is where its clock begins, until `index.mjs` of the folder is imported. */
async function startMillis(lambdaNode: string, folder: string): Promise<number> {
  const url = JSON.stringify(pathToFileURL(join(folder, "index.mjs")).href);
  const script = `const { handler } = await import(${url});
    console.log(typeof handler, performance.now());
    process.exit(0);`;
  const options = { cwd: folder, env: environment, timeout: startMillisMax };
  const { stdout } = await promisify(execFile)(lambdaNode, ["--input-type=module", "--eval", script], options);
  const [, millis] = /^function ([\d.]+)$/m.exec(stdout) ?? [];
  if (millis === undefined) throw new Error(`No handler came of ${folder}: ${stdout}`);
  return Number(millis);
}
