import { EventPulseError } from "../model/error.ts";
import { exitCodes } from "./exit-code.ts";
import { reportError } from "./report-error.ts";
import { type Resource, readResource } from "./resource.ts";
import type { Terminal } from "./terminal.ts";

export interface Change {
  /** "failure", "issue", "job" or "anomaly". */
  readonly kind: string;
  /** What a person reads before the id: "retrying", "paused". */
  readonly done: string;
  /** The request that changes one, and its answer. */
  readonly change: (id: string) => Promise<unknown>;
}

/** Changes one after another. One that cannot be changed does not keep the others from it; the command then ends as the first of them says. */
export async function changeEach(
  terminal: Terminal,
  ids: readonly string[],
  { kind, done, change }: Change,
): Promise<readonly Resource[]> {
  const changed: Resource[] = [];
  for (const id of ids) {
    try {
      const resource = readResource(await change(id), kind);
      await terminal.result(resource.fields, () => `${terminal.style("green", done)} ${id}`);
      changed.push(resource);
    } catch (error) {
      if (!(error instanceof EventPulseError) || error.code === "SERVER_UNREACHABLE") throw error;
      const exitCode = reportError(error, terminal.quiet);
      if (process.exitCode === undefined || process.exitCode === exitCodes.ok) process.exitCode = exitCode;
    }
  }
  return changed;
}
