import type { Issue, IssueNotice } from "../../model/issue.ts";
import { retentionMillisDefault } from "../../model/limits.ts";
import { type Item, ttlOf } from "./item.ts";
import { itemKeys, listKeys, timeAndId, timeText } from "./item-keys.ts";
import { failureGraceMillis } from "./stored-failure.ts";

/** An issue as kept: what people see, and what its owner was told. */
export interface StoredIssue extends Issue {
  readonly notice: IssueNotice | null;
  /** There are new failures or a new state since the notice was last decided. */
  readonly unnoticed: boolean;
  /** The latest expiry of its failures so far. */
  readonly failuresUntil: number;
}

/** An hour of a trend is kept at least so long. */
const hourKeptMillis = 400 * 24 * 60 * 60 * 1000;

/**
 * The item of an issue, with its place in the lists. It goes after its last failure has expired and 7 days after it was last
 * seen; the sweep of failures comes before that, which is why the grace is part of it.
 */
export function issueItem(issue: StoredIssue): Item {
  const { id, tenant, lastSeenAt, failuresUntil } = issue;
  const until = Math.max(failuresUntil, lastSeenAt + retentionMillisDefault) + 2 * failureGraceMillis;
  const notice = noticePlace(issue);
  return {
    ...itemKeys.issue(tenant, id),
    j: JSON.stringify(issue),
    ttl: ttlOf(until),
    g1p: listKeys.issues(tenant),
    g1s: timeAndId(lastSeenAt, id),
    ...(notice !== null && { g2p: listKeys.issuesUnnoticed, g2s: notice }),
  };
}

/** Sort keys of the issues that may ask for a notice: first the unnoticed ones, then those that may turn out quiet. */
export const noticePlaces = {
  unnoticed: { from: "0", to: "0~" },
  /** Not seen since `before`, exclusive. */
  quiet: (before: number) => ({ from: "1", to: `1#${timeText(before)}` }),
} as const;

function noticePlace({ unnoticed, notice, firstSeenAt, lastSeenAt, tenant, id }: StoredIssue): string | null {
  // What an unnoticed issue is sorted by does not change while it waits: such an issue is written often.
  if (unnoticed) return `0#${timeText(firstSeenAt)}#${tenant}#${id}`;
  if (notice === null || notice.kind === "stopped") return null;
  return `1#${timeText(lastSeenAt)}#${tenant}#${id}`;
}

/** What people see of it. */
export function toIssue({
  notice: _notice,
  unnoticed: _unnoticed,
  failuresUntil: _until,
  ...issue
}: StoredIssue): Issue {
  return issue;
}

export const hourMillis = 3_600_000;

export interface IssueHour {
  readonly count: number;
}

/** How many failures of an issue were first seen in the hour that starts at `time`. */
export function issueHourItem(tenant: string, id: string, time: number, count: number): Item {
  const hour: IssueHour = { count };
  return { ...itemKeys.issueHour(tenant, id, time), j: JSON.stringify(hour), ttl: ttlOf(time + hourKeptMillis) };
}
