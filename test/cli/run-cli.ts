import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning"];

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Longer than any command takes on a busy machine; a command that hangs fails its test instead of all tests. */
const timeoutMillis = 60_000;

/** `eventpulse` as a child process that has not ended yet. */
export function spawnCli(args: readonly string[], { env = {}, cwd }: CliOptions = {}): ChildProcessWithoutNullStreams {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("EVENTPULSE_"));
  return spawn(process.execPath, [...flags, main, ...args], {
    env: { ...Object.fromEntries(own), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    timeout: timeoutMillis,
    killSignal: "SIGKILL",
  });
}

/** Runs `eventpulse` to its end, as a child process, without a terminal. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnCli(args, options);
  const ended = endOf(child);
  // A command that does not read its input may have ended before it is written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return ended;
}

/** What a child has written when it ends. */
export function endOf(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A folder that is gone after the test. */
export async function temporaryFolder(context: Pick<TestContext, "after">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eventpulse-cli-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Each line of JSON lines. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
