import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureState } from "../../src/model/failure.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { auditDraft } from "./audit-log.ts";
import {
  anomalyDraft,
  failureDraft,
  newRawKey,
  notificationDraft,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "./outcome-samples.ts";
import { anyFailure, listed, trace } from "./record-table-trace.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** What commits do with failures that a job replays, and what judging says; part of the record-table suite. */
export function replayCommits(create: () => Promise<StoreHarness>): void {
  replays(create);
  judging(create);
}

/** A failure that waits, and the subject of its first replay. */
async function waiting(
  { records, settle }: StoreHarness,
  state: "quarantined" | "dead" = "quarantined",
  jobId = "job_1",
) {
  const rawKey = newRawKey();
  const draft = failureDraft(rawKey, { state });
  await records.commit([outcome({ rawKey, failures: [draft] })]);
  await settle();
  return { rawKey, id: draft.id, subject: { kind: "failure", failureId: draft.id, attempt: 2, jobId } as const };
}

const noTally = { stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };

function replays(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  for (const from of ["quarantined", "dead"] as const) {
    /** Ways for a replay to end, with where its failure and its counter are then. */
    const ends: readonly (readonly [
      string,
      (rawKey: string) => Partial<Outcome>,
      FailureState,
      keyof typeof noTally,
    ])[] = [
      ["a record", () => ({ records: [recordDraft()] }), "recovered", "stored"],
      ["nothing, dropped by its transform", () => ({ dropped: 1 }), "recovered", "dropped"],
      ["a duplicate", () => ({ records: [recordDraft({ eventId: "A", data: 1 })] }), "recovered", "duplicates"],
      ["a conflict", () => ({ records: [recordDraft({ eventId: "A", data: 2 })] }), "quarantined", "quarantined"],
      ["quarantined", (rawKey) => ({ failures: [failureDraft(rawKey)] }), "quarantined", "quarantined"],
      ["dead", (rawKey) => ({ failures: [failureDraft(rawKey, { state: "dead" })] }), "dead", "dead"],
      ["retrying", () => ({ retries: [{ index: 0, attempts: 2, delayMillis: 0 }] }), "retrying", "retrying"],
    ];
    for (const [name, parts, state, place] of ends) {
      test(
        `moves the counter of a failure that is ${from} when its replay makes it ${name}, and keeps the job's id`,
        store(async (harness) => {
          const { records, failures, counters, settle } = harness;
          await records.commit([outcome({ records: [recordDraft({ eventId: "A", data: 1 })] })]);
          const { rawKey, id, subject } = await waiting(harness, from);
          const before = await counters(tenant, stream);
          const replay = outcome({ ...parts(rawKey), rawKey, subject });
          const [result, again] = await records.commit([replay, replay]);
          const tally = { ...noTally, [place]: 1 };
          assert.deepEqual(result, { applied: true, ...tally, recordId: result?.recordId ?? null });
          assert.equal(result?.recordId !== null, place === "stored" || place === "duplicates");
          assert.deepEqual(again, { applied: false, ...noTally, recordId: null });
          await settle();
          const failure = await failures.get(tenant, id);
          assert.deepEqual(
            [failure?.state, failure?.attempts, failure?.jobId, failure?.recordId, failure?.version],
            [state, 2, "job_1", result?.recordId, 2],
          );
          const moved = { ...before, [from]: before[from] - 1 };
          assert.deepEqual(await counters(tenant, stream), { ...moved, [place]: moved[place] + 1 });
          const object = await records.objectResult(rawKey);
          assert.deepEqual(object, { ...object, ...tally });
        }),
      );
    }
  }

  test(
    "replays a failure again after it failed again, by its next attempt only",
    store(async (harness) => {
      const { records, failures, settle } = harness;
      const { rawKey, id, subject } = await waiting(harness);
      const failing = outcome({ rawKey, subject, failures: [failureDraft(rawKey, { attempts: 2 })] });
      await records.commit([failing]);
      const second = { ...subject, jobId: "job_2" };
      const early = outcome({ rawKey, subject: { ...second, attempt: 4 }, records: [recordDraft()] });
      const late = outcome({ rawKey, subject: second, records: [recordDraft()] });
      for (const one of [early, late]) assert.equal(only(await records.commit([one])).applied, false);
      const third = outcome({ rawKey, subject: { ...second, attempt: 3 }, records: [recordDraft()] });
      assert.equal(only(await records.commit([third])).applied, true);
      await settle();
      const failure = await failures.get(tenant, id);
      assert.deepEqual([failure?.state, failure?.jobId], ["recovered", "job_2"]);
    }),
  );

  test(
    "changes nothing for a replay of a failure that is retrying, over or gone, nor for a retry of one that waits",
    store(async (harness) => {
      const { records, failures, counters } = harness;
      const [retrying, discarded, quarantined] = [
        await waiting(harness),
        await waiting(harness),
        await waiting(harness),
      ];
      await failures.retry(tenant, retrying.id, null, auditDraft());
      await failures.discard(tenant, discarded.id, null, "", auditDraft());
      const before = await counters(tenant, stream);
      const subjects = [
        retrying.subject,
        discarded.subject,
        { ...quarantined.subject, jobId: null },
        { ...quarantined.subject, failureId: "fail_none" },
      ];
      for (const subject of subjects) {
        const result = only(await records.commit([outcome({ subject, records: [recordDraft()] })]));
        assert.deepEqual(result, { applied: false, ...noTally, recordId: null });
      }
      assert.deepEqual(await counters(tenant, stream), before);
    }),
  );
}

function judging(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  /** Outcomes of every kind that meet each other: what the first leaves behind decides about the others. */
  async function meeting(harness: StoreHarness): Promise<readonly Outcome[]> {
    const [first, second, conflicting] = [await waiting(harness), await waiting(harness), await waiting(harness)];
    const rawKey = newRawKey();
    const record = () => recordDraft({ eventId: "A", data: 1, numbers: [7] });
    return [
      outcome({
        rawKey,
        records: [recordDraft({ numbers: [1] })],
        failures: [failureDraft(rawKey, { index: 1 })],
        retries: [{ index: 2, attempts: 1, delayMillis: 0 }],
        dropped: 1,
        rollupFields: ["total"],
        states: [{ rule: "spend", key: "DE", version: 0, stateJson: "1" }],
        anomalies: [anomalyDraft()],
        notifications: [notificationDraft()],
      }),
      outcome({ rawKey: first.rawKey, subject: first.subject, records: [record()] }),
      outcome({ rawKey: second.rawKey, subject: second.subject, records: [record()] }),
      outcome({
        rawKey: conflicting.rawKey,
        subject: conflicting.subject,
        records: [recordDraft({ eventId: "A", data: 2 })],
      }),
      outcome({ rawKey: first.rawKey, subject: first.subject, records: [record()] }),
    ];
  }

  test(
    "judges what a commit would do, one outcome after the other, and keeps nothing of it",
    store(async (harness) => {
      const { records, failures, issues, counters } = harness;
      const outcomes = await meeting(harness);
      const everything = async () => ({
        ...(await trace(harness)),
        counters: await counters(tenant, stream),
        failures: await failures.query(anyFailure),
        issues: await issues.query({ ...listed, state: null, code: null }),
        objects: await Promise.all(outcomes.map(({ rawKey }) => records.objectResult(rawKey))),
      });
      const before = await everything();
      const judged = await records.judge(outcomes);
      assert.deepEqual(
        judged.map(({ applied, stored, duplicates, quarantined, recordId }) => [
          applied,
          stored,
          duplicates,
          quarantined,
          recordId !== null,
        ]),
        [
          [true, 1, 0, 1, false],
          [true, 1, 0, 0, true],
          [true, 0, 1, 0, true],
          [true, 0, 0, 1, false],
          [false, 0, 0, 0, false],
        ],
      );
      assert.deepEqual(await everything(), before);
      assert.deepEqual(await records.judge(outcomes), judged);
      assert.deepEqual(await records.commit(outcomes), judged);
      assert.notDeepEqual(await everything(), before);
    }),
  );

  test(
    "throws STATE_STALE for a detector state of another version, as a commit does",
    store(async ({ records }) => {
      const stale = outcome({ states: [{ rule: "spend", key: "DE", version: 4, stateJson: "1" }] });
      await assert.rejects(records.judge([stale]), { code: "STATE_STALE" });
    }),
  );
}
