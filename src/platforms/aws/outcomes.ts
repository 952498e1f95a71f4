import type { Outcome, OutcomeResult } from "../../model/outcome.ts";
import type { RecordTable } from "../../ports/record-table.ts";
import { readDetectorStates, stateKey, writeDetectorStates } from "./detector-states.ts";
import { writeFailures } from "./failure-items.ts";
import type { PayloadObjects } from "./failure-payloads.ts";
import { RecordDays } from "./index-pages.ts";
import { IssueChanges } from "./issue-changes.ts";
import { itemKeys } from "./item-keys.ts";
import { readObjectResult } from "./object-marker.ts";
import type { Outbox } from "./outbox.ts";
import { OutcomeCommit } from "./outcome-commit.ts";
import { judgeOutcomes } from "./outcome-judge.ts";
import { pageOf, partNames, progressKey, progressOf } from "./outcome-pages.ts";
import { outcomeWaves } from "./outcome-waves.ts";
import { endOf, failureDrafts, notApplied, type PreparedOutcome, prepared } from "./prepared-outcome.ts";
import { endSubject, subjectKeys, subjectStanding, subjectText } from "./subject-standing.ts";
import type { Table } from "./table.ts";
import { UnitOfWork } from "./unit-of-work.ts";
import { writeRecords } from "./write-records.ts";

export interface OutcomeOptions {
  readonly outbox: Pick<Outbox, "add" | "dispatch">;
  /** Where payloads go that no item holds. Left out: there is no such place. */
  readonly objects?: PayloadObjects | null;
}

/**
 * Commits outcomes. What is many (records, failures) is written first, by names that follow from the raw object, so that a
 * second try writes the same; what must be written once follows in a transaction with the marker. Outcomes that are
 * small share one. States are compared before anything is written, and again in the transaction: a race that is lost there
 * throws STATE_STALE too, and then outcomes before it may be committed already.
 */
export function dynamoOutcomes(
  table: Table,
  { outbox, objects = null }: OutcomeOptions,
): Pick<RecordTable, "commit" | "judge" | "loadStates" | "objectResult"> {
  const days = new RecordDays(table);

  /** Null: it was committed before. `standing` knows of the outcomes before it. */
  async function prepare(standing: UnitOfWork, outcome: Outcome, now: number): Promise<PreparedOutcome | null> {
    const subject = await subjectStanding(standing, outcome);
    const { rawKey, meta, expiresAt } = outcome;
    if (subject.applied) {
      // Left behind by an acceptance whose answer came late; without this it would be in flight for ever.
      if (outcome.subject.kind === "object") await table.delete(itemKeys.pending(rawKey));
      return null;
    }
    const judged = await writeRecords(table, days, outcome);
    const drafts = failureDrafts(outcome, judged);
    const issues = new IssueChanges();
    const origin = { rawKey, meta, expiresAt: expiresAt.failures, now };
    const answers =
      outcome.subject.kind === "failure" || drafts.length === 0
        ? []
        : await writeFailures(table, drafts, origin, issues, objects);
    const known = answers.map((answer) => answer === "known");
    const end = endOf(outcome, judged, drafts, known);
    // What follows on this one in the list sees that it is done.
    await endSubject(standing, outcome, subject, end, now, new IssueChanges());
    return prepared(outcome, subject, judged, end, issues, now);
  }

  return {
    async commit(outcomes) {
      const now = table.clock();
      const standing = new UnitOfWork(table);
      await loadStanding(standing, outcomes);
      await refuseStale(standing, outcomes);
      const commit = new OutcomeCommit(table, outbox, now);
      try {
        const results: (() => OutcomeResult)[] = [];
        for (const wave of outcomeWaves(outcomes)) {
          const all = await Promise.all(wave.map((outcome) => prepare(standing, outcome, now)));
          for (const ready of all) {
            const progress = ready && progressOf(await standing.load(progressKey(ready.outcome)));
            results.push(ready === null ? notApplied : await commit.add(ready, progress));
          }
        }
        await commit.flush();
        return results.map((result) => result());
      } finally {
        await outbox.dispatch();
      }
    },
    async judge(outcomes) {
      const standing = new UnitOfWork(table);
      await loadStanding(standing, outcomes);
      return judgeOutcomes(standing, outcomes);
    },
    async loadStates(tenant, keys) {
      return readDetectorStates(table, tenant, keys);
    },
    async objectResult(rawKey) {
      return readObjectResult(table, rawKey);
    },
  };
}

/** Reads at once where the subjects of all outcomes stand, and their states. */
async function loadStanding(standing: UnitOfWork, outcomes: readonly Outcome[]): Promise<void> {
  await standing.loadAll(
    outcomes.flatMap((outcome) => [
      ...subjectKeys(outcome),
      progressKey(outcome),
      ...outcome.states.map((state) => stateKey(outcome.meta.tenant, state)),
    ]),
  );
}

/** Throws STATE_STALE before anything is written. Pages that are committed already have new states: those are not compared. */
async function refuseStale(standing: UnitOfWork, outcomes: readonly Outcome[]): Promise<void> {
  const seen = new Set<string>();
  for (const outcome of outcomes) {
    const name = `${outcome.rawKey} ${subjectText(outcome)}`;
    if (seen.size === seen.add(name).size || outcome.states.length === 0) continue;
    if ((await subjectStanding(standing, outcome)).applied) continue;
    const { pages, done } = progressOf(await standing.load(progressKey(outcome))) ?? { pages: 1, done: 0 };
    const { tenant } = outcome.meta;
    await writeDetectorStates(
      standing,
      tenant,
      outcome.states.filter((state) => pageOf(partNames.state(tenant, state), pages) >= done),
    );
  }
}
