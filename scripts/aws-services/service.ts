import type { ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { ChildGroups } from "./child-groups.ts";

export interface ServiceOptions {
  readonly name: string;
  readonly url: string;
  /** Any answer at this path means that it is ready. */
  readonly readyPath: string;
  readonly command: string;
  readonly parameters: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Service {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Python reads 400 modules at its first start; on a busy machine that is half a minute. */
const readyMillisMax = 120_000;
const linesKept = 20;

/** Starts a server and waits until it answers. Throws with its last lines when it ends early or never does. */
export async function startService(groups: ChildGroups, options: ServiceOptions): Promise<Service> {
  const child = groups.start(options.command, options.parameters, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  let said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said = [...said, ...text.trimEnd().split("\n")].slice(-linesKept);
    });
  }
  let failed: string | null = null;
  child.once("error", (error) => {
    failed = error.message;
  });
  child.once("exit", (code, signal) => {
    failed ??= `it ended with ${code ?? signal}`;
  });
  const end = Date.now() + readyMillisMax;
  while (failed === null && Date.now() < end) {
    const probe = await fetch(options.url + options.readyPath, { signal: AbortSignal.timeout(5_000) }).catch(
      () => null,
    );
    if (probe !== null) {
      await probe.body?.cancel();
      return { url: options.url, child };
    }
    await pause(200);
  }
  await groups.end(child);
  throw new Error(`${options.name} did not start: ${failed ?? "no answer in time"}.\n${said.join("\n")}`);
}
