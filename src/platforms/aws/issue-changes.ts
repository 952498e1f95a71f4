import type { Failure, FailureDraft } from "../../model/failure.ts";
import { causePointer } from "../../model/identity.ts";
import type { IssueState } from "../../model/issue.ts";
import { hourMillis, type IssueHour, issueHourItem, issueItem, type StoredIssue } from "./issue-items.ts";
import { entityOf, type Item, type ItemKey, keyText } from "./item.ts";
import { allShards, itemKeys, listKeys, shards } from "./item-keys.ts";
import { type StoredFailure, storedFailure } from "./stored-failure.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** What an issue needs to know of a failure. */
export type IssueMember = Pick<Failure, "id" | "tenant" | "stream" | "fingerprint" | "firstSeenAt" | "expiresAt">;

/** What a failure says of its cause. */
type Cause = Pick<FailureDraft, "class" | "stage" | "code" | "errors" | "contractVersion">;

/** By how much one issue changes in a commit. */
interface IssueChange {
  /** The failure that brought it up. */
  readonly member: IssueMember;
  readonly key: ItemKey;
  /** The first failure that came to it; null: none did. */
  cause: FailureDraft | null;
  exampleId: string | null;
  /** One of its failures was recovered, discarded, or turned out to have another cause. */
  ended: boolean;
  /** Failures that are not its own any more: they have another cause, or have expired. */
  readonly left: Set<string>;
  total: number;
  waiting: number;
  recovered: number;
  discarded: number;
  firstSeenAt: number;
  lastSeenAt: number;
  failuresUntil: number;
  /** Start of the hour: failures that were first seen in it. */
  readonly hours: Map<number, number>;
}

/** Failures of an issue that are looked at for a new example. */
const examplesMax = 10;

/**
 * Gathers what happens to failures in one commit, then writes each issue and its hours once. Belongs to every unit that
 * writes, ends or expires failures; `quarantined`, `dead` and `retrying` ones are waiting.
 */
export class IssueChanges {
  readonly #changes = new Map<string, IssueChange>();

  /** A new failure. */
  added(member: IssueMember, cause: FailureDraft, now: number): void {
    const change = this.#seen(member, now);
    change.cause ??= cause;
    change.exampleId = member.id;
    change.total++;
    change.waiting++;
    change.firstSeenAt = Math.min(change.firstSeenAt, member.firstSeenAt);
    addToHour(change, member, 1);
  }

  /** A failure that waits was seen again, or failed again. With `cause` it fails for that one now: it leaves one issue for another. */
  again(member: IssueMember, cause: FailureDraft | null, now: number): void {
    if (cause === null || cause.fingerprint === member.fingerprint) {
      this.#seen(member, now);
      return;
    }
    const change = this.#change(member);
    change.ended = true;
    change.left.add(member.id);
    change.total--;
    change.waiting--;
    addToHour(change, member, -1);
    this.added({ ...member, fingerprint: cause.fingerprint }, cause, now);
  }

  /** A failure that waited is over. */
  ended(member: IssueMember, as: "recovered" | "discarded"): void {
    const change = this.#change(member);
    change.ended = true;
    change.waiting--;
    change[as]++;
  }

  /** A failure has expired: from then on it is in `total` alone. */
  expired(member: IssueMember, from: "waiting" | "recovered" | "discarded"): void {
    const change = this.#change(member);
    change.left.add(member.id);
    change[from]--;
  }

  /** Of all items that `write` would write. */
  keys(): readonly ItemKey[] {
    return [...this.#changes.values()].flatMap((change) => [change.key, ...hourKeys(change)]);
  }

  /** Reads and writes, within the unit, those items whose key passes `part`; may be called again for a new unit after a lost race. */
  async write(unit: UnitOfWork, part: (key: ItemKey) => boolean): Promise<void> {
    await unit.loadAll(this.keys().filter(part));
    for (const change of this.#changes.values()) {
      if (part(change.key)) await writeIssue(unit, change);
      for (const [time, count] of change.hours) {
        const key = hourKey(change, time);
        if (part(key)) await writeHour(unit, key, change, time, count);
      }
    }
  }

  #seen(member: IssueMember, now: number): IssueChange {
    const change = this.#change(member);
    change.lastSeenAt = Math.max(change.lastSeenAt, now);
    return change;
  }

  #change(member: IssueMember): IssueChange {
    const { tenant, fingerprint, expiresAt } = member;
    const name = `${tenant}\n${fingerprint}`;
    let change = this.#changes.get(name);
    if (change === undefined) {
      change = {
        member,
        key: itemKeys.issue(tenant, issueId(fingerprint)),
        cause: null,
        exampleId: null,
        ended: false,
        left: new Set(),
        total: 0,
        waiting: 0,
        recovered: 0,
        discarded: 0,
        firstSeenAt: Number.POSITIVE_INFINITY,
        lastSeenAt: 0,
        failuresUntil: 0,
        hours: new Map(),
      };
      this.#changes.set(name, change);
    }
    change.failuresUntil = Math.max(change.failuresUntil, expiresAt);
    return change;
  }
}

export function issueId(fingerprint: string): string {
  return `iss_${fingerprint}`;
}

function addToHour({ hours }: IssueChange, { firstSeenAt }: IssueMember, count: number): void {
  const time = Math.floor(firstSeenAt / hourMillis) * hourMillis;
  hours.set(time, (hours.get(time) ?? 0) + count);
}

function hourKey({ member: { tenant, fingerprint } }: IssueChange, time: number): ItemKey {
  return itemKeys.issueHour(tenant, issueId(fingerprint), time);
}

function hourKeys(change: IssueChange): ItemKey[] {
  return [...change.hours.keys()].map((time) => hourKey(change, time));
}

async function writeHour(
  unit: UnitOfWork,
  key: ItemKey,
  { member: { tenant, fingerprint } }: IssueChange,
  time: number,
  change: number,
): Promise<void> {
  if (change === 0) return;
  const item = await unit.load(key);
  const count = change + (item === null ? 0 : entityOf<IssueHour>(item).count);
  if (count === 0) unit.delete(key);
  else unit.put(issueHourItem(tenant, issueId(fingerprint), time, count));
}

async function writeIssue(unit: UnitOfWork, change: IssueChange): Promise<void> {
  const item = await unit.load(change.key);
  const issue = item === null ? await newIssue(unit, change) : changedIssue(entityOf<StoredIssue>(item), change);
  if (issue === null) return;
  unit.put(issueItem(change.left.size === 0 ? issue : await withExample(unit, issue, change)));
}

function changedIssue(issue: StoredIssue, change: IssueChange): StoredIssue {
  const waiting = issue.waiting + change.waiting;
  const state = nextState(issue.state, change, waiting);
  return {
    ...issue,
    state,
    version: issue.version + (state === issue.state ? 0 : 1),
    unnoticed: issue.unnoticed || state !== issue.state || change.exampleId !== null,
    total: issue.total + change.total,
    waiting,
    recovered: issue.recovered + change.recovered,
    discarded: issue.discarded + change.discarded,
    firstSeenAt: Math.min(issue.firstSeenAt, change.firstSeenAt),
    lastSeenAt: Math.max(issue.lastSeenAt, change.lastSeenAt),
    failuresUntil: Math.max(issue.failuresUntil, change.failuresUntil),
    exampleId: change.exampleId ?? issue.exampleId,
  };
}

/** Null: there is no issue, and nothing to begin one with. */
async function newIssue(unit: UnitOfWork, change: IssueChange): Promise<StoredIssue | null> {
  const { member, total, waiting, recovered, discarded, lastSeenAt, failuresUntil } = change;
  // Failures are written before the commit that counts them, so somebody may end one before its issue is there.
  const cause: Cause | null = change.cause ?? (await causeOf(unit, member));
  if (cause === null) return null;
  return {
    id: issueId(member.fingerprint),
    tenant: member.tenant,
    stream: member.stream,
    fingerprint: member.fingerprint,
    class: cause.class,
    stage: cause.stage,
    code: cause.code,
    pointer: causePointer(cause.errors),
    detail: cause.errors[0]?.detail ?? "",
    contractVersion: cause.contractVersion,
    state: nextState("open", change, waiting),
    owner: null,
    note: null,
    firstSeenAt: Math.min(change.firstSeenAt, member.firstSeenAt),
    lastSeenAt: Math.max(lastSeenAt, member.firstSeenAt),
    total,
    waiting,
    recovered,
    discarded,
    exampleId: change.exampleId ?? member.id,
    version: 1,
    notice: null,
    unnoticed: true,
    failuresUntil,
  };
}

async function causeOf(unit: UnitOfWork, { id, fingerprint }: IssueMember): Promise<StoredFailure | null> {
  const failure = storedFailure(await unit.load(itemKeys.failure(id)), unit.table.clock());
  return failure?.fingerprint === fingerprint ? failure : null;
}

/** What a commit makes of the state, see `IssueState`. Expiry resolves nothing: what expires was not mended. */
function nextState(state: IssueState, { cause, ended }: IssueChange, waiting: number): IssueState {
  if (state === "ignored") return state;
  if (ended && waiting <= 0) return "resolved";
  return state === "resolved" && cause !== null ? "regressed" : state;
}

/** Takes the failure that was seen last when the example has left; without one the example stays, gone as it is. */
async function withExample(unit: UnitOfWork, issue: StoredIssue, { left }: IssueChange): Promise<StoredIssue> {
  const isMember = (item: Item | null | undefined) => {
    const failure = storedFailure(item, unit.table.clock());
    return failure?.fingerprint === issue.fingerprint && !left.has(failure.id);
  };
  if (isMember(await unit.load(itemKeys.failure(issue.exampleId)))) return issue;
  // The list follows the table: what it names is looked up.
  const { tenant, fingerprint } = issue;
  const lists = allShards(shards.failures).map((shard) =>
    unit.table.query({
      index: "g2",
      partition: listKeys.failuresOfIssue(tenant, fingerprint, shard),
      descending: true,
      limit: left.size + examplesMax,
    }),
  );
  const items = (await Promise.all(lists)).flatMap((list) => list.items).sort(latestFirst);
  const found = await unit.table.getAll(items);
  const [example] = items.filter((item) => isMember(found.get(keyText(item))));
  return example === undefined ? issue : { ...issue, exampleId: entityOf<StoredFailure>(example).id };
}

function latestFirst(left: Item, right: Item): number {
  return (left.g2s ?? "") > (right.g2s ?? "") ? -1 : 1;
}
