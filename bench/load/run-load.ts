import { spawn } from "node:child_process";
import type { LoadOptions, LoadResult } from "./load-client.ts";

const defaults = { warmupSeconds: 1, seconds: 4, eventsPerSecond: null, eventsMax: null, prefix: "00" } as const;

/** Runs the load client in a process of its own. */
export async function runLoad(
  options: Partial<LoadOptions> & Pick<LoadOptions, "port" | "path" | "connections" | "batch">,
): Promise<LoadResult> {
  const script = new URL("load-client.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify({ ...defaults, ...options })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return JSON.parse(text) as LoadResult;
}
