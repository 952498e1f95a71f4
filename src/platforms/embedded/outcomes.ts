import { conflictDraft } from "../../model/conflict-draft.ts";
import { assert } from "../../model/error.ts";
import type { FailureDraft, FailureState } from "../../model/failure.ts";
import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import { type RecordId, recordIdText } from "../../model/record.ts";
import type { Work } from "../../ports/work-queue.ts";
import { writeAnomalies } from "./anomaly-log.ts";
import { addTally, addToCounters, emptyTally, type Tally, tallySum } from "./counters.ts";
import type { Clock, Database } from "./database.ts";
import { writeDetectorStates } from "./detector-states.ts";
import { type EndingFailure, findEnding } from "./ending-failures.ts";
import { endRetry, type FailureOrigin, insertFailure, isKnownEvent } from "./failure-rows.ts";
import { IdentityIndex, IdentityMerge } from "./identity-index.ts";
import { PendingIssues } from "./issue-rows.ts";
import { writeNotifications } from "./notification-log.ts";
import { type ObjectMarker, PendingObjects } from "./object-marker.ts";
import { expiryTime, PendingRecordBatches } from "./record-batches.ts";
import { RecordWriter, type WrittenRecords } from "./record-writer.ts";
import { PendingRollups } from "./rollups.ts";
import { StreamNumbers } from "./stream-number.ts";
import { insertWork } from "./work-queue.ts";

/** Commits outcomes; synchronous, so that the caller can put its own checkpoint into the same transaction. */
export interface Outcomes {
  /** As `RecordTable.commit`. Its own transaction, or part of the caller's. */
  commitSync(outcomes: readonly Outcome[]): OutcomeResult[];
  /** As `RecordTable.judge`. Its own transaction, or a part of the caller's that leaves nothing behind. */
  judgeSync(outcomes: readonly Outcome[]): OutcomeResult[];
}

/** What one commit gathers over all its outcomes and writes at the end. */
interface Commit {
  readonly now: number;
  readonly identities: IdentityIndex;
  readonly objects: PendingObjects;
  readonly streams: StreamNumbers;
  /** Numbers of the failures that outcomes were about. */
  readonly ended: Set<number>;
  readonly batches: PendingRecordBatches;
  readonly rollups: PendingRollups;
  readonly issues: PendingIssues;
  readonly counters: Map<number, { received: number; readonly tally: Tally }>;
}

export function sqliteOutcomes(database: Database, clock: Clock): Outcomes {
  const merge = new IdentityMerge(database);
  return {
    commitSync(outcomes) {
      return database.transaction(() => {
        const commit = beginCommit(database, clock());
        const results = writeOutcomes(database, outcomes, commit);
        commit.identities.flush(merge);
        commit.objects.write();
        commit.batches.write(database);
        commit.rollups.write(database);
        commit.issues.write(database);
        for (const [stream, { received, tally }] of commit.counters) addToCounters(database, stream, received, tally);
        return results;
      });
    },
    // What a commit gathers for its end has no part in its results, so it is not written.
    judgeSync: (outcomes) => database.rehearse(() => writeOutcomes(database, outcomes, beginCommit(database, clock()))),
  };
}

function beginCommit(database: Database, now: number): Commit {
  return {
    now,
    identities: new IdentityIndex(database),
    objects: new PendingObjects(database),
    streams: new StreamNumbers(database),
    ended: new Set(),
    batches: new PendingRecordBatches(),
    rollups: new PendingRollups(),
    issues: new PendingIssues(),
    counters: new Map(),
  };
}

/** Writes all but what the commit gathers. */
function writeOutcomes(database: Database, outcomes: readonly Outcome[], commit: Commit): OutcomeResult[] {
  const { identities } = commit;
  identities.expect(identitiesOf(outcomes));
  const ending = findEnding(
    database,
    outcomes.map(({ subject }) => (subject.kind === "failure" ? subject.failureId : null)),
  );
  const writer = new RecordWriter(database, identities);
  return outcomes.map((outcome, place) => writeOutcome(database, writer, outcome, ending[place], commit));
}

/** `ending`: the failure that it ends, as it was before this commit. */
function writeOutcome(
  database: Database,
  writer: RecordWriter,
  outcome: Outcome,
  ending: EndingFailure | undefined,
  commit: Commit,
): OutcomeResult {
  const { meta, rawKey, subject } = outcome;
  const expiresAt = expiryTime(Math.max(outcome.expiresAt.records, outcome.expiresAt.raw));
  const stream = commit.streams.numberOf(meta);
  const object = commit.objects.marker(rawKey, stream, meta.receivedAt, expiresAt);
  const failure = ending === undefined ? null : takeEnding(database, commit, ending);
  if (isApplied(database, outcome, object, failure)) return { applied: false, ...emptyTally(), recordId: null };

  const { anomalies } = outcome;
  const wanted = anomalies.length === 0 ? noIndexes : new Set(anomalies.flatMap(({ index }) => index ?? []));
  const written = writer.write(outcome, stream, object.number, wanted, commit);
  const attempts = subject.kind === "object" ? 1 : subject.attempt;
  const conflicts = written.conflicts.map((record) => conflictDraft(record, rawKey, meta, attempts));
  const failures = conflicts.length === 0 ? outcome.failures : [...outcome.failures, ...conflicts];
  const tally = { ...emptyTally(), stored: written.stored, duplicates: written.duplicates, dropped: outcome.dropped };
  let recordId: RecordId | null = null;
  if (failure === null) {
    writeFailures(database, outcome, failures, stream, commit, tally);
  } else {
    recordId = finishFailure(database, failure, failures[0] ?? null, written, outcome, commit, tally);
  }
  writeRetries(database, outcome, commit.now, tally);
  writeAnomalies(database, meta.tenant, stream, anomalies, written.recordIds, outcome.expiresAt.records);
  writeDetectorStates(database, meta.tenant, outcome.states);
  writeNotifications(database, outcome.notifications, commit.now);
  count(database, outcome, stream, object, failure?.state ?? null, tally, commit);
  return { applied: true, ...tally, recordId: recordId && recordIdText(recordId) };
}

const noIndexes: ReadonlySet<number> = new Set();

/** As another outcome of this commit has left it, when there was one. */
function takeEnding(database: Database, { ended }: Commit, ending: EndingFailure): EndingFailure | null {
  if (!ended.has(ending.number)) {
    ended.add(ending.number);
    return ending;
  }
  return findEnding(database, [ending.id])[0] ?? null;
}

/** Whether the marker of this subject says that it was committed before. */
function isApplied(
  database: Database,
  { subject }: Outcome,
  object: ObjectMarker,
  failure: EndingFailure | null,
): boolean {
  if (subject.kind === "object") return object.committed;
  if (subject.kind === "failure") {
    if (failure === null || failure.attempts + 1 !== subject.attempt) return true;
    const { state } = failure;
    return subject.jobId === null ? state !== "retrying" : state !== "quarantined" && state !== "dead";
  }
  const row = database.get<{ attempt: number; done: number }>(
    "SELECT attempt, done FROM event_attempts WHERE object = ? AND raw_index = ?",
    object.number,
    subject.index,
  );
  return row !== null && (row.done === 1 || row.attempt >= subject.attempt);
}

function identitiesOf(outcomes: readonly Outcome[]): number[] {
  const identities: number[] = [];
  for (const { records } of outcomes) {
    for (const { identity } of records) if (identity !== null) identities.push(identity);
  }
  return identities;
}

function writeFailures(
  database: Database,
  { rawKey, meta, expiresAt }: Outcome,
  drafts: readonly FailureDraft[],
  stream: number,
  { identities, issues, now }: Commit,
  tally: Tally,
): void {
  const origin: FailureOrigin = { stream, rawKey, meta, expiresAt: expiresAt.failures, now };
  for (const draft of drafts) {
    const known = isKnownEvent(database, identities, draft, origin, issues);
    const isNew = !known && insertFailure(database, draft, origin, issues);
    tally[isNew ? draft.state : "duplicates"]++;
  }
}

/** Ends the retry or the replay of a failure, by what became of its event this time. Answers with its record when it is recovered. */
function finishFailure(
  database: Database,
  failure: EndingFailure,
  draft: FailureDraft | null,
  written: WrittenRecords,
  { retries, expiresAt, subject }: Outcome,
  { now, issues }: Commit,
  tally: Tally,
): RecordId | null {
  const again = retries.length > 0;
  if (draft !== null) tally[draft.state]++;
  const recordId = draft === null && !again ? written.lastRecordId : null;
  const change = {
    state: draft?.state ?? (again ? "retrying" : "recovered"),
    recordId,
    draft,
    expiresAt: expiresAt.failures,
    jobId: subject.kind === "failure" ? subject.jobId : null,
  } as const;
  endRetry(database, failure, now, change, issues);
  return recordId;
}

/** Enqueues the next attempt: of the failure when it is one that is retried, else of the event. */
function writeRetries(database: Database, outcome: Outcome, now: number, tally: Tally): void {
  const { rawKey, meta, subject } = outcome;
  for (const { index, attempts, delayMillis } of outcome.retries) {
    const { tenant, stream } = meta;
    const work: Work =
      subject.kind === "failure"
        ? { kind: "failure", tenant, stream, failureId: subject.failureId, attempt: subject.attempt + 1 }
        : { kind: "event", tenant, stream, rawKey, index, attempt: attempts + 1 };
    insertWork(database, [work], now + delayMillis);
    tally.retrying++;
  }
}

/** Sets the marker and moves the counters of stream and object; every event of the subject is counted once. `from`: where its failure was. */
function count(
  database: Database,
  outcome: Outcome,
  stream: number,
  object: ObjectMarker,
  from: FailureState | null,
  tally: Tally,
  { objects, counters, now }: Commit,
): void {
  const { subject, meta } = outcome;
  const events = subject.kind === "object" ? meta.events : 1;
  assert(
    tallySum(tally) === events,
    `the outcome of ${outcome.rawKey} accounts for ${tallySum(tally)} of its ${events} events`,
  );
  const change = { ...tally };
  if (subject.kind === "object") objects.commit(outcome.rawKey, object, now);
  else change[from === "quarantined" || from === "dead" ? from : "retrying"]--;
  if (subject.kind === "event") {
    database.run(
      `INSERT INTO event_attempts VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET attempt = excluded.attempt, done = excluded.done`,
      object.number,
      subject.index,
      subject.attempt,
      outcome.retries.length === 0 ? 1 : 0,
    );
  }
  objects.add(object, change);
  const counted = counters.get(stream) ?? { received: 0, tally: emptyTally() };
  counters.set(stream, counted);
  if (subject.kind === "object") counted.received += meta.events;
  addTally(counted.tally, change);
}
