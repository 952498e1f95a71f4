import { readlinkSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/**
 * Lowers the priority of the calling thread by `steps` of niceness, where threads have one of their own: on Linux. Elsewhere it
 * does nothing.
 */
export function lowerThreadPriority(steps: number): void {
  if (process.platform !== "linux") return;
  try {
    // proc(5): "PID/task/TID" of the thread that reads it. setpriority(2) takes a thread's id like a process's.
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, Math.min(constants.priority.PRIORITY_LOW, getPriority(thread) + steps));
  } catch {
    // Without /proc (some containers) the thread keeps the priority of its process: slower answers under load, nothing else.
  }
}
