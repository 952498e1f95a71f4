import type { DetectorState } from "../../model/anomaly.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import type { Outcome } from "../../model/outcome.ts";
import type { Tally } from "./counters.ts";
import { stateKey } from "./detector-states.ts";
import { entityOf, type Item, type ItemKey, keyText, ttlOf } from "./item.ts";
import { itemKeys, shardOf } from "./item-keys.ts";
import { subjectText } from "./subject-standing.ts";

/**
 * An outcome that needs more items than one transaction takes is committed in pages, one transaction each. What belongs to
 * which page follows from the name of an item and the number of pages alone. The first page makes the item of the progress,
 * each further one counts in it, and the last one, which has marker and counters, removes it. A redelivery goes on
 * behind the last page that is done: what it computes anew for the pages before is left out, for those states know of this
 * object already.
 */
export interface Progress {
  readonly pages: number;
  /** Pages committed so far. */
  readonly done: number;
  /** As the first page found it. */
  readonly tally: Tally;
}

/** What stays together, by name. */
export interface PagePart {
  readonly name: string;
  readonly items: number;
  readonly bytes: number;
  /** No other outcome writes these items, also under the same name. Left out: it is one item, which others may write too. */
  readonly isOwn?: boolean;
}

/**
 * With those that end a subject (marker, counters, pending item, progress, an attempt, or a failure with its issues before and
 * after: a dozen) less than the 100 that DynamoDB takes in one transaction.
 */
export const itemsPerPageMax = 80;
/** What pages are planned for: parts are spread by hash, so some pages get more. */
const itemsPerPage = 50;
/** DynamoDB takes 4 MB in one transaction. */
export const bytesPerPageMax = 3_000_000;
const bytesPerPage = 1_500_000;
/** Numbers of pages that are looked at when hashes fall badly. */
const plansMax = 32;

/** How many pages take these parts; 1 as long as one transaction does. */
export function outcomePages(parts: readonly PagePart[]): number {
  const [items, bytes] = [sum(parts, "items"), sum(parts, "bytes")];
  if (items <= itemsPerPageMax && bytes <= bytesPerPageMax) return 1;
  const first = Math.max(2, Math.ceil(items / itemsPerPage), Math.ceil(bytes / bytesPerPage));
  for (let pages = first; pages < first + plansMax; pages++) {
    const byPage = [...Map.groupBy(parts, ({ name }) => pageOf(name, pages)).values()];
    if (byPage.every((part) => sum(part, "items") <= itemsPerPageMax && sum(part, "bytes") <= bytesPerPageMax)) {
      return pages;
    }
  }
  return first + plansMax;
}

export function pageOf(name: string, pages: number): number {
  return pages === 1 ? 0 : shardOf(name, pages);
}

/**
 * Names of parts. Notifications of a group stay together, as its cooldown decides about them in their order; those of an
 * incident with the state that knows of it, for once that is committed nobody would decide them again.
 */
export const partNames = {
  state: (tenant: string, state: Pick<DetectorState, "rule" | "key">) => keyText(stateKey(tenant, state)),
  item: (key: ItemKey) => keyText(key),
  notification: ({ tenant, group, incident }: NotificationDraft) =>
    incident === null ? `notifications ${group}` : partNames.state(tenant, incident),
  work: (rawKey: string, index: number) => `work ${rawKey} ${index}`,
} as const;

export function progressKey(outcome: Pick<Outcome, "rawKey" | "subject">): ItemKey {
  return itemKeys.progress(outcome.rawKey, subjectText(outcome));
}

export function progressOf(item: Item | null): Progress | null {
  return item && entityOf<Progress>(item);
}

export function progressItem(outcome: Outcome, progress: Progress): Item {
  return { ...progressKey(outcome), j: JSON.stringify(progress), ttl: ttlOf(outcome.expiresAt.raw) };
}

function sum(parts: readonly PagePart[], what: "items" | "bytes"): number {
  return parts.reduce((total, part) => total + part[what], 0);
}
