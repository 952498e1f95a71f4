import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

/** How long a group has after SIGTERM before it is killed. */
const graceMillis = 3_000;

/**
 * The processes that were started here. Each is the head of a group of its own, so that what it starts in turn (test files,
 * Terraform and its providers, frozen functions) ends with it, also when it was killed and could not see to them.
 */
export class ChildGroups {
  readonly #running = new Set<ChildProcess>();
  #ended = false;

  /** Throws when all have been ended: what waits for one that is ended must not start the next. */
  start(command: string, parameters: readonly string[], options: SpawnOptions): ChildProcess {
    if (this.#ended) throw new Error("stopped");
    const child = spawn(command, parameters, { ...options, detached: true });
    this.#running.add(child);
    return child;
  }

  /** Ends one group: SIGTERM, and SIGKILL to whatever of it is left. */
  async end(child: ChildProcess): Promise<void> {
    this.#running.delete(child);
    if (child.pid === undefined) return;
    const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : Promise.resolve();
    signalGroup(child.pid, "SIGTERM");
    await Promise.race([exited, pause(graceMillis, undefined, { ref: false })]);
    signalGroup(child.pid, "SIGKILL");
  }

  async endAll(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#running].map((child) => this.end(child)));
  }
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // No process of the group is left, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
