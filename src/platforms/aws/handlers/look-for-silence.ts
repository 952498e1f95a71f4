import type { Project } from "../../../model/definition.ts";
import { judgeSilence, knowsSilence } from "../../../pipeline/process/rules/judge-silence.ts";
import type { SilenceOutcome } from "../../../ports/detector-states.ts";
import { dynamoDetectorStates } from "../detector-states.ts";
import { entityOf } from "../item.ts";
import { itemKeys } from "../item-keys.ts";
import type { PendingObjects } from "../pending-objects.ts";
import type { Table } from "../table.ts";

/** Looks come each minute. After a longer break (a deployment that failed, a schedule that was off) silence counts anew. */
const breakMillis = 5 * 60_000;

interface Watched {
  readonly since: number;
  readonly lookedAt: number;
}

/**
 * Asks detectors what it means that nothing came. What was accepted and is not processed yet may be what they miss, so it is judged
 * as of when the oldest of that arrived.
 */
export async function lookForSilence(
  table: Table,
  project: Project,
  pending: Pick<PendingObjects, "list">,
): Promise<readonly SilenceOutcome[]> {
  if (!knowsSilence(project)) return [];
  const now = table.clock();
  const item = await table.get(itemKeys.silenceWatch);
  const before = item && entityOf<Watched>(item);
  const since = before !== null && now - before.lookedAt <= breakMillis ? before.since : now;
  const watched: Watched = { since, lookedAt: now };
  await table.putAll([{ ...itemKeys.silenceWatch, j: JSON.stringify(watched) }]);
  let seenUntil = now;
  for await (const { at, events } of pending.list(now)) {
    // Behind an upload link that nobody has used no event was accepted.
    if (events > 0) seenUntil = Math.min(seenUntil, at);
  }
  return judgeSilence(project, dynamoDetectorStates(table), { seenUntil, watchedSince: since });
}
