import assert from "node:assert/strict";
import { test } from "node:test";
import { recordIdText } from "../../src/model/record.ts";
import { auditDraft } from "./audit-log.ts";
import { failureDraft, newRawKey, only, outcome, recordDraft, stream, tenant } from "./outcome-samples.ts";
import { type StoreHarness, withStore } from "./store-harness.ts";

/** What commits do with events and failures that are tried again; part of the record-table suite. */
export function retryCommits(create: () => Promise<StoreHarness>): void {
  eventRetries(create);
  failureRetries(create);
}

function eventRetries(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  async function retrying({ records, queue }: StoreHarness) {
    const rawKey = newRawKey();
    await records.commit([outcome({ rawKey, retries: [{ index: 0, attempts: 1, delayMillis: 0 }] })]);
    return { rawKey, message: only(await queue.receive(10)) };
  }

  test(
    "enqueues an event that is to be tried again, after its delay, under the number of the next attempt",
    store(async ({ records, queue, wait }) => {
      const rawKey = newRawKey();
      await records.commit([outcome({ rawKey, retries: [{ index: 7, attempts: 2, delayMillis: 2000 }] })]);
      assert.deepEqual(await queue.receive(10), []);
      await wait(2000);
      const { work } = only(await queue.receive(10));
      assert.deepEqual(work, { kind: "event", tenant, stream, rawKey, index: 7, attempt: 3 });
    }),
  );

  test(
    "counts a retried event where it ends, in the stream and in its object, and only once",
    store(async (harness) => {
      const { records, counters, settle } = harness;
      const { rawKey } = await retrying(harness);
      const subject = { kind: "event", index: 0, attempt: 2 } as const;
      const done = outcome({ rawKey, subject, records: [recordDraft()] });
      assert.deepEqual(
        (await records.commit([done, done])).map(({ applied }) => applied),
        [true, false],
      );
      await settle();
      const ended = { received: 1, stored: 1, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };
      assert.deepEqual(await counters(tenant, stream), ended);
      const result = await records.objectResult(rawKey);
      assert.deepEqual([result?.stored, result?.retrying], [1, 0]);
    }),
  );

  test(
    "enqueues a retried event once more when it is to be tried again, and not for a redelivery of that attempt",
    store(async (harness) => {
      const { records, queue, counters } = harness;
      const { rawKey, message } = await retrying(harness);
      await queue.acknowledge(message);
      const subject = { kind: "event", index: 0, attempt: 2 } as const;
      const again = outcome({ rawKey, subject, retries: [{ index: 0, attempts: 2, delayMillis: 0 }] });
      await records.commit([again]);
      assert.equal(only(await records.commit([again])).applied, false);
      assert.equal((await counters(tenant, stream)).retrying, 1);
      const next = only(await queue.receive(10));
      assert.equal(next.work.kind === "event" && next.work.attempt, 3);
    }),
  );
}

function failureRetries(create: () => Promise<StoreHarness>): void {
  const store = withStore(create);

  /** A failure that is being retried for the second attempt. */
  async function retried({ records, failures, settle }: StoreHarness) {
    const rawKey = newRawKey();
    const draft = failureDraft(rawKey);
    await records.commit([outcome({ rawKey, failures: [draft] })]);
    await settle();
    await failures.retry(tenant, draft.id, null, auditDraft());
    return {
      rawKey,
      id: draft.id,
      subject: { kind: "failure", failureId: draft.id, attempt: 2, jobId: null } as const,
    };
  }

  test(
    "turns a failure whose event is stored after all into `recovered`, with the record",
    store(async (harness) => {
      const { records, failures, counters, settle } = harness;
      const { rawKey, id, subject } = await retried(harness);
      const draft = recordDraft();
      const done = outcome({ rawKey, subject, records: [draft] });
      assert.deepEqual(
        (await records.commit([done, done])).map(({ applied, recordId }) => [applied, recordId]),
        [
          [true, recordIdText(draft.id)],
          [false, null],
        ],
      );
      await settle();
      const failure = await failures.get(tenant, id);
      assert.deepEqual(
        [failure?.state, failure?.recordId, failure?.attempts],
        ["recovered", recordIdText(draft.id), 2],
      );
      const { received, stored, quarantined, retrying } = await counters(tenant, stream);
      assert.deepEqual([received, stored, quarantined, retrying], [1, 1, 0, 0]);
      assert.equal((await records.objectResult(rawKey))?.stored, 1);
    }),
  );

  test(
    "recovers a failure without a record when a transform drops its event, and with the first record when it is a duplicate",
    store(async (harness) => {
      const { records, failures, settle, counters } = harness;
      const dropped = await retried(harness);
      const drop = outcome({ rawKey: dropped.rawKey, subject: dropped.subject, dropped: 1 });
      assert.equal(only(await records.commit([drop])).recordId, null);
      const first = recordDraft({ eventId: "A", data: 1 });
      await records.commit([outcome({ records: [first] })]);
      const twice = await retried(harness);
      const again = recordDraft({ eventId: "A", data: 1 });
      const duplicate = outcome({ rawKey: twice.rawKey, subject: twice.subject, records: [again] });
      assert.equal(only(await records.commit([duplicate])).recordId, recordIdText(first.id));
      await settle();
      const states = await Promise.all([dropped, twice].map(({ id }) => failures.get(tenant, id)));
      assert.deepEqual(
        states.map((failure) => [failure?.state, failure?.recordId]),
        [
          ["recovered", null],
          ["recovered", recordIdText(first.id)],
        ],
      );
      const counts = await counters(tenant, stream);
      assert.deepEqual([counts.dropped, counts.duplicates, counts.retrying], [1, 1, 0]);
    }),
  );

  test(
    "sends a failure that fails again back, with one attempt more and the new reason, and it can be retried again",
    store(async (harness) => {
      const { records, failures, counters, settle } = harness;
      const { rawKey, id, subject } = await retried(harness);
      const reason = { state: "dead", class: "bug", stage: "transform", code: "TRANSFORM_THREW" } as const;
      const worse = outcome({
        rawKey,
        subject,
        failures: [failureDraft(rawKey, { ...reason, attempts: 2, errors: [] })],
      });
      await records.commit([worse]);
      await settle();
      const failure = await failures.get(tenant, id);
      assert.deepEqual(
        [failure?.state, failure?.class, failure?.code, failure?.attempts, failure?.errors],
        ["dead", "bug", "TRANSFORM_THREW", 2, []],
      );
      const { received, quarantined, dead, retrying } = await counters(tenant, stream);
      assert.deepEqual([received, quarantined, dead, retrying], [1, 0, 1, 0]);
      await failures.retry(tenant, id, null, auditDraft());
      assert.equal(only(await records.commit([worse])).applied, false, "the attempt before is over");
      const third = outcome({ rawKey, subject: { ...subject, attempt: 3 }, records: [recordDraft()] });
      assert.equal(only(await records.commit([third])).applied, true);
    }),
  );

  test(
    "sends a failure back as a conflict when its identity is stored with other content by now",
    store(async (harness) => {
      const { records, failures, settle } = harness;
      const { rawKey, id, subject } = await retried(harness);
      await records.commit([outcome({ records: [recordDraft({ eventId: "A", data: 1 })] })]);
      const other = recordDraft({ eventId: "A", data: 2 });
      await records.commit([outcome({ rawKey, subject, records: [other] })]);
      await settle();
      const failure = await failures.get(tenant, id);
      assert.deepEqual([failure?.state, failure?.code], ["quarantined", "IDENTITY_CONFLICT"]);
    }),
  );

  test(
    "keeps a failure `retrying` and enqueues its next attempt when its event is to be tried again",
    store(async (harness) => {
      const { records, failures, queue, counters, settle } = harness;
      const { rawKey, id, subject } = await retried(harness);
      for (const message of await queue.receive(10)) await queue.acknowledge(message);
      const again = outcome({ rawKey, subject, retries: [{ index: 0, attempts: 2, delayMillis: 0 }] });
      await records.commit([again]);
      assert.equal(only(await records.commit([again])).applied, false);
      await settle();
      const failure = await failures.get(tenant, id);
      assert.deepEqual([failure?.state, failure?.attempts], ["retrying", 2]);
      assert.equal((await counters(tenant, stream)).retrying, 1);
      const { work } = only(await queue.receive(10));
      assert.deepEqual(work, { kind: "failure", tenant, stream, failureId: id, attempt: 3 });
    }),
  );
}
