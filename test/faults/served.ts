import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A server of the fault config in a process of its own, so that it can be killed. */
export interface Served {
  readonly process: ChildProcess;
  /** Resolves with the URL, or null when the process ended before it was ready. */
  readonly url: Promise<string | null>;
  /** What it wrote to stderr so far. */
  log(): string;
  kill(): Promise<void>;
  terminate(): Promise<number | null>;
}

export function serve(dataDirectory: string): Served {
  const script = new URL("serve.ts", import.meta.url).pathname;
  const flags = ["--conditions=eventpulse-source", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, script, dataDirectory], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => {
    text = `${text}${chunk}`.slice(-20_000);
  });
  const exited = once(child, "exit");
  const ready = new Promise<string | null>((resolve) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
    void exited.then(() => resolve(null));
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code] = await exited;
    return code as number | null;
  };
  return {
    process: child,
    url: ready,
    log: () => text,
    kill: async () => void (await end("SIGKILL")),
    terminate: () => end("SIGTERM"),
  };
}
