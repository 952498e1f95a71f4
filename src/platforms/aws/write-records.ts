import { EventPulseError } from "../../model/error.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { RecordDraft } from "../../model/record.ts";
import { indexPages, type RecordDays } from "./index-pages.ts";
import { keyText } from "./item.ts";
import { type RecordItem, type RecordOrigin, recordItem, recordKey } from "./record-items.ts";
import { byEvent, isOwn, type JudgedRecords, judgeRecords } from "./record-judge.ts";
import type { Table } from "./table.ts";

/** Looks at what is stored, when others store the same identities at the same time. */
const triesMax = 8;

/**
 * Stores the records of an outcome before the transaction that counts them, and says what became of each. Doing it again
 * for the same raw object writes the same and says the same. An event that became one record, as most do, costs one
 * conditional write and no read.
 */
export async function writeRecords(table: Table, days: RecordDays, outcome: Outcome): Promise<JudgedRecords> {
  const { records: drafts, rawKey, meta, expiresAt } = outcome;
  const { tenant, stream, receivedAt } = meta;
  const origin: RecordOrigin = { tenant, stream, rawKey, receivedAt, expiresAt: expiresAt.records };
  const writer = new RecordWriter(table, drafts, origin);
  const judged = await writer.write();
  if (judged.accepted.length === 0) return judged;
  const items = judged.accepted.map(({ draft }) => writer.item(draft));
  await table.putAll(indexPages(tenant, stream, rawKey, items, expiresAt.records));
  await days.note(
    tenant,
    stream,
    judged.accepted.map(({ draft }) => draft.time),
    expiresAt.records,
  );
  return judged;
}

class RecordWriter {
  readonly #table: Table;
  readonly #drafts: readonly RecordDraft[];
  readonly #origin: RecordOrigin;
  readonly #items = new Map<RecordDraft, RecordItem>();
  /** What was there when its key was written or read, by `keyText`. */
  readonly #stored = new Map<string, RecordItem>();
  readonly #written = new Set<RecordDraft>();

  constructor(table: Table, drafts: readonly RecordDraft[], origin: RecordOrigin) {
    this.#table = table;
    this.#drafts = drafts;
    this.#origin = origin;
  }

  item(draft: RecordDraft): RecordItem {
    let item = this.#items.get(draft);
    if (item === undefined) {
      item = recordItem(draft, this.#origin);
      this.#items.set(draft, item);
    }
    return item;
  }

  async write(): Promise<JudgedRecords> {
    const together = this.#together();
    const identified = this.#drafts.filter(({ identity }) => identity !== null);
    await this.#putNew(identified.filter((draft) => !together.has(draft)));
    for (let tries = 0; tries < triesMax; tries++) {
      await this.#look([...together]);
      const judged = judgeRecords(this.#drafts, this.#origin, this.#stored);
      const missing = judged.accepted.filter(({ draft }) => together.has(draft) && !this.#written.has(draft));
      const [firsts, others] = [true, false].map((which) =>
        missing.filter(({ first }) => first === which).map(({ draft }) => draft),
      );
      // The first record of an event decides who of two that store the same at once goes on to the others.
      if ((await this.#putNew(firsts ?? [])) && (await this.#putNew(others ?? []))) {
        await this.#putRest(judged.accepted.map(({ draft }) => draft));
        return judged;
      }
    }
    throw new EventPulseError("TOO_BUSY", "Too many send events with the same identities at once; try again.");
  }

  /** Drafts that are decided together with others: those of one event, and those of one identity. */
  #together(): ReadonlySet<RecordDraft> {
    const byKey = Map.groupBy(
      this.#drafts.filter(({ identity }) => identity !== null),
      (draft) => keyText(recordKey(this.#origin, draft)),
    );
    const groups = [...byEvent(this.#drafts), ...byKey.values()].filter((group) => group.length > 1);
    return new Set(groups.flat().filter(({ identity }) => identity !== null));
  }

  async #look(drafts: readonly RecordDraft[]): Promise<void> {
    if (drafts.length === 0) return;
    const found = await this.#table.getAll(drafts.map((draft) => recordKey(this.#origin, draft)));
    for (const [key, item] of found) this.#stored.set(key, item as RecordItem);
  }

  /** False when one of them met a record of somebody else. */
  async #putNew(drafts: readonly RecordDraft[]): Promise<boolean> {
    const answers = await this.#table.putAllNew(drafts.map((draft) => this.item(draft)));
    let all = true;
    for (const [index, draft] of drafts.entries()) {
      const there = answers[index] as RecordItem | null | undefined;
      if (there == null) {
        this.#written.add(draft);
      } else {
        this.#stored.set(keyText(there), there);
        all &&= isOwn(there, this.#origin, draft);
      }
    }
    return all;
  }

  /** What needs no look, and what an earlier try has written otherwise than it is now. */
  async #putRest(accepted: readonly RecordDraft[]): Promise<void> {
    const rest = accepted.filter((draft) => {
      if (draft.identity === null) return true;
      const stored = this.#stored.get(keyText(recordKey(this.#origin, draft)));
      return !this.#written.has(draft) && stored !== undefined && !sameRecord(stored, this.item(draft));
    });
    const items = new Map(rest.map((draft) => [keyText(this.item(draft)), this.item(draft)]));
    await this.#table.putAll([...items.values()]);
  }
}

function sameRecord(left: RecordItem, right: RecordItem): boolean {
  return (
    left.i === right.i &&
    left.c === right.c &&
    left.e === right.e &&
    left.a === right.a &&
    Buffer.compare(left.d, right.d) === 0
  );
}
