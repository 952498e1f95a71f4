import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import type { FailureState } from "../../../src/model/failure.ts";
import type { Outcome, OutcomeResult, StreamCounters } from "../../../src/model/outcome.ts";
import type { RecordDraft } from "../../../src/model/record.ts";
import type { Work, WorkMessage } from "../../../src/ports/work-queue.ts";
import { auditDraft } from "../../contracts/audit-log.ts";
import {
  failureDraft,
  newRawKey,
  only,
  outcome,
  recordDraft,
  stream,
  tenant,
} from "../../contracts/outcome-samples.ts";
import { embeddedStores } from "./store-folder.ts";

type Stores = Awaited<ReturnType<typeof embeddedStores>>;

interface ModelFailure {
  state: FailureState;
  attempts: number;
  readonly identity: string | null;
  readonly content: number;
}

/** What the store must hold, kept in plain maps. */
interface Model {
  readonly counts: { -readonly [Name in keyof StreamCounters]: number };
  /** Content by identity. */
  readonly stored: Map<string, number>;
  readonly failures: Map<string, ModelFailure>;
  records: number;
}

/** A generator that can be run again from its seed (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

test("keeps received = stored + dropped + quarantined + dead + retrying + duplicates, and in step with the rows", async () => {
  const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
  console.log(`seed ${seed} (repeat with TEST_SEED=${seed})`);
  const stores = await embeddedStores();
  try {
    const run = new BalanceRun(stores, seeded(seed));
    for (let step = 0; step < 600; step++) {
      await run.step();
      await run.check();
    }
    assert.ok(run.model.counts.stored > 50 && run.model.counts.duplicates > 5 && run.model.counts.quarantined > 5);
  } finally {
    await stores.close();
  }
});

class BalanceRun {
  readonly model: Model = {
    counts: { received: 0, stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 },
    stored: new Map(),
    failures: new Map(),
    records: 0,
  };
  readonly #stores: Stores;
  readonly #below: (below: number) => number;
  readonly #committed: Outcome[] = [];

  constructor(stores: Stores, below: (below: number) => number) {
    this.#stores = stores;
    this.#below = below;
  }

  async step(): Promise<void> {
    const { records, queue, wait } = this.#stores;
    const choice = this.#below(14);
    if (choice < 5) await this.#commitObject();
    else if (choice < 6) await this.#redeliver();
    else if (choice < 7) await this.#change("retry");
    else if (choice < 8) await this.#change("discard");
    else if (choice < 9) await this.#change("edit");
    else if (choice < 10) await this.#discardAll();
    else if (choice < 12) await this.#replay();
    else for (const message of await queue.receive(3)) await this.#attempt(message);
    if (this.#below(4) === 0) await wait(500);
    // A stale state takes everything of its commit back.
    if (this.#below(10) === 0) {
      const stale = outcome({ records: [recordDraft()], states: [{ rule: "r", key: "", version: 9, stateJson: "1" }] });
      await assert.rejects(records.commit([stale]), { code: "STATE_STALE" });
    }
  }

  async check(): Promise<void> {
    const { database, counters } = this.#stores;
    const counts = await counters(tenant, stream);
    assert.deepEqual(counts, this.model.counts);
    const { received, ...rest } = counts;
    assert.equal(
      received,
      Object.values(rest).reduce((sum, count) => sum + count, 0),
    );
    const rows = (sql: string) => database.get<{ n: number }>(sql)?.n;
    assert.equal(rows("SELECT count(*) AS n FROM records"), this.model.records);
    const identities = "(SELECT hash FROM identities UNION ALL SELECT hash FROM identities_recent)";
    assert.equal(rows(`SELECT count(*) AS n FROM ${identities}`), this.model.stored.size);
    assert.equal(rows("SELECT sum(length(record_ids)) / 16 AS n FROM record_batches") ?? 0, this.model.records);
    assert.equal(rows("SELECT sum(count) AS n FROM rollups WHERE field = ''") ?? 0, counts.stored);
    const states = [...this.model.failures.values()].map(({ state }) => state);
    for (const state of ["quarantined", "dead"] as const) {
      assert.equal(rows(`SELECT count(*) AS n FROM failures WHERE state = '${state}'`), counts[state]);
      assert.equal(states.filter((one) => one === state).length, counts[state]);
    }
    const objects = ["stored", "dropped", "quarantined", "dead", "retrying", "duplicates"].join(" + ");
    assert.equal(rows(`SELECT sum(${objects}) AS n FROM objects`) ?? 0, received);
    this.#checkIssues();
  }

  /** Issues against the failures that are there: nothing expires here. */
  #checkIssues(): void {
    const { database } = this.#stores;
    // An issue whose failures have all moved to others stays for a while.
    assert.deepEqual(
      database.all(`SELECT fingerprint, total, waiting, recovered, discarded FROM issues WHERE total > 0
        ORDER BY fingerprint`),
      database.all(`SELECT fingerprint, count(*) AS total, sum(state IN ('quarantined', 'dead', 'retrying')) AS waiting,
        sum(state = 'recovered') AS recovered, sum(state = 'discarded') AS discarded FROM failures
        GROUP BY fingerprint ORDER BY fingerprint`),
    );
    assert.deepEqual(
      database.all("SELECT fingerprint FROM issues WHERE (waiting = 0) <> (state = 'resolved')"),
      [],
      "an issue is resolved while none of its failures waits",
    );
    assert.deepEqual(
      database.all(`SELECT id FROM issues WHERE NOT EXISTS (SELECT 1 FROM failures
        WHERE failures.id = example_id AND failures.fingerprint = issues.fingerprint) AND total > 0`),
      [],
      "the example is one of its failures",
    );
    const hours = "SELECT fingerprint, hour, sum(count) AS count FROM issue_hours JOIN issues ON issue = number";
    assert.deepEqual(
      database.all(`${hours} GROUP BY fingerprint, hour ORDER BY fingerprint, hour`),
      database.all(`SELECT fingerprint, first_seen_at / 3600000 AS hour, count(*) AS count FROM failures
        GROUP BY fingerprint, hour ORDER BY fingerprint, hour`),
    );
  }

  async #commitObject(): Promise<void> {
    const outcomes = Array.from({ length: 1 + this.#below(3) }, () => {
      const parts = Array.from({ length: 1 + this.#below(20) }, (_, index) => this.#part(newRawKey(), index));
      return this.#object(parts);
    });
    for (const one of outcomes) this.model.counts.received += one.meta.events;
    const judged = this.#below(3) === 0 ? await this.#stores.records.judge(outcomes) : null;
    const results = await this.#stores.records.commit(outcomes);
    if (judged !== null) assert.deepEqual(judged, results);
    for (const [index, one] of outcomes.entries()) this.#apply(one, results[index]);
    this.#committed.push(...outcomes);
  }

  #object(parts: readonly Partial<Outcome>[]): Outcome {
    return outcome({
      records: parts.flatMap(({ records = [] }) => records),
      failures: parts.flatMap(({ failures = [] }) => failures),
      retries: parts.flatMap(({ retries = [] }) => retries),
      dropped: parts.reduce((sum, { dropped = 0 }) => sum + dropped, 0),
    });
  }

  /** What one event became. Few identities and contents, so that they meet. */
  #part(rawKey: string, index: number): Partial<Outcome> {
    const choice = this.#below(12);
    if (choice === 0) return { dropped: 1 };
    if (choice === 1) return { retries: [{ index, attempts: 1, delayMillis: this.#below(2000) }] };
    if (choice === 2) {
      const { identity, contentHash, eventId } = this.#record(index);
      const state = this.#below(2) === 0 ? "dead" : "quarantined";
      const fingerprint = String(this.#below(4)).padStart(16, "0");
      return { failures: [failureDraft(rawKey, { index, state, identity, contentHash, eventId, fingerprint })] };
    }
    return { records: [this.#record(index)] };
  }

  #record(index: number): RecordDraft {
    const eventId = this.#below(3) === 0 ? null : `event ${this.#below(200)}`;
    return recordDraft({ index, eventId, data: eventId === null ? index : this.#below(10) === 0 ? "other" : "usual" });
  }

  async #redeliver(): Promise<void> {
    const again = this.#committed[this.#below(this.#committed.length)];
    if (again === undefined) return;
    assert.equal(only(await this.#stores.records.commit([again])).applied, false);
  }

  /** Any failure there ever was. */
  #anyFailure(): readonly [id: string, failure: ModelFailure] | null {
    const entries = [...this.model.failures];
    return entries[this.#below(Math.max(1, entries.length))] ?? null;
  }

  async #change(action: "retry" | "discard" | "edit"): Promise<void> {
    const [id, failure] = this.#anyFailure() ?? [];
    if (id === undefined || failure === undefined) return;
    const { failures } = this.#stores;
    const edit = { patch: [], by: "ana", at: 0, reason: null, sha256: "" };
    const call = {
      retry: () => failures.retry(tenant, id, null, auditDraft()),
      discard: () => failures.discard(tenant, id, null, "test", auditDraft()),
      edit: () => failures.edit(tenant, id, null, this.#below(3) === 0 ? null : edit, auditDraft()),
    }[action];
    if (failure.state !== "quarantined" && failure.state !== "dead") {
      await assert.rejects(call, { code: "STATE_CONFLICT" });
      return;
    }
    await call();
    if (action === "edit") return;
    this.model.counts[failure.state]--;
    this.model.counts[action === "retry" ? "retrying" : "dropped"]++;
    failure.state = action === "retry" ? "retrying" : "discarded";
  }

  async #discardAll(): Promise<void> {
    const picked = Array.from({ length: this.#below(4) }, () => this.#anyFailure());
    const ids = picked.map((one) => one?.[0] ?? "fail_none");
    const results = await this.#stores.failures.discardAll(tenant, ids, "test");
    for (const [index, one] of picked.entries()) {
      const failure = one?.[1];
      const waits = failure?.state === "quarantined" || failure?.state === "dead";
      assert.equal(results[index], failure === undefined ? "gone" : waits ? "discarded" : "skipped");
      if (failure === undefined || !waits) continue;
      this.model.counts[failure.state as "quarantined" | "dead"]--;
      this.model.counts.dropped++;
      failure.state = "discarded";
    }
  }

  /** A job takes up to three failures in one commit; sometimes one that it may not take. */
  async #replay(): Promise<void> {
    const { records, failures } = this.#stores;
    const ids = new Set(Array.from({ length: 1 + this.#below(3) }, () => this.#anyFailure()?.[0] ?? "fail_none"));
    const outcomes: Outcome[] = [];
    for (const loaded of await failures.load(tenant, [...ids])) {
      if (loaded === null) continue;
      const { head: failure } = loaded;
      const subject = {
        kind: "failure",
        failureId: failure.id,
        attempt: failure.attempts + 1,
        jobId: "job_1",
      } as const;
      const { rawKey, rawIndex } = failure;
      outcomes.push(outcome({ ...this.#part(rawKey, rawIndex), rawKey, subject }));
    }
    const judged = await records.judge(outcomes);
    const results = await records.commit(outcomes);
    assert.deepEqual(judged, results);
    for (const [index, one] of outcomes.entries()) {
      assert.ok(one.subject.kind === "failure");
      const state = this.model.failures.get(one.subject.failureId)?.state;
      const waits = state === "quarantined" || state === "dead";
      assert.equal(results[index]?.applied, waits);
      if (!waits) continue;
      this.model.counts[state]--;
      this.#apply(one, results[index]);
    }
    for (const result of await records.commit(outcomes)) assert.equal(result.applied, false);
  }

  /** An event or a failure is tried again; sometimes the message is delivered twice. */
  async #attempt(message: WorkMessage): Promise<void> {
    const { work } = message;
    const one = await this.#outcomeOf(work);
    if (one === null) return;
    const result = only(await this.#stores.records.commit([one]));
    if (result.applied) {
      this.model.counts.retrying--;
      this.#apply(one, result);
    }
    assert.equal(only(await this.#stores.records.commit([one])).applied, false);
    if (this.#below(5) > 0) await this.#stores.queue.acknowledge(message);
  }

  async #outcomeOf(work: Work): Promise<Outcome | null> {
    if (work.kind === "event") {
      const subject = { kind: "event", index: work.index, attempt: work.attempt } as const;
      const part = this.#part(work.rawKey, work.index);
      const retries = part.retries?.map((retry) => ({ ...retry, attempts: work.attempt }));
      return outcome({ ...part, ...(retries ? { retries } : {}), rawKey: work.rawKey, subject });
    }
    if (work.kind !== "failure") return null;
    const failure = await this.#stores.failures.get(tenant, work.failureId);
    assert.ok(failure);
    const subject = { kind: "failure", failureId: work.failureId, attempt: work.attempt, jobId: null } as const;
    return outcome({ ...this.#part(failure.rawKey, failure.rawIndex), rawKey: failure.rawKey, subject });
  }

  /** The same rules as the store's, event by event, in maps. */
  #apply(one: Outcome, result: OutcomeResult | undefined): void {
    const { counts } = this.model;
    const before = { ...counts };
    const conflicts = one.records.filter((record) => !this.#applyRecord(record));
    for (const draft of one.failures) {
      const identity = draft.identity === null ? null : String(draft.identity);
      this.#applyFailure(one, draft.id, draft.state, identity, draft.contentHash);
    }
    for (const { index, identity, contentHash } of conflicts) {
      this.#applyFailure(one, `conflict ${one.rawKey} ${index}`, "quarantined", String(identity), contentHash, true);
    }
    counts.dropped += one.dropped;
    counts.retrying += one.retries.length;
    const failure = one.subject.kind === "failure" ? this.model.failures.get(one.subject.failureId) : undefined;
    if (failure) {
      failure.attempts++;
      const ended = one.failures.length === 0 && one.retries.length === 0 && counts.quarantined === before.quarantined;
      if (ended) failure.state = "recovered";
      if (one.retries.length > 0) failure.state = "retrying";
    }
    for (const name of ["stored", "dropped", "quarantined", "dead", "duplicates"] as const) {
      assert.equal(result?.[name], counts[name] - before[name], name);
    }
  }

  /** False for a conflict. */
  #applyRecord(record: RecordDraft): boolean {
    const { counts, stored } = this.model;
    const identity = record.identity === null ? null : String(record.identity);
    const known = identity === null ? undefined : stored.get(identity);
    if (known !== undefined) {
      if (known === record.contentHash) counts.duplicates++;
      return known === record.contentHash;
    }
    counts.stored++;
    this.model.records++;
    if (identity !== null) stored.set(identity, record.contentHash);
    return true;
  }

  #applyFailure(
    one: Outcome,
    id: string,
    state: "quarantined" | "dead",
    identity: string | null,
    content: number,
    conflict = false,
  ): void {
    const { counts, stored, failures } = this.model;
    if (one.subject.kind === "failure") {
      const failure = failures.get(one.subject.failureId);
      assert.ok(failure);
      failure.state = state;
      counts[state]++;
      return;
    }
    const waiting = [...failures.values()].some(
      (failure) =>
        failure.identity === identity &&
        failure.content === content &&
        ["quarantined", "dead", "retrying"].includes(failure.state),
    );
    if (identity !== null && (waiting || stored.get(identity) === content)) {
      counts.duplicates++;
      return;
    }
    counts[state]++;
    const realId = conflict ? this.#conflictId(one, id) : id;
    failures.set(realId, { state, attempts: 1, identity, content });
  }

  /** The store made up the id of a conflict; it is the newest failure at that place. */
  #conflictId(one: Outcome, id: string): string {
    const index = Number(id.slice(id.lastIndexOf(" ") + 1));
    const row = this.#stores.database.get<{ id: string }>(
      "SELECT id FROM failures WHERE raw_key = ? AND raw_index = ? AND class = 'conflict'",
      one.rawKey,
      index,
    );
    assert.ok(row);
    return row.id;
  }
}
