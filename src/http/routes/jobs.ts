import * as z from "zod";
import type { AuditAction } from "../../model/audit.ts";
import { EventPulseError } from "../../model/error.ts";
import { itemResults, type Job, type JobItem, jobActions, jobStates } from "../../model/job.ts";
import { auditDraft } from "../audit-draft.ts";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { etagHeader, ifMatchHeader, wantedVersion } from "../if-match.ts";
import { jobExample, jobItemExample, jobItemSchema, jobJson, jobSchema } from "../job-json.ts";
import { jsonBodyProblems, readJsonBody } from "../json-body.ts";
import { listEndpoint } from "../list-endpoint.ts";
import { choiceParameter, reasonCharactersMax } from "../parameters.ts";
import { respondJsonText } from "../respond.ts";
import type { KnownScope } from "../scope.ts";

const params = { id: described("`job_…`", z.string()) };
const jobResponse = {
  description: "The job.",
  headers: etagHeader,
  content: { "application/json": { schema: jobSchema, example: jobExample } },
};

const listJobs = listEndpoint(
  {
    path: "/v1/jobs",
    operationId: "listJobs",
    summary: "List jobs",
    description: "Newest first.",
    tag: "jobs",
    query: {
      state: choiceParameter("In this state.", jobStates),
      action: choiceParameter("That do this.", jobActions),
    },
  },
  {
    name: "JobPage",
    words: "jobs",
    schema: jobSchema,
    example: jobExample,
    json: jobJson,
  },
  (call, query) => call.services.jobs.query(query),
);

// Without If-None-Match: its progress changes with every step, and its version only with the state.
const getJob = endpoint(
  {
    method: "GET",
    path: "/v1/jobs/{id}",
    operationId: "getJob",
    summary: "Get a job",
    tag: "jobs",
    params,
    responses: { 200: jobResponse },
    problems: ["JOB_UNKNOWN"],
  },
  async (call) => respondJob(call, await knownJob(call, call.params.id)),
);

const listJobItems = listEndpoint(
  {
    path: "/v1/jobs/{id}/items",
    operationId: "listJobItems",
    summary: "List the items of a job",
    description: "In the order in which they are worked on.",
    tag: "jobs",
    params,
    query: { result: choiceParameter("With this result; `todo`: still without one.", [...itemResults, "todo"]) },
    problems: ["JOB_UNKNOWN"],
  },
  {
    name: "JobItemPage",
    words: "items of a job",
    schema: jobItemSchema,
    example: jobItemExample,
    json: (row: JobItem) => JSON.stringify(row),
  },
  async (call, { tenant, ...query }) => {
    const { id } = await knownJob(call, call.params.id);
    return call.services.jobs.items(tenant, id, query);
  },
);

const changeSchema = named(
  "JobChange",
  "Why a job is changed.",
  z.strictObject({ reason: z.string().min(1).max(reasonCharactersMax).optional() }),
);

/** One way to change the state of a job. */
function changeJob(
  verb: "pause" | "resume" | "cancel",
  to: "paused" | "running" | "cancelled",
  summary: string,
  description: string,
): Endpoint {
  const action = `job.${verb}` satisfies AuditAction;
  return endpoint(
    {
      method: "POST",
      path: `/v1/jobs/{id}/${verb}`,
      operationId: `${verb}Job`,
      summary,
      description,
      tag: "jobs",
      params,
      headers: ifMatchHeader,
      body: { "application/json": { schema: changeSchema, example: { reason: "too many still fail" } } },
      bodyOptional: true,
      responses: { 200: jobResponse },
      problems: ["JOB_UNKNOWN", "STATE_CONFLICT", "ETAG_STALE", ...jsonBodyProblems],
    },
    async (call) => {
      const { reason = null } = await readJsonBody(call.request, call.environment, changeSchema, { fallback: {} });
      const { id, version: current } = await knownJob(call, call.params.id);
      const version = wantedVersion(call.request, current);
      const audit = auditDraft(call, action, id, { reason });
      const job = await call.services.jobs.change(call.principal.tenant, id, version, to, audit);
      if (job === null) throw unknownJob();
      return respondJob(call, job);
    },
  );
}

async function knownJob({ services, principal }: KnownScope, id: string): Promise<Job> {
  const job = await services.jobs.get(principal.tenant, id);
  if (job === null) throw unknownJob();
  return job;
}

function unknownJob(): EventPulseError {
  return new EventPulseError("JOB_UNKNOWN", "No job has this id; GET /v1/jobs lists them.");
}

function respondJob(scope: KnownScope, job: Job): Response {
  return respondJsonText(scope, 200, jobJson(job), { etag: `"${job.version}"` });
}

export const jobsRoutes: readonly Endpoint[] = [
  listJobs,
  getJob,
  listJobItems,
  changeJob("pause", "paused", "Pause a job", "After the step that runs now, if one does; resume goes on."),
  changeJob("resume", "running", "Resume a job", "One that is paused or cancelled goes on with what is still to do."),
  changeJob("cancel", "cancelled", "Cancel a job", "What is done stays done; the rest is left as it is."),
];
