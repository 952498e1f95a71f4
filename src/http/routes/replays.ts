import { hash, randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { EventPulseError } from "../../model/error.ts";
import type { JobDraft } from "../../model/job.ts";
import { auditDraft } from "../audit-draft.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { idempotencyKeyHeader, idempotencyKeyOf } from "../idempotency-key.ts";
import { etagHeader } from "../if-match.ts";
import { jobExample, jobJson, jobPlanExample, jobPlanSchema, jobPlanView, jobSchema } from "../job-json.ts";
import { jsonBodyProblems, readJsonBody } from "../json-body.ts";
import {
  actionOf,
  mendingOf,
  type ReplayRequest,
  replayBytesMax,
  replayRequestSchema,
  selectionOf,
} from "../replay-request.ts";
import { respondJson, respondJsonText } from "../respond.ts";
import type { KnownScope } from "../scope.ts";

/** Long enough to notice a mistake. */
const graceSecondsDefault = 3_600;

const startReplay = endpoint(
  {
    method: "POST",
    path: "/v1/replays",
    operationId: "startReplay",
    summary: "Plan, try or start work on many failures",
    description:
      "Replays, discards or processes again all that is selected. A plan is answered at once; a dry run and a run are jobs. " +
      "With `Idempotency-Key`, sending the same request again answers with the same job.",
    tag: "jobs",
    headers: idempotencyKeyHeader,
    body: {
      "application/json": {
        schema: replayRequestSchema,
        example: { select: { issue: "iss_9d7c5f20e3ab" }, mode: "run", recipe: "numbers-from-texts", canary: 10 },
      },
    },
    responses: {
      200: {
        description: "The plan; nothing was changed.",
        content: { "application/json": { schema: jobPlanSchema, example: jobPlanExample } },
      },
      202: {
        description: "The job.",
        headers: { ...etagHeader, Location: "The job, to see how it goes." },
        content: { "application/json": { schema: jobSchema, example: jobExample } },
      },
    },
    problems: [
      ...(["ISSUE_UNKNOWN", "STREAM_UNKNOWN", "RECIPE_UNKNOWN", "RECIPE_INVALID", "SELECTION_EMPTY"] as const),
      ...(["REASON_MISSING", "STATE_CONFLICT", "TOO_BUSY"] as const),
      ...jsonBodyProblems,
    ],
  },
  async (call) => {
    const { request, environment, services, principal } = call;
    const key = idempotencyKeyOf(request);
    const wanted = await readJsonBody(request, environment, replayRequestSchema, { bytesMax: replayBytesMax });
    const draft = await draftOf(call, wanted, key);
    const { mode, action } = draft;
    if (wanted.mode === "plan") {
      const plan = await services.jobs.plan(principal.tenant, draft.selection);
      return respondJson(call, 200, jobPlanView(plan));
    }
    const items = draft.selection.kind === "ids" ? { items: draft.selection.ids.length } : {};
    const audit = auditDraft(call, "job.start", draft.id, {
      reason: draft.reason,
      details: { ...items, mode, action },
    });
    const job = await services.jobs.create(draft, audit);
    const asked = [action, mode, draft.selection];
    if (!isDeepStrictEqual([job.action, job.mode, job.selection], asked)) {
      throw new EventPulseError(
        "STATE_CONFLICT",
        `This Idempotency-Key has started ${job.id} with another request; take a new key.`,
      );
    }
    const location = `/v1/jobs/${encodeURIComponent(job.id)}`;
    return respondJsonText(call, 202, jobJson(job), { location, etag: `"${job.version}"` });
  },
);

/** The job that is asked for; a plan is checked like the run that may follow it. */
async function draftOf(scope: KnownScope, wanted: ReplayRequest, key: string | null): Promise<JobDraft> {
  const { tenant, name } = scope.principal;
  const action = actionOf(wanted);
  const mode = wanted.mode === "run" ? "run" : "dry-run";
  const waits = action === "discard" && mode === "run";
  return {
    id: key === null ? freshId() : `job_${hash("sha256", JSON.stringify([tenant, key]), "hex").slice(0, 32)}`,
    tenant,
    action,
    mode,
    selection: await selectionOf(scope, wanted),
    mending: mendingOf(scope.services, wanted.recipe),
    canary: wanted.canary ?? null,
    ratePerSecond: wanted.ratePerSecond ?? null,
    createdBy: name,
    reason: wanted.reason ?? null,
    graceMillis: waits ? (wanted.graceSeconds ?? graceSecondsDefault) * 1000 : 0,
  };
}

/** 12 digits of time, so that ids sort by it, and 20 random ones. */
function freshId(): string {
  return `job_${Date.now().toString(16).padStart(12, "0")}${randomBytes(10).toString("hex")}`;
}

export const replaysRoutes: readonly Endpoint[] = [startReplay];
