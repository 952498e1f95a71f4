import * as z from "zod";
import { EventPulseError } from "../../model/error.ts";
import type { Failure } from "../../model/failure.ts";
import { maskedPayload } from "../../pipeline/failures/mask.ts";
import { auditDraft } from "../audit-draft.ts";
import { described } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { personalFields } from "../failure-json.ts";
import { knownPayload } from "../known-failure.ts";
import { booleanParameter, reasonParameter } from "../parameters.ts";
import { respond } from "../respond.ts";
import type { Services } from "../services.ts";

const getPayload = endpoint(
  {
    method: "GET",
    path: "/v1/failures/{id}/payload",
    operationId: "getFailurePayload",
    summary: "Get the bytes that failed",
    description:
      "With personal fields masked; with `unmasked=true` and a reason byte for byte as they were sent. Every view is an " +
      "entry in the audit log. Always a download, whatever the bytes are: never let a browser guess.",
    tag: "failures",
    params: { id: described("`fail_…`", z.string()) },
    query: {
      unmasked: booleanParameter("`true`: show personal fields, too; needs a reason."),
      edited: booleanParameter("`true`: the event after the edit that is kept, as JSON."),
      reason: reasonParameter,
    },
    responses: {
      200: {
        description: "The bytes.",
        headers: {
          "X-Original-Content-Type": "The content type they were sent with.",
          "X-Masked-Fields":
            "Paths of the fields that are masked, percent-encoded, with commas; left out when none is.",
        },
        content: { "application/octet-stream": { schema: null, example: '{"id":"o-1002","total":"many"}' } },
      },
    },
    problems: [
      ...(["FAILURE_UNKNOWN", "EDIT_UNKNOWN", "REASON_MISSING"] as const),
      ...(["PATCH_INVALID", "EDIT_REFUSED", "DRY_RUN_ENDED", "TOO_BUSY"] as const),
    ],
  },
  async (call) => {
    const { services, params, query } = call;
    if (query.unmasked && query.reason === undefined) {
      throw new EventPulseError("REASON_MISSING", "Say with reason=… why you need to see personal data.");
    }
    const { failure, payload } = await knownPayload(call, params.id);
    const whole = query.edited ? await editedEvent(services, failure, payload) : payload;
    const contentType = query.edited ? "application/json" : failure.contentType;
    const fields = query.unmasked ? [] : personalFields(services, failure.stream);
    const bytes = fields?.length === 0 ? whole : fields && maskedPayload(whole, contentType, fields);
    if (fields === null || bytes === null) throw cannotMask();
    const masked = fields.length > 0;
    await services.audit.append(
      auditDraft(call, "payload.view", failure.id, {
        reason: query.reason ?? null,
        hashBefore: failure.payloadSha256,
        hashAfter: query.edited ? (failure.edit?.sha256 ?? null) : null,
        details: { masked, edited: query.edited },
      }),
    );
    return respond(call, 200, "application/octet-stream", new Uint8Array(bytes), {
      "content-disposition": `attachment; filename="${failure.id.replaceAll(/[^\w-]/g, "")}.bin"`,
      "x-original-content-type": failure.contentType.replaceAll(/[^\x20-\x7e]/g, "?"),
      ...(masked ? { "x-masked-fields": fields.map(encodeURIComponent).join(", ") } : {}),
    });
  },
);

/** The event after the kept edit, judged by the contract of now. Throws EDIT_UNKNOWN and what `judgeEdit` throws. */
async function editedEvent(services: Services, failure: Failure, payload: Uint8Array): Promise<Uint8Array> {
  if (failure.edit === null) {
    throw new EventPulseError("EDIT_UNKNOWN", "This failure has no edit; PATCH /v1/failures/{id} makes one.");
  }
  const object = await services.readRaw(failure.rawKey);
  const { after } = await services.judgeEdit({ failure, payload, object, patch: failure.edit.patch });
  return new TextEncoder().encode(after);
}

function cannotMask(): EventPulseError {
  return new EventPulseError(
    "REASON_MISSING",
    "Nobody can tell where personal data is in these bytes, so they are not shown; ask with unmasked=true and reason=….",
  );
}

export const failurePayloadRoutes: readonly Endpoint[] = [getPayload];
