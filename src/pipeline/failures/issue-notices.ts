import type { Project, StreamDefinition } from "../../model/definition.ts";
import { type ErrorCode, errorCodes } from "../../model/error.ts";
import type { FailureClass } from "../../model/failure.ts";
import type { Issue, IssueNotice } from "../../model/issue.ts";
import type { NotificationDraft } from "../../model/notification.ts";
import type { IssueLog, UnnoticedIssue } from "../../ports/issue-log.ts";
import { noticeId } from "../notify/notice-id.ts";
import { oneLine } from "../notify/one-line.ts";

/** A new issue is told this long after it was first seen, so that the whole of its batch is counted. */
export const newIssueDelayMillis = 2_000;
/** An issue that was not seen for this long has stopped. */
export const issueQuietMillis = 30 * 60 * 1000;
/** Totals that are told: this and ten, a hundred, a thousand times as much. */
const thresholdFirst = 10;
/** Issues of one pass. A pass comes every second, so this bounds what it costs, not what is told. */
const issuesPerPassMax = 100;

/**
 * Notices of one tenant's stream that go out one by one within `floodMillis`. A map by id whose values are wrong makes an issue of
 * every key: past this number the notices of the stream are held back, counted and sent once per `floodMillis`.
 */
const noticesPerFloodMax = 20;
const floodMillis = 60 * 60 * 1000;

/** What is to be kept as the issue's notice, and who is told. */
export interface IssueDecision {
  readonly notice: IssueNotice | null;
  readonly notifications: readonly NotificationDraft[];
}

/**
 * Decides what the owner of a stream is told about an issue: that it is new, that it came back after it was resolved, that
 * its total has reached 10, 100, 1,000 and so on (the highest since the last notice), and that it has stopped. An ignored
 * issue is never told, an acknowledged one at thresholds only, a resolved one not until it regresses. Null: nothing can be
 * decided yet. `stream` null: it is not in the config any more, and the notice is for the inbox.
 */
export function issueNotice(
  unnoticed: UnnoticedIssue,
  stream: StreamDefinition | null,
  now: number,
): IssueDecision | null {
  const { issue, notice } = unnoticed;
  const quiet = issue.lastSeenAt <= now - issueQuietMillis;
  const news = newsOf(unnoticed, quiet);
  if (news === "new" && now - issue.firstSeenAt < newIssueDelayMillis) return null;
  if (news === null && notice === null) return { notice: null, notifications: [] };
  // One that is over when it is told (the process was down) is told once, not a second later again as stopped.
  const kind = quiet ? "stopped" : (news ?? notice?.kind ?? "new");
  const at = news === null && notice !== null ? notice.at : now;
  return {
    notice: { kind, state: issue.state, total: issue.total, at },
    notifications: news === null ? [] : [draftOf(issue, news, stream, now)],
  };
}

function newsOf({ issue, notice }: UnnoticedIssue, quiet: boolean): IssueNotice["kind"] | null {
  const { state, total } = issue;
  if (state === "ignored" || state === "resolved") return null;
  if (state === "regressed" && notice?.state !== "regressed") return "regressed";
  if (notice === null) return state === "acknowledged" ? null : "new";
  if (thresholdReached(total) > notice.total) return "threshold";
  return quiet && notice.kind !== "stopped" && state !== "acknowledged" && total > 1 ? "stopped" : null;
}

/** The highest threshold that is not above `total`; 0: none. */
function thresholdReached(total: number): number {
  let reached = 0;
  for (let threshold = thresholdFirst; threshold <= total; threshold *= 10) reached = threshold;
  return reached;
}

export interface NoticeIssuesOptions {
  readonly issues: Pick<IssueLog, "unnoticed" | "settleNotice">;
  readonly project: Project;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Notices of a tenant's stream since the flood window began; in memory only, for a restart may tell a few more. Per log, as in `deliverDue`. */
const floodsByLog = new WeakMap<object, Map<string, { readonly since: number; told: number }>>();

/**
 * One pass over the issues of which something happened. Answers how many notices it decided. Throws what the log throws;
 * what was not settled is decided again by the next pass.
 */
export async function noticeIssues({ issues, project, clock }: NoticeIssuesOptions): Promise<number> {
  const now = clock();
  const floods = floodsByLog.get(issues) ?? new Map<string, { since: number; told: number }>();
  floodsByLog.set(issues, floods);
  let told = 0;
  for (const unnoticed of await issues.unnoticed(now - issueQuietMillis, issuesPerPassMax)) {
    const { issue } = unnoticed;
    const decision = issueNotice(unnoticed, project.streams.get(issue.stream) ?? null, now);
    if (decision === null) continue;
    const place = `${issue.tenant}\n${issue.stream}`;
    const flood = floods.get(place);
    const current = flood !== undefined && now - flood.since < floodMillis ? flood : { since: now, told: 0 };
    floods.set(place, current);
    current.told += decision.notifications.length;
    const notifications =
      current.told <= noticesPerFloodMax ? decision.notifications : decision.notifications.map(held);
    await issues.settleNotice(issue, decision.notice, notifications);
    told += notifications.length;
  }
  return told;
}

/** The same notice, as one of the many of its stream: the notification log sends one of them per window and counts the rest. */
function held(draft: NotificationDraft): NotificationDraft {
  return { ...draft, group: `failures:${draft.stream}`, cooldownMillis: floodMillis };
}

function draftOf(
  issue: Issue,
  kind: IssueNotice["kind"],
  stream: StreamDefinition | null,
  now: number,
): NotificationDraft {
  const { id, tenant, state, total, waiting, code, pointer, exampleId, firstSeenAt } = issue;
  const about = [tenant, id, firstSeenAt, kind, total].join("\n");
  return {
    id: noticeId(about),
    tenant,
    topic: "failures",
    stream: issue.stream,
    subject: subjectOf(issue, kind),
    text: textOf(issue, kind, stream, now),
    data: { issue: id, stream: issue.stream, kind, state, total, waiting, code, pointer, exampleId },
    destinations: stream?.owner ?? [],
    // What was decided here is told: the log holds nothing back.
    group: `failures:${issue.stream}:${id}`,
    cooldownMillis: 0,
    incident: null,
  };
}

function subjectOf(issue: Issue, kind: IssueNotice["kind"]): string {
  const cause = `(${issue.code}${issue.pointer === "" ? "" : ` at ${oneLine(issue.pointer, 100)}`})`;
  switch (kind) {
    case "new":
      return `${issue.stream}: ${eventsText(issue.total)} set aside ${cause}`;
    case "regressed":
      return `${issue.stream}: fails again after it was resolved ${cause}`;
    case "threshold":
      return `${issue.stream}: ${eventsText(thresholdReached(issue.total))} have failed ${cause}`;
    case "stopped":
      return `${issue.stream}: no failure for ${minutesText(issueQuietMillis)} ${cause}`;
  }
}

function textOf(issue: Issue, kind: IssueNotice["kind"], stream: StreamDefinition | null, now: number): string {
  const { total, waiting, contractVersion } = issue;
  const contract = contractVersion === "" || contractVersion === "none" ? [] : [`Contract version: ${contractVersion}`];
  return [
    openingOf(issue, kind),
    "",
    `Reason: ${reasonOf(issue)}`,
    ...contract,
    `Failures: ${numberText(total)} in all, ${numberText(waiting)} of them ${waiting === 1 ? "waits" : "wait"} for you, with the bytes as they were sent.`,
    `Seen: first ${timeText(issue.firstSeenAt)}, last ${timeText(issue.lastSeenAt)}.`,
    ...retentionLines(issue, stream, now),
    "",
    `See it: eventpulse issues show ${issue.id}`,
    adviceOf[issue.class],
    `What a replay would do: eventpulse failures replay --issue ${issue.id} --plan`,
  ].join("\n");
}

function openingOf({ stream, total, lastSeenAt }: Issue, kind: IssueNotice["kind"]): string {
  const next = `You will hear of it again when ${numberText(thresholdReached(total) * 10 || thresholdFirst)} have failed.`;
  switch (kind) {
    case "new":
      return `${eventsText(total)} of the stream "${stream}" could not be processed, for a reason not seen before. ${next}`;
    case "regressed":
      return `Events of the stream "${stream}" fail again, for a reason that was taken to be resolved.`;
    case "threshold":
      return `${eventsText(total)} of the stream "${stream}" have failed for one reason. ${next}`;
    case "stopped":
      return [
        `No event of the stream "${stream}" has failed for this reason since ${timeText(lastSeenAt)}.`,
        `${next} Resolve it when its cause is gone: then the next failure is told at once.`,
      ].join("\n");
  }
}

/** Texts of errors that code threw may quote what it worked on: their title has to do. */
const quotingCodes: ReadonlySet<string> = new Set<ErrorCode>([
  "TRANSFORM_THREW",
  "TRANSFORM_RESULT_INVALID",
  "INTERNAL",
]);

function reasonOf({ code, detail, pointer }: Issue): string {
  const what = quotingCodes.has(code) ? errorCodes[code as ErrorCode].title : oneLine(detail, 300);
  return `${code}${pointer === "" ? "" : ` at ${oneLine(pointer, 200)}`}: ${what}`;
}

function retentionLines(
  { firstSeenAt, waiting }: Issue,
  stream: StreamDefinition | null,
  now: number,
): readonly string[] {
  if (stream === null || waiting === 0) return [];
  const first = firstSeenAt + stream.retention.failures;
  return first > now
    ? [`Kept: retention removes the first at about ${timeText(first)}.`]
    : ["Kept: retention has begun to remove the oldest; the plan of a replay says when the next goes."];
}

const correctEvents = "Mend: correct the contract, or edit the events; then replay.";
const correctCode = "Mend: correct the code or what it depends on; then replay.";
const adviceOf = {
  invalid: correctEvents,
  conflict: "Mend: send the event under an identity of its own, or discard it: what came first stays as it is.",
  security: correctEvents,
  bug: correctCode,
  transient: correctCode,
  poison: correctCode,
} as const satisfies Record<FailureClass, string>;

function eventsText(count: number): string {
  return count === 1 ? "1 event" : `${numberText(count)} events`;
}

function numberText(count: number): string {
  return count.toLocaleString("en-US");
}

function minutesText(millis: number): string {
  return `${millis / 60_000} minutes`;
}

function timeText(time: number): string {
  // A retention may be longer than dates go.
  return `${new Date(Math.min(time, Date.UTC(9999, 11, 31))).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
