import * as z from "zod";
import { failureClasses, failureStages } from "../model/failure.ts";
import { type Issue, issueStates } from "../model/issue.ts";
import { described, named, timeText } from "./described.ts";

const fields = {
  id: described("`iss_` and the fingerprint.", z.string()),
  stream: z.string(),
  fingerprint: z.string(),
  class: z.enum(failureClasses),
  stage: z.enum(failureStages),
  code: z.string(),
  pointer: described("Where in the event, as a JSON Pointer; `*` for an index of a list.", z.string()),
  detail: described("What its first failure said.", z.string()),
  contractVersion: z.string(),
  state: described("`regressed`: it was resolved, and came again.", z.enum(issueStates)),
  owner: described("Who cares for it.", z.string().nullable()),
  note: z.string().nullable(),
  firstSeenAt: timeText("Its first failure."),
  lastSeenAt: timeText("Its last failure."),
  total: described("Failures ever; those that retention has removed are in no other count.", z.int()),
  waiting: described("Failures that wait to be mended.", z.int()),
  recovered: z.int(),
  discarded: z.int(),
  exampleId: described("A failure of it.", z.string()),
  version: described("Counts changes of state, owner and note; the ETag.", z.int()),
};

export const issueSchema = named("Issue", "Failures with one cause.", z.object(fields));

export const issueExample = {
  id: "iss_9d7c5f20e3ab",
  stream: "orders",
  fingerprint: "9d7c5f20e3ab",
  class: "invalid" as const,
  stage: "validate" as const,
  code: "CONTRACT_BROKEN",
  pointer: "/total",
  detail: "must be a number",
  contractVersion: "4be1c0a29f11",
  state: "open" as const,
  owner: null,
  note: null,
  firstSeenAt: "2026-01-31T12:00:00.412Z",
  lastSeenAt: "2026-01-31T14:07:11.020Z",
  total: 214,
  waiting: 201,
  recovered: 10,
  discarded: 3,
  exampleId: "fail_019c13d0a7b24e6f8a51c0de",
  version: 1,
};

export const issueWithTrendSchema = named(
  "IssueWithTrend",
  "An issue, and how often it came lately.",
  z.object({
    ...fields,
    trend: described(
      "New failures of the last 24 hours, by hour; hours without any are left out.",
      z.array(z.object({ time: timeText("Start of the hour."), count: z.int() })),
    ),
  }),
);

/** An issue as the API shows it. */
export function issueView({ tenant: _, ...issue }: Issue): z.input<typeof issueSchema> {
  return {
    ...issue,
    firstSeenAt: new Date(issue.firstSeenAt).toISOString(),
    lastSeenAt: new Date(issue.lastSeenAt).toISOString(),
  };
}

/** The same as JSON text. */
export function issueJson(issue: Issue): string {
  return JSON.stringify(issueView(issue));
}
