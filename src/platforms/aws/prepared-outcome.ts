import { conflictDraft } from "../../model/conflict-draft.ts";
import { assert } from "../../model/error.ts";
import type { FailureDraft } from "../../model/failure.ts";
import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import type { Work } from "../../ports/work-queue.ts";
import { anomalyItem } from "./anomaly-items.ts";
import { emptyTally, type Tally, tallySum } from "./counters.ts";
import { writeDetectorStates } from "./detector-states.ts";
import type { IssueChanges } from "./issue-changes.ts";
import type { Item, ItemKey } from "./item.ts";
import { notificationKeys, writeNotifications } from "./notification-items.ts";
import type { Outbox } from "./outbox.ts";
import { type PagePart, partNames } from "./outcome-pages.ts";
import type { JudgedRecords } from "./record-judge.ts";
import { RollupChanges } from "./rollup-changes.ts";
import type { StoredFailure } from "./stored-failure.ts";
import { attemptItem, type SubjectEnd, type SubjectStanding } from "./subject-standing.ts";
import type { Table } from "./table.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** An outcome of which records and failures are written, and nothing is counted yet. */
export interface PreparedOutcome extends SubjectEnd {
  readonly outcome: Outcome;
  /** The one that it ends. */
  readonly failure: StoredFailure | null;
  readonly judged: JudgedRecords;
  readonly rollups: RollupChanges;
  /** Of the failures that it wrote. */
  readonly issues: IssueChanges;
  /** Work that it asks for, and when. */
  readonly works: readonly { readonly work: Work; readonly dueAt: number }[];
}

/** The outcome was committed before. */
export function notApplied(): OutcomeResult {
  return { applied: false, ...emptyTally(), recordId: null };
}

/** Failures of an outcome: those that processing found, and the conflicts that the store did. */
export function failureDrafts(
  { failures, rawKey, meta, subject }: Outcome,
  { conflicts }: JudgedRecords,
): readonly FailureDraft[] {
  const attempts = subject.kind === "object" ? 1 : subject.attempt;
  return [...failures, ...conflicts.map((record) => conflictDraft(record, rawKey, meta, attempts))];
}

/** How the subject of an outcome ends. `drafts`: its failures, `known`: which of them are no new ones. */
export function endOf(
  outcome: Outcome,
  judged: JudgedRecords,
  drafts: readonly FailureDraft[],
  known: readonly boolean[],
): SubjectEnd {
  const { subject, meta, rawKey, dropped, retries } = outcome;
  const { stored, duplicates } = judged;
  const tally: Tally = { ...emptyTally(), stored, duplicates, dropped, retrying: retries.length };
  const ended = subject.kind === "failure" ? drafts.slice(0, 1) : drafts;
  for (const [index, { state }] of ended.entries()) tally[known[index] === true ? "duplicates" : state]++;
  const events = subject.kind === "object" ? meta.events : 1;
  const counted = tallySum(tally);
  assert(counted === events, `the outcome of ${rawKey} accounts for ${counted} of its ${events} events`);
  const draft = subject.kind === "failure" ? (drafts[0] ?? null) : null;
  const recovered = subject.kind === "failure" && draft === null && retries.length === 0;
  return { tally, draft, recordId: recovered ? judged.lastRecordId : null };
}

export function prepared(
  outcome: Outcome,
  { failure }: SubjectStanding,
  judged: JudgedRecords,
  end: SubjectEnd,
  issues: IssueChanges,
  now: number,
): PreparedOutcome {
  const { meta, rawKey, rollupFields, expiresAt } = outcome;
  const rollups = new RollupChanges(meta.tenant, meta.stream, rawKey, expiresAt.records);
  for (const { draft, first } of judged.accepted) rollups.add(draft, rollupFields, first);
  return { outcome, failure, judged, ...end, rollups, issues, works: worksOf(outcome, now) };
}

/** The next attempt: of the failure when it is one that is retried, else of the event. */
function worksOf({ rawKey, meta, subject, retries }: Outcome, now: number): PreparedOutcome["works"] {
  const { tenant, stream } = meta;
  return retries.map(({ index, attempts, delayMillis }) => {
    const work: Work =
      subject.kind === "failure"
        ? { kind: "failure", tenant, stream, failureId: subject.failureId, attempt: subject.attempt + 1 }
        : { kind: "event", tenant, stream, rawKey, index, attempt: attempts + 1 };
    return { work, dueAt: now + delayMillis };
  });
}

/** What it writes in its transactions beside what ends its subject. */
export function partsOf(ready: PreparedOutcome): PagePart[] {
  const { outcome, rollups, issues, works } = ready;
  const { meta, states, notifications } = outcome;
  const small = (name: string, items = 1) => ({ name, items, bytes: items * 1_000 });
  return [
    ...states.map((state) => ({
      name: partNames.state(meta.tenant, state),
      items: 1,
      bytes: Buffer.byteLength(state.stateJson),
    })),
    ...anomalyGroups(ready)
      .filter(({ isTogether }) => isTogether)
      .map(({ state, items }) => ({ ...small(state, items.length), isOwn: true })),
    // A rollup holds all fields of a stream; an issue and a notification are a few kilobytes.
    ...rollups.keys().map((key) => ({ ...small(partNames.item(key)), bytes: 200 * (outcome.rollupFields.length + 1) })),
    ...issues.keys().map((key) => ({ ...small(partNames.item(key)), bytes: 5_000 })),
    ...[...Map.groupBy(notifications, partNames.notification)].map(([name, drafts]) => ({
      name,
      items: notificationKeys(drafts).length,
      bytes: drafts.length * 10_000,
      isOwn: true,
    })),
    ...works.map((_, index) => ({ ...small(partNames.work(outcome.rawKey, index), 2), isOwn: true })),
  ];
}

/** Keys of all that is read for it, so that one call reads it. */
export function partKeys({ outcome, rollups, issues }: PreparedOutcome, isMine: IsMine): ItemKey[] {
  const mine = (key: ItemKey) => isMine(partNames.item(key));
  const notifications = outcome.notifications.filter((draft) => isMine(partNames.notification(draft)));
  return [...rollups.keys().filter(mine), ...issues.keys().filter(mine), ...notificationKeys(notifications)];
}

/** Whether the part with this name belongs to the page that is written. */
export type IsMine = (name: string) => boolean;

/** Within a unit: writes those parts. Throws STATE_STALE. */
export async function writeParts(
  unit: UnitOfWork,
  ready: PreparedOutcome,
  outbox: Pick<Outbox, "add">,
  now: number,
  isMine: IsMine,
): Promise<void> {
  const { outcome, rollups, issues, works } = ready;
  const { meta, states, notifications } = outcome;
  const mine = (key: ItemKey) => isMine(partNames.item(key));
  await writeDetectorStates(
    unit,
    meta.tenant,
    states.filter((state) => isMine(partNames.state(meta.tenant, state))),
  );
  for (const { state, items, isTogether } of anomalyGroups(ready)) {
    if (isTogether && isMine(state)) for (const item of items) unit.put(item);
  }
  await rollups.write(unit, mine);
  await issues.write(unit, mine);
  const told = notifications.filter((draft) => isMine(partNames.notification(draft)));
  if (told.length > 0) await writeNotifications(unit, told, now);
  for (const [index, { work, dueAt }] of works.entries()) {
    if (!isMine(partNames.work(outcome.rawKey, index))) continue;
    outbox.add(unit, work, dueAt);
    // Nothing else says in the table which events of the object are still to come.
    if (outcome.subject.kind === "object" && work.kind === "event") {
      unit.put(attemptItem(outcome, work.index, { attempt: work.attempt - 1, done: false }));
    }
  }
}

/**
 * Writes, before the transaction, the anomalies of detectors that found too many for it. When that try fails, and others change
 * the state before the next one, that one writes those it finds anew, as part of the incident that there is then; some may be
 * there that it finds no more.
 */
export async function writeAnomalies(table: Table, ready: PreparedOutcome, isMine: IsMine): Promise<void> {
  const { meta, states } = ready.outcome;
  const versions = new Map(states.map((state) => [partNames.state(meta.tenant, state), state.version]));
  const apart = anomalyGroups(ready).filter(({ state, isTogether }) => !isTogether && isMine(state));
  await table.putAllFound(
    apart.flatMap(({ state, items }) => items.map((item) => ({ ...item, s: versions.get(state) ?? 0 }))),
  );
}

/** Of one detector; with `isTogether` they are written in one transaction with its state. */
interface AnomalyGroup {
  /** Name of the part. */
  readonly state: string;
  readonly items: readonly Item[];
  readonly isTogether: boolean;
}

/** More would not fit one page beside the rest. */
const anomaliesTogetherMax = 20;

/** The anomalies of periods, and of stored records. */
function anomalyGroups({ outcome, judged }: PreparedOutcome): AnomalyGroup[] {
  const { meta, anomalies, expiresAt } = outcome;
  const byState = Map.groupBy(anomalies, (draft) => partNames.state(meta.tenant, draft));
  return [...byState].map(([state, drafts]) => {
    const items = drafts.flatMap((draft) => {
      const recordId = draft.index === null ? null : judged.recordIds.get(draft.index);
      return recordId === undefined ? [] : anomalyItem(meta.tenant, meta.stream, draft, recordId, expiresAt.records);
    });
    return { state, items, isTogether: items.length <= anomaliesTogetherMax };
  });
}
