import * as z from "zod";
import { EventPulseError } from "../../model/error.ts";
import type { Failure, FailureEdit } from "../../model/failure.ts";
import { limits } from "../../model/limits.ts";
import { readPatch } from "../../pipeline/failures/apply-patch.ts";
import type { EditJudgement } from "../../pipeline/failures/edit.ts";
import { mask, maskPersonal } from "../../pipeline/failures/mask.ts";
import { auditDraft } from "../audit-draft.ts";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import {
  editExample,
  failureExample,
  failureSchema,
  failureView,
  patchSchema,
  personalFields,
} from "../failure-json.ts";
import { checkIfMatch, etagHeader } from "../if-match.ts";
import { jsonBodyProblems, readJsonBody } from "../json-body.ts";
import { knownPayload, orUnknown } from "../known-failure.ts";
import { booleanParameter, reasonParameter } from "../parameters.ts";
import { respondJson } from "../respond.ts";
import type { KnownScope } from "../scope.ts";

const previewSchema = named(
  "EditPreview",
  "What an edit would do; nothing was kept. Personal fields are masked.",
  z.object({
    before: described("The event as it was sent; null when it cannot be read.", z.unknown()),
    after: described("The event after the patch.", z.unknown()),
    outcome: z.enum(["stored", "dropped"]),
    results: described("Data of the records it would become.", z.array(z.unknown())),
  }),
);

const patchBody = { schema: patchSchema, example: editExample.patch };

/** A patch may replace a whole event. */
const patchBytesMax = limits.eventBytesMax + limits.commandBytesMax;

const editFailure = endpoint(
  {
    method: "PATCH",
    path: "/v1/failures/{id}",
    operationId: "editFailure",
    summary: "Edit the event of a failure",
    description:
      "A JSON Patch (RFC 6902) of the event as the contract sees it: a CSV row by its columns, the data of a CloudEvent. It is " +
      "kept only when the event then fits, beside the original, in place of the edit before; retries and replays use it. " +
      "An empty patch takes the edit away. With `dryRun=true` it is judged and not kept.",
    tag: "failures",
    params: { id: described("`fail_…`", z.string()) },
    query: {
      dryRun: booleanParameter("`true`: judge it, keep nothing, answer with what would become of the event."),
      reason: reasonParameter,
    },
    headers: { "If-Match": "The ETag you have, needed to keep an edit: 412 when it has changed since." },
    body: { "application/json-patch+json": patchBody, "application/json": patchBody },
    responses: {
      200: {
        description: "The failure with its edit; for a dry run what it would do.",
        headers: etagHeader,
        content: {
          "application/json": {
            schema: z.union([failureSchema, previewSchema]),
            example: { ...failureExample, edit: editExample, version: 2 },
          },
        },
      },
    },
    problems: [
      ...(["FAILURE_UNKNOWN", "STATE_CONFLICT", "ETAG_STALE", "IF_MATCH_MISSING", "PATCH_INVALID"] as const),
      ...(["EDIT_REFUSED", "DRY_RUN_ENDED", "TOO_BUSY"] as const),
      ...jsonBodyProblems,
    ],
  },
  async (call) => {
    const { services, principal, query } = call;
    if (!query.dryRun && !call.request.headers.has("if-match")) {
      throw new EventPulseError("IF_MATCH_MISSING", "Send If-Match with the ETag of the failure that you have read.");
    }
    const types = ["application/json-patch+json", "application/json"] as const;
    const options = { types, bytesMax: patchBytesMax } as const;
    const patch = readPatch(await readJsonBody(call.request, call.environment, z.unknown(), options));
    const { failure, payload } = await knownPayload(call, call.params.id);
    checkIfMatch(call.request, failure.version);
    const judge = async () =>
      services.judgeEdit({ failure, payload, object: await services.readRaw(failure.rawKey), patch });
    if (query.dryRun) return respondJson(call, 200, await preview(call, failure, await judge()));
    const reason = query.reason ?? null;
    const edit: FailureEdit | null =
      patch.length === 0 ? null : { patch, by: principal.name, at: Date.now(), reason, sha256: (await judge()).sha256 };
    const audit = auditDraft(call, "failure.edit", failure.id, {
      reason,
      hashBefore: failure.edit?.sha256 ?? failure.payloadSha256,
      hashAfter: edit?.sha256 ?? failure.payloadSha256,
      details: { operations: patch.length },
    });
    // The version that was judged, also where the client takes any: another edit may have come between.
    const kept = orUnknown(await services.failures.edit(principal.tenant, failure.id, failure.version, edit, audit));
    return respondJson(call, 200, failureView(services, kept), { etag: `"${kept.version}"` });
  },
);

/** A preview shows the event, so it is a view of the payload. */
async function preview(
  scope: KnownScope,
  failure: Failure,
  { before, after, sha256, outcome, results }: EditJudgement,
): Promise<z.input<typeof previewSchema>> {
  const fields = personalFields(scope.services, failure.stream);
  const shown = (value: unknown) => (fields === null ? mask : maskPersonal(value, fields));
  await scope.services.audit.append(
    auditDraft(scope, "payload.view", failure.id, {
      hashBefore: failure.payloadSha256,
      hashAfter: sha256,
      details: { masked: fields?.length !== 0, edited: true },
    }),
  );
  return {
    before: before === null ? null : shown(JSON.parse(before)),
    after: shown(JSON.parse(after)),
    outcome,
    results: results.map(shown),
  };
}

export const failureEditRoutes: readonly Endpoint[] = [editFailure];
