import type { Project } from "../../model/definition.ts";
import type { ItemResult, JobReason, JobSample } from "../../model/job.ts";
import type { OutcomeResult } from "../../model/outcome.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import type { ReplaceResult } from "../../model/replacement.ts";
import type { FailureLog } from "../../ports/failure-log.ts";
import type { JobStepResult } from "../../ports/job-log.ts";
import { type ComputedItem, type ComputedStep, itemsDone, samplesMax } from "./computed-step.ts";
import { sampleText } from "./replay-failure.ts";

/** What the commit of a step's parts answered, each in its order. */
export interface CommittedStep {
  readonly outcomes: readonly OutcomeResult[];
  readonly discards: Awaited<ReturnType<FailureLog["discardAll"]>>;
  readonly replaced: readonly ReplaceResult[];
}

type SettledItem = Pick<ComputedItem, "item" | "before" | "after"> & {
  readonly result: ItemResult;
  /** What `detail` of the item says; null: nothing. */
  readonly detail: string | null;
  readonly reasons: readonly (NonNullable<ComputedItem["reason"]> & { readonly count: number })[];
  readonly recordId: string | null;
  readonly output: string | null;
};

/** After these a canary goes on by itself. */
const good: ReadonlySet<ItemResult> = new Set(["recovered", "duplicate", "dropped", "discarded", "same", "changed"]);
const detailCharactersMax = 500;

/** What a step did, for the job log: pure, from what was computed and what the commit answered. */
export function settleStep(step: ComputedStep, committed: CommittedStep, project: Project): JobStepResult {
  const { job } = step;
  const settled = step.items.map((item) => settle(step, item, committed, project));
  const { canary, ratePerSecond } = job;
  const done = itemsDone(job);
  const canaryEnds = canary !== null && done < canary && done + settled.length >= canary;
  const bad = settled.find(({ result }) => !good.has(result));
  return {
    tenant: job.tenant,
    jobId: job.id,
    step: job.step,
    items: settled.map(({ item, result, detail, recordId }) => ({
      ...item,
      result,
      detail: detail?.slice(0, detailCharactersMax) ?? null,
      recordId,
    })),
    reasons: reasonsOf(settled),
    samples: settled
      .filter(({ before, after }) => before !== null || after !== null)
      .slice(0, Math.max(0, samplesMax - job.samples.length))
      .map(sampleOf),
    pauseReason:
      canaryEnds && bad !== undefined
        ? `Not all of the first ${canary} came out well (${bad.result}): look at them, then resume or cancel.`
        : null,
    delayMillis: ratePerSecond === null ? 0 : Math.round((settled.length / ratePerSecond) * 1000),
  };
}

function settle(
  { job, outcomes, reprocessed }: ComputedStep,
  computed: ComputedItem,
  committed: CommittedStep,
  project: Project,
): SettledItem {
  const { item, reason, place, before, after } = computed;
  if (place === null || job.action !== "replay") {
    const known = { item, before, after, ...explained(reason), recordId: null, output: null };
    if (place === null) return { ...known, result: computed.result ?? "skipped" };
    if (job.action === "discard") return { ...known, result: committed.discards[place] ?? "skipped" };
    return { ...known, ...replaced(committed.replaced[place], piiOf(reprocessed[place], project)) };
  }
  const outcome = outcomes[place];
  const result = committed.outcomes[place];
  const data = outcome?.records[0]?.dataJson;
  const output = data === undefined || before === null ? null : masked(data, piiOf(outcome, project));
  const recordId = result?.recordId ?? null;
  const { detail, reasons } = explained(reason ?? conflict(result));
  return { item, before, after, detail, reasons, result: resultOf(result), recordId, output };
}

const unexplained = { detail: null, reasons: [] };

function piiOf(of: { readonly meta: Pick<RawMeta, "stream"> } | undefined, { streams }: Project): readonly string[] {
  return streams.get(of?.meta.stream ?? "")?.pii ?? [];
}

function explained(reason: ComputedItem["reason"]): Pick<SettledItem, "detail" | "reasons"> {
  return reason === null ? unexplained : { detail: reason.detail, reasons: [{ ...reason, count: 1 }] };
}

/** A raw object is told by its worst event; the detail counts all of them. */
function replaced(result: ReplaceResult | undefined, pii: readonly string[]) {
  if (result === undefined) return { result: "skipped" as const };
  const { rawKey: _, reasons, samples, ...counts } = result;
  const [sample] = samples;
  const changes = counts.changed + counts.added + counts.removed;
  return {
    result:
      counts.failing + counts.unmatched > 0
        ? ("failing" as const)
        : changes > 0
          ? ("changed" as const)
          : ("same" as const),
    detail: Object.entries(counts)
      .flatMap(([name, count]) => (count > 0 ? `${count} ${name}` : []))
      .join(", "),
    reasons,
    before: sample?.before ? masked(sample.before, pii) : null,
    after: sample?.after ? masked(sample.after, pii) : null,
  };
}

function masked(json: string, pii: readonly string[]): string | null {
  return sampleText(JSON.parse(json), pii);
}

function resultOf(result: OutcomeResult | undefined): ItemResult {
  if (result === undefined || !result.applied) return "skipped";
  if (result.stored > 0) return "recovered";
  if (result.duplicates > 0) return "duplicate";
  return result.dropped > 0 ? "dropped" : "failing";
}

/** Only the commit finds out that an identity is taken. */
function conflict(result: OutcomeResult | undefined): ComputedItem["reason"] {
  if (resultOf(result) !== "failing") return null;
  const detail = "An event with this identity and other content is stored; it was not changed.";
  return { code: "IDENTITY_CONFLICT", pointer: "", detail };
}

function reasonsOf(settled: readonly SettledItem[]): readonly JobReason[] {
  const all = new Map<string, { -readonly [Key in keyof JobReason]: JobReason[Key] }>();
  for (const { item, reasons } of settled) {
    for (const { code, pointer, detail, count } of reasons) {
      const place = pointer.replaceAll(/\/\d+(?=\/|$)/g, "/*");
      const known = all.get(`${code} ${place}`);
      if (known !== undefined) known.count += count;
      else all.set(`${code} ${place}`, { code, pointer: place, detail, count, exampleId: item.target });
    }
  }
  return [...all.values()];
}

function sampleOf({ item, result, before, after, output }: SettledItem): JobSample {
  return { target: item.target, result, before, after, output };
}
