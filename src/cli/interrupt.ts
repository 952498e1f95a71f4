import { exitCodes } from "./exit-code.ts";

export interface Interrupt extends Disposable {
  /** Aborts at the first Ctrl-C (or SIGTERM). */
  readonly signal: AbortSignal;
}

/** One Ctrl-C may arrive twice, from the terminal and from a parent that passes it on; nobody presses it twice that fast. */
const sameMillis = 150;

/**
 * The first Ctrl-C says what it does and aborts the signal; the second ends the process at once with 130. Without this a
 * command would end in the middle of a write.
 */
export function onInterrupt(says: string): Interrupt {
  const controller = new AbortController();
  let firstAt = 0;
  const handle = () => {
    if (controller.signal.aborted) {
      if (performance.now() - firstAt > sameMillis) process.exit(exitCodes.interrupted);
      return;
    }
    firstAt = performance.now();
    process.stderr.write(`\n${says} Press Ctrl-C again to stop at once.\n`);
    controller.abort();
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
    },
  };
}
