import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { projectRoot } from "./working-copy.ts";

/**
 * Packs the project, installs the package into an empty folder and uses it as a user would: `eventpulse init`, `dev`, an
 * event in, its record out, Ctrl-C. Also: a consumer's compiler finds the types, and an older Node gets one clear line.
 */
const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), "eventpulse-pack-"));
// The package wants Node 24, as its users have it; the system's own may be older.
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
  NO_COLOR: "1",
};
const step = (text: string) => console.log(`  ${text}`);

try {
  const app = await install();
  await compile(app);
  await olderNode(app);
  await run("npx", ["eventpulse", "init", "demo"], { cwd: app, env });
  step("eventpulse init demo: made");
  await serve(join(app, "demo"));
  console.log("The packed package works.");
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function install(): Promise<string> {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", scratch], { cwd: projectRoot, env });
  const tarball = readdirSync(scratch).find((name) => name.endsWith(".tgz"));
  if (!tarball) throw new Error(`npm pack made no tarball: ${stdout}`);
  const app = join(scratch, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  await run("npm", ["install", "--no-audit", "--no-fund", join(scratch, tarball)], { cwd: app, env });
  step(`${tarball}: installed into an empty folder`);
  return app;
}

/** The declarations of the package fit a strict project: a right config compiles and a wrong one does not. */
async function compile(app: string): Promise<void> {
  const config = (column: string) => `
import { anomaly, defineConfig, stream } from "eventpulse";
import { z } from "zod";
export const readings = stream({ schema: z.object({ device: z.string(), celsius: z.number() }) });
export const high = anomaly(readings, { value: "${column}", per: "device", detect: { range: { high: 60 } } });
export default defineConfig({ name: "demo", streams: { readings }, anomalies: { high } });
`;
  const compiler = join(projectRoot, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--noEmit", "--strict", "--module", "NodeNext", "--target", "ES2024", "--types", ""];
  const compiles = async (name: string, column: string) => {
    writeFileSync(join(app, name), config(column));
    return run(process.execPath, [compiler, ...flags, name], { cwd: app, env }).then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
  };
  const right = await compiles("right.ts", "celsius");
  if (right !== "") throw new Error(`A right config does not compile against the package:\n${right}`);
  const wrong = await compiles("wrong.ts", "celsuis");
  if (!wrong.includes("celsuis"))
    throw new Error(`A wrong column name is no compile error. The compiler said:\n${wrong}`);
  step("types: a right config compiles, a wrong column name does not");
}

/** Every Node on the PATH that is too old is answered with one line that says what to do. */
async function olderNode(app: string): Promise<void> {
  for (const folder of new Set((process.env["PATH"] ?? "").split(delimiter))) {
    const node = join(folder, "node");
    const version = await run(node, ["--version"]).then(
      ({ stdout }) => stdout.trim(),
      () => "",
    );
    if (version === "" || Number(version.slice(1).split(".")[0]) >= 24) continue;
    const bin = realpathSync(join(app, "node_modules", ".bin", "eventpulse"));
    const result = await run(node, [bin, "version"], { cwd: app }).then(
      ({ stdout }) => ({ code: 0, stderr: stdout }),
      (error: { code: number; stderr: string }) => error,
    );
    const lines = result.stderr.trim().split("\n");
    if (result.code === 0 || lines.length !== 1 || !/Node(\.js)? (24|>= ?24)/.test(lines[0] ?? "")) {
      throw new Error(
        `With Node ${version} one line naming Node 24 was expected, exit ${result.code} and this came:\n${result.stderr}`,
      );
    }
    step(`Node ${version}: ${lines[0]}`);
    return;
  }
  step("no Node older than 24 on the PATH to try");
}

async function serve(folder: string): Promise<void> {
  const server = spawn("npx", ["eventpulse", "dev", "--no-open", "--port", "0"], { cwd: folder, env, detached: true });
  let printed = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  try {
    const url = await waitFor(
      () => /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0],
      () => printed,
    );
    await waitFor(
      async () => ((await get(`${url}/health/ready`))?.ok ? true : undefined),
      () => printed,
    );
    step(`eventpulse dev: ready at ${url}`);
    await postAndAsk(url);
  } finally {
    await stop(server, () => printed);
  }
}

/** Sends an event that the new project's contract takes, and finds its record by a value that nothing else has. */
async function postAndAsk(url: string): Promise<void> {
  const event = { device: "kitchen", temperature: 21.125, humidity: 40.5, at: new Date().toISOString() };
  const response = await fetch(`${url}/v1/streams/readings/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  const answer = (await response.json()) as { accepted?: number; invalid?: unknown[] };
  if (response.status !== 202 || answer.accepted !== 1 || answer.invalid?.length !== 0) {
    throw new Error(`An event that fits was answered ${response.status}: ${JSON.stringify(answer)}`);
  }
  const records = `${url}/v1/streams/readings/records?where[temperature][eq]=${event.temperature}`;
  const found = await waitFor(
    async () => ((await (await get(records))?.json()) as { data: unknown[] } | undefined)?.data[0],
    () => "no record after the event was accepted",
  );
  step(`an event in, its record out: ${JSON.stringify(found).slice(0, 90)}…`);
}

async function get(url: string): Promise<Response | undefined> {
  return fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
}

async function waitFor<T>(probe: () => T | undefined | Promise<T | undefined>, explain: () => string): Promise<T> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(50)) {
    const found = await probe();
    if (found !== undefined) return found;
  }
  throw new Error(`Waited 30 s in vain. Printed so far:\n${explain()}`);
}

/**
 * Ctrl-C reaches the whole group of a terminal, so it does here. npx ends by the same signal once its command has ended, so
 * what tells a clean end is the command's last word.
 */
async function stop(server: ChildProcess, printed: () => string): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null)
    throw new Error(`eventpulse dev ended early:\n${printed()}`);
  const exited = once(server, "exit");
  process.kill(-server.pid, "SIGINT");
  const ended = await Promise.race([exited, sleep(15_000, null)]);
  if (ended === null) {
    process.kill(-server.pid, "SIGKILL");
    throw new Error(`eventpulse dev did not end within 15 s of Ctrl-C:\n${printed()}`);
  }
  const [code, signal] = ended as [number | null, string | null];
  if (!(code === 0 || signal === "SIGINT") || !printed().includes('{"event":"closed"}')) {
    throw new Error(`eventpulse dev ended with ${code ?? signal}, not cleanly, after Ctrl-C:\n${printed()}`);
  }
  step("Ctrl-C: taken, finished what was accepted, closed");
}
