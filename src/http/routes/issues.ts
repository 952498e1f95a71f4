import * as z from "zod";
import { issueStates, issueStatesByHand } from "../../model/issue.ts";
import { auditDraft } from "../audit-draft.ts";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { etagHeader, ifMatchHeader, wantedVersion } from "../if-match.ts";
import { issueExample, issueJson, issueSchema, issueView, issueWithTrendSchema } from "../issue-json.ts";
import { jsonBodyProblems, readJsonBody } from "../json-body.ts";
import { knownIssue, unknownIssue } from "../known-issue.ts";
import { listEndpoint } from "../list-endpoint.ts";
import { choiceParameter, textParameter } from "../parameters.ts";
import { respondJson, respondJsonText } from "../respond.ts";

const params = { id: described("`iss_…`", z.string()) };

const listIssues = listEndpoint(
  {
    path: "/v1/issues",
    operationId: "listIssues",
    summary: "List issues",
    description: "Failures grouped by cause, last seen first.",
    tag: "failures",
    query: {
      stream: textParameter("Of this stream."),
      state: choiceParameter("In this state.", issueStates),
      code: textParameter("With this code."),
    },
  },
  {
    name: "IssuePage",
    words: "issues",
    schema: issueSchema,
    example: issueExample,
    json: issueJson,
  },
  (call, query) => call.services.issues.query(query),
);

const hourMillis = 60 * 60 * 1000;
const trendHours = 24;

// Without If-None-Match: the counts change with every failure, and the version only with the state.
const getIssue = endpoint(
  {
    method: "GET",
    path: "/v1/issues/{id}",
    operationId: "getIssue",
    summary: "Get an issue",
    tag: "failures",
    params,
    responses: {
      200: {
        description: "The issue.",
        headers: etagHeader,
        content: {
          "application/json": {
            schema: issueWithTrendSchema,
            example: { ...issueExample, trend: [{ time: "2026-01-31T12:00:00.000Z", count: 214 }] },
          },
        },
      },
    },
    problems: ["ISSUE_UNKNOWN"],
  },
  async (call) => {
    const issue = await knownIssue(call, call.params.id);
    const since = (Math.floor(Date.now() / hourMillis) - trendHours + 1) * hourMillis;
    const { hours } = await call.services.issues.trend(call.principal.tenant, issue.id, since);
    const trend = hours.map(({ time, count }) => ({ time: new Date(time).toISOString(), count }));
    return respondJson(call, 200, { ...issueView(issue), trend }, { etag: `"${issue.version}"` });
  },
);

const changeSchema = named(
  "IssueChange",
  "What is done about an issue. What is left out stays as it is.",
  z
    .strictObject({
      state: z.enum(issueStatesByHand).optional(),
      owner: described("null removes it.", z.string().min(1).max(200).nullable()).optional(),
      note: described("null removes it.", z.string().max(1_000).nullable()).optional(),
    })
    .refine((change) => Object.values(change).some((value) => value !== undefined), {
      error: "Give state, owner or note",
    }),
);

const changeIssue = endpoint(
  {
    method: "PATCH",
    path: "/v1/issues/{id}",
    operationId: "changeIssue",
    summary: "Acknowledge, ignore, resolve or assign an issue",
    tag: "failures",
    params,
    headers: ifMatchHeader,
    body: {
      "application/json": { schema: changeSchema, example: { state: "acknowledged", owner: "ops@example.com" } },
    },
    responses: {
      200: {
        description: "The issue.",
        headers: etagHeader,
        content: {
          "application/json": {
            schema: issueSchema,
            example: { ...issueExample, state: "acknowledged", owner: "ops@example.com", version: 2 },
          },
        },
      },
    },
    problems: ["ISSUE_UNKNOWN", "ETAG_STALE", ...jsonBodyProblems],
  },
  async (call) => {
    const { state, owner, note } = await readJsonBody(call.request, call.environment, changeSchema);
    const { id, version: current } = await knownIssue(call, call.params.id);
    const version = wantedVersion(call.request, current);
    const change = {
      ...(state === undefined ? {} : { state }),
      ...(owner === undefined ? {} : { owner }),
      ...(note === undefined ? {} : { note }),
    };
    const { note: reason = null, ...details } = change;
    const audit = auditDraft(call, "issue.change", id, { reason, details });
    const issue = await call.services.issues.change(call.principal.tenant, id, version, change, audit);
    if (issue === null) throw unknownIssue();
    return respondJsonText(call, 200, issueJson(issue), { etag: `"${issue.version}"` });
  },
);

export const issuesRoutes: readonly Endpoint[] = [listIssues, getIssue, changeIssue];
