import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import serverSettings from "../bin/server-settings.json" with { type: "json" };

/** What a published package runs, with the settings it gives itself. */
const flags = ["--disable-warning=ExperimentalWarning", ...serverSettings.flags];
const env = { ...process.env, ...serverSettings.environment };

export interface BenchServer {
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  /** Waits until everything accepted is processed; answers with the seconds that took. */
  settle(): Promise<number>;
  stored(stream: string): Promise<number>;
  residentMegabytes(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a script of this project; answers with the first line that it prints. */
async function start(script: string, parameters: readonly string[]) {
  const path = new URL(script, import.meta.url).pathname;
  const child = spawn(process.execPath, [...flags, path, ...parameters], {
    stdio: ["ignore", "pipe", "ignore"],
    env,
  });
  const exited = once(child, "exit");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const end = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  return { line, end };
}

/** EventPulse with the bench config, in a process of its own; on `directory`, or on a temporary folder that goes with it. */
export async function startServer(directory: string | null = null): Promise<BenchServer> {
  const folder = directory ?? mkdtempSync(join(tmpdir(), "eventpulse-bench-"));
  const config = new URL("load/bench.config.ts", import.meta.url).pathname;
  const { line, end } = await start("../dist/cli/main.js", [
    "start",
    "--config",
    config,
    "--data",
    folder,
    "--port",
    "0",
  ]);
  const { url } = JSON.parse(line) as { url: string };
  const balance = async () =>
    (await (await fetch(`${url}/v1/balance`)).json()) as {
      total: Record<string, number>;
      streams: Record<string, Record<string, number>>;
    };
  return {
    port: Number(new URL(url).port),
    url,
    directory: folder,
    async settle() {
      const from = performance.now();
      while ((await balance()).total["inFlight"] !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
      return (performance.now() - from) / 1000;
    },
    stored: async (stream) => (await balance()).streams[stream]?.["stored"] ?? 0,
    async residentMegabytes() {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1] ?? Number.NaN) / 1e6;
    },
    async close() {
      await end();
      if (directory === null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A bare node:http server that reads and answers. */
export async function startBareHttp(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const { line, end } = await start("load/http-baseline.ts", []);
  return { port: Number(line), close: end };
}
