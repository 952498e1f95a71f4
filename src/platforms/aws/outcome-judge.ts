import type { FailureDraft } from "../../model/failure.ts";
import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { writeDetectorStates } from "./detector-states.ts";
import { IssueChanges } from "./issue-changes.ts";
import { keyText } from "./item.ts";
import { knownEvents } from "./known-events.ts";
import { endOf, failureDrafts, notApplied } from "./prepared-outcome.ts";
import { type RecordItem, recordKey } from "./record-items.ts";
import { type JudgedRecords, judgeRecords, type RecordMark } from "./record-judge.ts";
import { endSubject, subjectStanding } from "./subject-standing.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/**
 * What a commit of these outcomes would do now. `unit` is never committed: it is where the outcomes leave what decides about
 * those behind them.
 */
export async function judgeOutcomes(unit: UnitOfWork, outcomes: readonly Outcome[]): Promise<OutcomeResult[]> {
  const now = unit.table.clock();
  const events = new Set<string>();
  const results: OutcomeResult[] = [];
  for (const outcome of outcomes) {
    const subject = await subjectStanding(unit, outcome);
    if (subject.applied) {
      results.push(notApplied());
      continue;
    }
    const judged = await judgeStored(unit, outcome);
    for (const { draft } of judged.accepted) addEvent(events, outcome.meta, draft);
    const drafts = failureDrafts(outcome, judged);
    const known = outcome.subject.kind === "failure" ? [] : await judgeFailures(unit, outcome, drafts, events, now);
    const end = endOf(outcome, judged, drafts, known);
    await endSubject(unit, outcome, subject, end, now, new IssueChanges());
    await writeDetectorStates(unit, outcome.meta.tenant, outcome.states);
    results.push({ applied: true, ...end.tally, recordId: end.recordId });
  }
  return results;
}

/** Leaves what would be stored in the unit. */
async function judgeStored(unit: UnitOfWork, { records, meta, rawKey }: Outcome): Promise<JudgedRecords> {
  const place = { tenant: meta.tenant, stream: meta.stream, rawKey };
  const keys = records.filter(({ identity }) => identity !== null).map((draft) => recordKey(place, draft));
  const items = await unit.loadAll(keys);
  const stored = new Map<string, RecordMark>();
  for (const item of items) if (item !== null) stored.set(keyText(item), item as RecordItem);
  const judged = judgeRecords(records, place, stored);
  for (const { draft } of judged.accepted) {
    if (draft.identity === null) continue;
    const i = Buffer.from(draft.id).toString("hex");
    const mark: RecordMark = { i, r: rawKey, n: draft.index, c: draft.contentHash };
    unit.put({ ...recordKey(place, draft), ...mark });
  }
  return judged;
}

/** Which failures are of events that are here already, or would be by now. */
async function judgeFailures(
  { table }: UnitOfWork,
  { meta }: Outcome,
  drafts: readonly FailureDraft[],
  events: Set<string>,
  now: number,
): Promise<boolean[]> {
  const known = await knownEvents(table, drafts, { meta, now });
  return drafts.map((draft) => {
    const before = draft.identity !== null && events.has(eventText(meta, draft));
    addEvent(events, meta, draft);
    return before || known.has(draft.id);
  });
}

type Event = Pick<FailureDraft, "identity" | "contentHash">;

function addEvent(events: Set<string>, meta: RawMeta, event: Event): void {
  if (event.identity !== null) events.add(eventText(meta, event));
}

function eventText({ tenant, stream }: RawMeta, { identity, contentHash }: Event): string {
  return [tenant, stream, identity, contentHash].join("\n");
}
