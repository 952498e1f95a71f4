import { setTimeout as sleep } from "node:timers/promises";
import { EventPulseError } from "../../model/error.ts";

const pauseMillisMax = 5_000;

/**
 * Tries a commit until it works: what it is about is durable elsewhere, so waiting loses nothing, and readiness says why.
 * What was computed from detector states that have changed meanwhile is computed again.
 */
export async function commitUntilDone<Computed, Result>(
  compute: () => Promise<Computed>,
  commit: (computed: Computed) => Result,
  on: { readonly health: (problem: string | null) => void; readonly stale: () => void },
): Promise<{ readonly computed: Computed; readonly result: Result }> {
  let computed = await compute();
  for (let attempt = 0; ; attempt++) {
    try {
      const result = commit(computed);
      if (attempt > 0) on.health(null);
      return { computed, result };
    } catch (error) {
      on.health(`Results cannot be stored: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(Math.min(pauseMillisMax, 100 * 2 ** attempt));
      if (!(error instanceof EventPulseError && error.code === "STATE_STALE")) continue;
      on.stale();
      computed = await compute();
    }
  }
}
