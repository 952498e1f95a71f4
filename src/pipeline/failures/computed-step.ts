import type { ItemResult, Job, JobItem } from "../../model/job.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Reprocessed } from "../../model/replacement.ts";

/** What is known of an item before anything is written; without a result it is told by the commit. */
export interface ComputedItem {
  readonly item: JobItem;
  readonly result: ItemResult | null;
  /** Why, where it fails. */
  readonly reason: { readonly code: string; readonly pointer: string; readonly detail: string } | null;
  /** The event as sent and as mended, JSON text without personal data; null where nobody will see it. */
  readonly before: string | null;
  readonly after: string | null;
  /** Its place in `outcomes`, `discards` or `reprocessed`; null when it takes no part in the commit. */
  readonly place: number | null;
}

/** One step of a job, computed and not yet written. */
export interface ComputedStep {
  readonly job: Job;
  readonly items: readonly ComputedItem[];
  readonly outcomes: readonly Outcome[];
  /** Ids of failures to give up. */
  readonly discards: readonly string[];
  readonly reprocessed: readonly Reprocessed[];
}

/** Items of a job that are shown with what changed. */
export const samplesMax = 10;

export function itemsDone({ results }: Pick<Job, "results">): number {
  return Object.values(results).reduce((sum, count) => sum + count, 0);
}
