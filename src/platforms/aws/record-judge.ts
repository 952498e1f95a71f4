import type { RecordDraft } from "../../model/record.ts";
import { keyText } from "./item.ts";
import { type RecordItem, recordKey } from "./record-items.ts";

/** What tells who a record is and where it came from. */
export type RecordMark = Pick<RecordItem, "i" | "r" | "n" | "c">;

export interface AcceptedRecord {
  readonly draft: RecordDraft;
  /** Of the records that one event became. */
  readonly first: boolean;
}

/** What became of the record drafts of one outcome, counted in events. */
export interface JudgedRecords {
  stored: number;
  duplicates: number;
  /** The first draft of each event whose identity is stored with other content. */
  readonly conflicts: RecordDraft[];
  readonly accepted: AcceptedRecord[];
  /** `evt_…` of each event that is stored, by its index: its first record. */
  readonly recordIds: Map<number, string>;
  /** Record of the last event: the new one, or the one it duplicates. */
  lastRecordId: string | null;
}

export interface RecordPlace {
  readonly tenant: string;
  readonly stream: string;
  readonly rawKey: string;
}

type Standing = "new" | "duplicate" | "conflict";

/**
 * Decides event by event, as the records come. `stored` holds what is stored under their identities, by `keyText`. A record
 * of the same raw object and place is one that an earlier try of this same commit has written: it counts as new.
 */
export function judgeRecords(
  drafts: readonly RecordDraft[],
  place: RecordPlace,
  stored: ReadonlyMap<string, RecordMark>,
): JudgedRecords {
  const judge = new RecordJudge(place, stored);
  for (const event of byEvent(drafts)) judge.judge(event);
  return judge.judged;
}

/** The drafts of each event. */
export function byEvent(drafts: readonly RecordDraft[]): RecordDraft[][] {
  const events: RecordDraft[][] = [];
  for (const draft of drafts) {
    const last = events.at(-1);
    if (last?.[0]?.index === draft.index) last.push(draft);
    else events.push([draft]);
  }
  return events;
}

class RecordJudge {
  readonly judged: JudgedRecords = {
    stored: 0,
    duplicates: 0,
    conflicts: [],
    accepted: [],
    recordIds: new Map(),
    lastRecordId: null,
  };
  readonly #place: RecordPlace;
  readonly #stored: ReadonlyMap<string, RecordMark>;
  /** What was accepted before in this outcome. */
  readonly #own = new Map<string, RecordMark>();

  constructor(place: RecordPlace, stored: ReadonlyMap<string, RecordMark>) {
    this.#place = place;
    this.#stored = stored;
  }

  /**
   * The first record decides for its event. One of the others that is stored already is left out; one that meets other
   * content makes the whole event a conflict, so that no event is stored by half.
   */
  judge(drafts: readonly RecordDraft[]): void {
    const { judged } = this;
    const [first] = drafts;
    if (first === undefined) return;
    const found = drafts.map((draft) => this.#find(draft));
    const standings = drafts.map((draft, part) => standingOf(draft, found[part] ?? null));
    if (standings[0] === "duplicate") {
      judged.duplicates++;
      judged.lastRecordId = `evt_${found[0]?.i}`;
      return;
    }
    if (standings.includes("conflict")) {
      judged.conflicts.push(first);
      return;
    }
    for (const [part, draft] of drafts.entries()) {
      if (standings[part] === "new") this.#accept(draft, part === 0);
    }
  }

  #accept(draft: RecordDraft, first: boolean): void {
    const { judged } = this;
    const i = Buffer.from(draft.id).toString("hex");
    if (draft.identity !== null) {
      const key = keyText(recordKey(this.#place, draft));
      if (this.#own.has(key)) return;
      this.#own.set(key, { i, r: this.#place.rawKey, n: draft.index, c: draft.contentHash });
    }
    judged.accepted.push({ draft, first });
    if (!first) return;
    judged.stored++;
    judged.recordIds.set(draft.index, `evt_${i}`);
    judged.lastRecordId = `evt_${i}`;
  }

  /** What has this identity already, unless it is this record itself. */
  #find(draft: RecordDraft): RecordMark | null {
    if (draft.identity === null) return null;
    const key = keyText(recordKey(this.#place, draft));
    const own = this.#own.get(key);
    if (own !== undefined) return own;
    const stored = this.#stored.get(key);
    return stored === undefined || isOwn(stored, this.#place, draft) ? null : stored;
  }
}

/** Whether the record was written for this same event. */
export function isOwn(
  record: Pick<RecordMark, "r" | "n">,
  { rawKey }: Pick<RecordPlace, "rawKey">,
  { index }: Pick<RecordDraft, "index">,
): boolean {
  return record.r === rawKey && record.n === index;
}

function standingOf({ contentHash }: RecordDraft, found: RecordMark | null): Standing {
  if (found === null) return "new";
  return found.c === contentHash ? "duplicate" : "conflict";
}
