import assert from "node:assert/strict";
import type { StoredDetectorState } from "../../../../src/model/anomaly.ts";
import { conflictDraft } from "../../../../src/model/conflict-draft.ts";
import type { FailureDraft } from "../../../../src/model/failure.ts";
import type { Outcome } from "../../../../src/model/outcome.ts";
import { type RecordDraft, recordIdText } from "../../../../src/model/record.ts";
import type { Work } from "../../../../src/ports/work-queue.ts";

/** What the store says of a race that a model cannot foresee: which of several equal events came first. */
export interface Winners {
  /** The record under the identity in this record id. */
  recordOf(
    id: Uint8Array,
    stream: string,
  ): { readonly rawKey: string; readonly index: number; readonly content: number } | null;
  hasFailure(id: string): boolean;
}

export interface Counted {
  stored: number;
  dropped: number;
  quarantined: number;
  dead: number;
  retrying: number;
  duplicates: number;
}

type ExpectedFailure = Pick<FailureDraft, "id" | "state" | "code" | "attempts" | "fingerprint" | "class" | "stage"> & {
  readonly rawKey: string;
  readonly rawIndex: number;
  readonly payloadBytes: number;
  readonly stream: string;
};

export interface Sums {
  count: number;
  min: number;
  max: number;
  sum: number;
}

const noEvents: Counted = { stored: 0, dropped: 0, quarantined: 0, dead: 0, retrying: 0, duplicates: 0 };
const minuteMillis = 60_000;

/** The store as it is after these commits when nothing goes wrong: written from the contracts of the ports, not from an adapter. */
export class ExpectedState {
  readonly counters = new Map<string, Counted & { received: number }>();
  /** By raw key. */
  readonly objects = new Map<string, Counted>();
  readonly records = new Map<string, object>();
  readonly failures = new Map<string, ExpectedFailure>();
  readonly anomalies = new Map<string, object>();
  readonly notifications = new Map<string, { readonly suppressed: number }>();
  readonly states = new Map<string, StoredDetectorState>();
  /** By stream, field and minute. */
  readonly rollups = new Map<string, Sums>();
  /** As JSON. */
  readonly works = new Set<string>();
  readonly #groups = new Map<string, { readonly at: number; readonly suppressed: number }>();

  loadStates = async (_tenant: string, keys: readonly { readonly rule: string; readonly key: string }[]) =>
    keys.map(
      ({ rule, key }) =>
        this.states.get(`${rule} ${key}`) ?? { rule, key, version: 0, stateJson: "null", falsePositives: 0 },
    );

  apply(outcome: Outcome, now: number, winners: Winners): void {
    const { meta, rawKey, subject } = outcome;
    const counted: Counted = { ...noEvents, dropped: outcome.dropped, retrying: outcome.retries.length };
    const stored = new Map<number, string>();
    const conflicts: RecordDraft[] = [];
    for (const event of eventsOf(outcome.records)) {
      const standing = standingOf(event, outcome, winners);
      if (standing === "conflict") conflicts.push(event.first);
      else if (standing === "duplicate") counted.duplicates++;
      else {
        counted.stored++;
        stored.set(event.first.index, recordIdText(event.first.id));
        this.#store(event, outcome);
      }
    }
    const attempts = subject.kind === "object" ? 1 : subject.attempt;
    const drafts = [...outcome.failures, ...conflicts.map((one) => conflictDraft(one, rawKey, meta, attempts))];
    for (const draft of drafts) {
      if (winners.hasFailure(draft.id)) {
        counted[draft.state]++;
        this.#fail(draft, outcome);
      } else {
        assert.notEqual(draft.identity, null, `failure ${draft.id} of ${rawKey} is not lost`);
        counted.duplicates++;
      }
    }
    this.#detect(outcome, stored, now);
    this.#count(outcome, counted);
    for (const { index, attempts: made } of outcome.retries) {
      const { tenant, stream } = meta;
      this.works.add(workText({ kind: "event", tenant, stream, rawKey, index, attempt: made + 1 }));
    }
  }

  #store({ parts, first }: EventDrafts, { meta, rawKey, rollupFields }: Outcome): void {
    for (const { id, dataJson, time, numbers } of parts) {
      this.records.set(recordIdText(id), { rawKey, rawIndex: first.index, dataJson, time, stream: meta.stream });
      for (const [place, field] of rollupFields.entries()) this.#roll(meta.stream, field, time, numbers[place]);
    }
    this.#roll(meta.stream, "", first.time, 0);
  }

  #roll(stream: string, field: string, time: number, value: number | undefined): void {
    if (value === undefined || Number.isNaN(value)) return;
    const name = `${stream} ${field} ${Math.floor(time / minuteMillis) * minuteMillis}`;
    const { count, min, max, sum } = this.rollups.get(name) ?? { count: 0, min: value, max: value, sum: 0 };
    this.rollups.set(name, {
      count: count + 1,
      min: Math.min(min, value),
      max: Math.max(max, value),
      sum: sum + value,
    });
  }

  #fail(draft: FailureDraft, { rawKey, meta }: Outcome): void {
    const { id, state, code, attempts, fingerprint, index, original } = draft;
    const known = {
      id,
      state,
      code,
      attempts,
      fingerprint,
      rawKey,
      rawIndex: index,
      payloadBytes: original.byteLength,
    };
    this.failures.set(id, { ...known, class: draft.class, stage: draft.stage, stream: meta.stream });
  }

  #detect({ anomalies, states, notifications }: Outcome, stored: ReadonlyMap<number, string>, now: number): void {
    for (const { id, rule, key, value, index, verdict, incident } of anomalies) {
      const recordId = index === null ? null : stored.get(index);
      if (recordId === undefined) continue;
      this.anomalies.set(id, { id, rule, key, value, recordId, score: verdict.score, why: verdict.why, incident });
    }
    for (const state of states) {
      this.states.set(`${state.rule} ${state.key}`, { ...state, version: state.version + 1, falsePositives: 0 });
    }
    for (const { id, group, cooldownMillis, incident } of notifications) {
      if (this.notifications.has(id)) continue;
      const { follows, more } = incident ?? { follows: [], more: 0 };
      if (follows.length > 0) {
        if (follows.some((one) => this.notifications.has(one))) this.notifications.set(id, { suppressed: 0 });
        continue;
      }
      const before = this.#groups.get(group);
      if (before !== undefined && now - before.at < cooldownMillis) {
        this.#groups.set(group, { ...before, suppressed: before.suppressed + 1 + more });
        continue;
      }
      this.#groups.set(group, { at: now, suppressed: more });
      this.notifications.set(id, { suppressed: before?.suppressed ?? 0 });
    }
  }

  #count({ meta, rawKey, subject }: Outcome, counted: Counted): void {
    const isObject = subject.kind === "object";
    const events = Object.values(counted).reduce((sum, one) => sum + one, 0);
    assert.equal(events, isObject ? meta.events : 1, `each event of ${rawKey} is in one place`);
    if (!isObject) counted.retrying--;
    const stream = this.counters.get(meta.stream) ?? { received: 0, ...noEvents };
    const object = this.objects.get(rawKey) ?? { ...noEvents };
    for (const name of Object.keys(noEvents) as (keyof Counted)[]) {
      stream[name] += counted[name];
      object[name] += counted[name];
    }
    if (isObject) stream.received += meta.events;
    this.counters.set(meta.stream, stream);
    this.objects.set(rawKey, object);
  }
}

export function workText({ ...work }: Work): string {
  return JSON.stringify(work, Object.keys(work).sort());
}

interface EventDrafts {
  readonly first: RecordDraft;
  readonly parts: readonly RecordDraft[];
}

function eventsOf(drafts: readonly RecordDraft[]): EventDrafts[] {
  return [...Map.groupBy(drafts, ({ index }) => index).values()].flatMap((parts) => {
    const [first] = parts;
    return first === undefined ? [] : [{ first, parts }];
  });
}

function standingOf(
  { first }: EventDrafts,
  { rawKey, meta }: Outcome,
  winners: Winners,
): "stored" | "duplicate" | "conflict" {
  const winner = winners.recordOf(first.id, meta.stream);
  assert(winner !== null, `event ${first.index} of ${rawKey} (${first.eventId}) is not lost`);
  if (winner.rawKey === rawKey && winner.index === first.index) return "stored";
  return winner.content === first.contentHash ? "duplicate" : "conflict";
}
