import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface ServeProcess {
  readonly pid: number;
  /** Null when it ended before it was ready. */
  readonly url: Promise<string | null>;
  /** Code and signal. */
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** What it wrote to stderr so far: errors of ours, and nothing else. */
  stderr(): string;
  /** SIGTERM. */
  end(): void;
}

/** The embedded platform in a process of its own: one that can be ended, that may die, and whose memory is its own. */
export function serve(configFile: string, dataDirectory: string, requestTimeoutSeconds?: number): ServeProcess {
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning"];
  const script = new URL("serve.ts", import.meta.url).pathname;
  const timeout = requestTimeoutSeconds === undefined ? [] : [String(requestTimeoutSeconds)];
  const child = spawn(process.execPath, [...flags, script, configFile, dataDirectory, ...timeout], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const url = new Promise<string | null>((resolve) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
    void exited.then(() => resolve(null));
  });
  return { pid: child.pid ?? 0, url, exited, stderr: () => stderr, end: () => void child.kill("SIGTERM") };
}
