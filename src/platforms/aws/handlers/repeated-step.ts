import type { FailureHead } from "../../../model/failure.ts";
import type { OutcomeResult } from "../../../model/outcome.ts";
import type { ComputedItem, ComputedStep } from "../../../pipeline/failures/computed-step.ts";
import type { CommittedStep } from "../../../pipeline/failures/settle-step.ts";
import type { FailureLog } from "../../../ports/failure-log.ts";

interface CommittedParts {
  readonly step: ComputedStep;
  readonly committed: CommittedStep;
}

/**
 * A step that runs for the second time, or twice at once, finds failures that its other run has ended: what becomes of those
 * is what the other run made of them, told from the failures themselves. `note` is what this job discards with.
 */
export async function repeatedStep(
  step: ComputedStep,
  committed: CommittedStep,
  note: string,
  failures: Pick<FailureLog, "load">,
): Promise<CommittedParts> {
  const { job } = step;
  if (job.action === "reprocess") return { step, committed };
  const doubtful = step.items.filter((item) => isDoubtful(item, step, committed));
  if (doubtful.length === 0) return { step, committed };
  const ids = doubtful.map(({ item }) => item.target);
  const loaded = await failures.load(job.tenant, ids);
  const found = new Map(loaded.flatMap((one) => (one === null ? [] : [[one.head.id, one.head] as const])));
  const outcomes = [...committed.outcomes];
  const discards = [...committed.discards];
  const items = step.items.map((item): ComputedItem => {
    const failure = doubtful.includes(item) ? found.get(item.item.target) : undefined;
    if (failure === undefined) return item;
    if (job.action === "discard") {
      const ours = failure.state === "discarded" && failure.note === note;
      return ours ? { ...item, place: discards.push("discarded") - 1 } : item;
    }
    const result = failure.jobId === job.id ? resultOf(failure, item) : null;
    return result === null ? item : { ...item, result: null, place: outcomes.push(result) - 1 };
  });
  return { step: { ...step, job, items }, committed: { ...committed, outcomes, discards } };
}

/** Whether another run of this step may have ended it. */
function isDoubtful({ result, place }: ComputedItem, { job }: ComputedStep, committed: CommittedStep): boolean {
  if (place === null) return result === "recovered" || result === "skipped";
  return job.action === "discard"
    ? committed.discards[place] === "skipped"
    : committed.outcomes[place]?.applied === false;
}

/** What the commit of the other run answered, as far as the failure tells; null: nothing of this job. */
function resultOf({ state, recordId }: FailureHead, { place }: ComputedItem): OutcomeResult | null {
  const none = { stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0, recordId: null };
  if (state === "recovered") {
    return recordId === null ? { ...none, applied: true, dropped: 1 } : { ...none, applied: true, stored: 1, recordId };
  }
  const failsStill = place !== null && (state === "quarantined" || state === "dead");
  return failsStill ? { ...none, applied: true, [state]: 1 } : null;
}
