import { entityOf, ttlOf } from "./item.ts";
import { itemKeys } from "./item-keys.ts";
import type { Table } from "./table.ts";

/** Notes that the one item of a step is being tried, outside the process that it may end. */
export interface JobTrials {
  /** How often it was begun for this step and not ended: so often it took the process with it. */
  begin(jobId: string, step: number): Promise<number>;
  end(jobId: string): Promise<void>;
}

interface Trial {
  readonly step: number;
  readonly begun: number;
}

/** Longer than a message stays in a queue. */
const trialMillis = 14 * 24 * 60 * 60 * 1000;

export function jobTrials(table: Table): JobTrials {
  return {
    async begin(jobId, step) {
      const key = itemKeys.jobTrial(jobId);
      const item = await table.get(key);
      const before = item && entityOf<Trial>(item);
      const ends = before?.step === step ? before.begun : 0;
      const trial: Trial = { step, begun: ends + 1 };
      await table.putAll([{ ...key, j: JSON.stringify(trial), ttl: ttlOf(table.clock() + trialMillis) }]);
      return ends;
    },
    end: (jobId) => table.delete(itemKeys.jobTrial(jobId)),
  };
}
