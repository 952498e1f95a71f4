import type { OutcomeResult } from "../../model/outcome.ts";
import { addToCounters } from "./counters.ts";
import { stateKey } from "./detector-states.ts";
import { IssueChanges } from "./issue-changes.ts";
import { keyText } from "./item.ts";
import { itemKeys, shardOf, shards } from "./item-keys.ts";
import type { Outbox } from "./outbox.ts";
import {
  bytesPerPageMax as bytesTogetherMax,
  itemsPerPageMax as itemsTogetherMax,
  outcomePages,
  type PagePart,
  type Progress,
  pageOf,
  partNames,
  progressItem,
  progressKey,
  progressOf,
} from "./outcome-pages.ts";
import { notApplied, type PreparedOutcome, partKeys, partsOf, writeAnomalies, writeParts } from "./prepared-outcome.ts";
import { endSubject, type SubjectStanding, subjectKeys, subjectStanding } from "./subject-standing.ts";
import type { Table } from "./table.ts";
import { transaction, type UnitOfWork } from "./unit-of-work.ts";

/** An outcome that waits for others to share its transaction with. */
interface Waiting {
  readonly ready: PreparedOutcome;
  result: OutcomeResult;
}

/** The transactions of one commit: small outcomes share one, large ones have several. */
export class OutcomeCommit {
  readonly #table: Table;
  readonly #outbox: Pick<Outbox, "add">;
  readonly #now: number;
  #waiting: Waiting[] = [];
  /** Names of what the waiting ones write. */
  #names = new Set<string>();
  #bytes = 0;

  constructor(table: Table, outbox: Pick<Outbox, "add">, now: number) {
    this.#table = table;
    this.#outbox = outbox;
    this.#now = now;
  }

  /** Commits the outcome now or with the next ones, in the order of the calls. Answers with what says how it went, after `flush`. */
  async add(ready: PreparedOutcome, progress: Progress | null): Promise<() => OutcomeResult> {
    const parts = partsOf(ready);
    const pages = progress?.pages ?? outcomePages(parts);
    if (pages > 1) {
      await this.flush();
      const result = await this.#commitPages(ready, progress ?? { pages, done: 0, tally: ready.tally });
      return () => result;
    }
    await this.#makeRoom(ready, parts);
    const waiting: Waiting = { ready, result: notApplied() };
    this.#waiting.push(waiting);
    return () => waiting.result;
  }

  /** Commits those that wait. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#names = new Set();
    this.#bytes = 0;
    if (waiting.length === 0) return;
    for (const { ready } of waiting) await writeAnomalies(this.#table, ready, () => true);
    const results = await transaction(this.#table, async (unit) => {
      await unit.loadAll(waiting.flatMap(({ ready }) => this.#keysOf(ready, () => true)));
      const written: OutcomeResult[] = [];
      for (const { ready } of waiting) written.push(await this.#writeWhole(unit, ready));
      return written;
    });
    for (const [index, one] of waiting.entries()) one.result = results[index] ?? notApplied();
  }

  /** Commits those that wait when this one does not fit. A state is written once in a transaction: each write counts in its version. */
  async #makeRoom(ready: PreparedOutcome, parts: readonly PagePart[]): Promise<void> {
    const { states, meta, rawKey } = ready.outcome;
    const names = [...subjectNames(ready)];
    for (const [index, { name, items, isOwn = false }] of parts.entries()) {
      if (!isOwn) names.push(name);
      else for (let item = 0; item < items; item++) names.push(`${rawKey} ${index} ${item}`);
    }
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const together = new Set([...this.#names, ...names]).size;
    const isFull = together > itemsTogetherMax || this.#bytes + bytes > bytesTogetherMax;
    const meets = states.some((state) => this.#names.has(partNames.state(meta.tenant, state)));
    if (isFull || meets) await this.flush();
    for (const name of names) this.#names.add(name);
    this.#bytes += bytes;
  }

  async #commitPages(ready: PreparedOutcome, from: Progress): Promise<OutcomeResult> {
    let progress: Progress | null = from;
    while (progress !== null && progress.done < progress.pages) {
      const { pages, done }: Progress = progress;
      const isMine = (name: string) => pageOf(name, pages) === done;
      await writeAnomalies(this.#table, ready, isMine);
      progress = await this.#commitPage(ready, progress, isMine);
    }
    return progress === null ? notApplied() : resultOf(ready, progress);
  }

  /** How far the outcome is then, be it by another delivery of it; null: that one has finished it. */
  async #commitPage(
    ready: PreparedOutcome,
    from: Progress,
    isMine: (name: string) => boolean,
  ): Promise<Progress | null> {
    const { outcome } = ready;
    return transaction(this.#table, async (unit) => {
      await unit.loadAll([...this.#keysOf(ready, isMine), progressKey(outcome)]);
      const subject = await subjectStanding(unit, outcome);
      if (subject.applied) return null;
      const found = progressOf(await unit.load(progressKey(outcome)));
      if (found !== null && (found.done !== from.done || found.pages !== from.pages)) return found;
      const progress = { ...from, done: from.done + 1, tally: found?.tally ?? from.tally };
      await writeParts(unit, ready, this.#outbox, this.#now, isMine);
      if (progress.done < progress.pages) {
        unit.put(progressItem(outcome, progress));
      } else {
        await this.#finish(unit, { ...ready, tally: progress.tally }, subject);
        unit.delete(progressKey(outcome));
      }
      return progress;
    });
  }

  async #writeWhole(unit: UnitOfWork, ready: PreparedOutcome): Promise<OutcomeResult> {
    const subject = await subjectStanding(unit, ready.outcome);
    if (subject.applied) return notApplied();
    await writeParts(unit, ready, this.#outbox, this.#now, () => true);
    await this.#finish(unit, ready, subject);
    return resultOf(ready, ready);
  }

  /** Marker, counters and what becomes of the subject. */
  async #finish(unit: UnitOfWork, ready: PreparedOutcome, subject: SubjectStanding): Promise<void> {
    const { outcome } = ready;
    const { rawKey, meta } = outcome;
    const isObject = outcome.subject.kind === "object";
    const issues = new IssueChanges();
    const change = await endSubject(unit, outcome, subject, ready, this.#now, issues);
    await issues.write(unit, () => true);
    await addToCounters(unit, meta.tenant, meta.stream, rawKey, isObject ? meta.events : 0, change);
    if (isObject) unit.delete(itemKeys.pending(rawKey));
  }

  #keysOf(ready: PreparedOutcome, isMine: (name: string) => boolean) {
    const { outcome } = ready;
    const { meta, rawKey, states } = outcome;
    return [
      ...subjectKeys(outcome),
      itemKeys.counters(meta.tenant, meta.stream, shardOf(rawKey, shards.counters)),
      ...states.map((state) => stateKey(meta.tenant, state)).filter((key) => isMine(keyText(key))),
      ...partKeys(ready, isMine),
    ];
  }
}

function resultOf({ recordId }: PreparedOutcome, { tally }: Pick<Progress, "tally">): OutcomeResult {
  return { applied: true, ...tally, recordId };
}

/** Items that end a subject, by names that are the same where outcomes share one; rather too many than too few. */
function subjectNames({ outcome, failure, draft }: PreparedOutcome): string[] {
  const { rawKey, meta } = outcome;
  const counters = keyText(itemKeys.counters(meta.tenant, meta.stream, shardOf(rawKey, shards.counters)));
  const own = ["marker", "pending", "attempt"].map((name) => `${rawKey} ${name}`);
  if (failure === null) return [counters, ...own];
  const hour = Math.floor(failure.firstSeenAt / 3_600_000);
  const issues = [failure.fingerprint, draft?.fingerprint ?? failure.fingerprint];
  return [counters, ...own, failure.id, ...issues.flatMap((issue) => [`issue ${issue}`, `issue ${issue} ${hour}`])];
}
