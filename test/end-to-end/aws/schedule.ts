import { setTimeout as pause } from "node:timers/promises";
import type { LambdaFunction } from "./lambda-function.ts";

/** Calls a function every `seconds`, as Scheduler does each minute, never twice at once. Returns what stops it. */
export function runSchedule(seconds: number, event: unknown, target: () => LambdaFunction): () => Promise<void> {
  const abort = new AbortController();
  const running = (async () => {
    while (!abort.signal.aborted) {
      await pause(seconds * 1000, undefined, { signal: abort.signal }).catch(() => undefined);
      if (!abort.signal.aborted) await target().invoke(event);
    }
  })();
  return async () => {
    abort.abort();
    await running;
  };
}
