import * as z from "zod";
import { type Failure, failureClasses, failureStates } from "../../model/failure.ts";
import { auditDraft } from "../audit-draft.ts";
import { described } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { failureExample, failureJson, failureSchema, failureView } from "../failure-json.ts";
import { etagHeader, ifMatchHeader, wantedVersion } from "../if-match.ts";
import { knownFailure, orUnknown } from "../known-failure.ts";
import { listEndpoint } from "../list-endpoint.ts";
import {
  choiceParameter,
  orderParameter,
  reasonCharactersMax,
  reasonParameter,
  textParameter,
  timeParameter,
} from "../parameters.ts";
import { respondJson, respondResource } from "../respond.ts";
import { failureEditRoutes } from "./failure-edit.ts";
import { failurePayloadRoutes } from "./failure-payload.ts";

const params = { id: described("`fail_…`", z.string()) };

const listFailures = listEndpoint(
  {
    path: "/v1/failures",
    operationId: "listFailures",
    summary: "List failures",
    description: "By the time they were last seen. `where[…]` looks into the event as it was sent.",
    tag: "failures",
    query: {
      stream: textParameter("Of this stream."),
      state: choiceParameter("In this state.", failureStates),
      class: choiceParameter("Of this class.", failureClasses),
      code: textParameter("With this code."),
      fingerprint: textParameter("With this cause."),
      from: timeParameter("Last seen, inclusive."),
      to: timeParameter("Last seen, exclusive."),
      contains: textParameter("With this text in its payload, byte for byte."),
      order: orderParameter,
    },
    conditions: true,
  },
  {
    name: "FailurePage",
    words: "failures",
    schema: failureSchema,
    example: failureExample,
    json: (row: Failure, { services }) => failureJson(services, row),
  },
  (call, query) => call.services.failures.query({ ...query, where: call.conditions }),
);

const getFailure = endpoint(
  {
    method: "GET",
    path: "/v1/failures/{id}",
    operationId: "getFailure",
    summary: "Get a failure",
    tag: "failures",
    params,
    headers: { "If-None-Match": "The ETag you have: 304 when it is still the same." },
    responses: {
      200: {
        description: "The failure.",
        headers: etagHeader,
        content: { "application/json": { schema: failureSchema, example: failureExample } },
      },
      304: { description: "You have it already.", content: {} },
    },
    problems: ["FAILURE_UNKNOWN"],
  },
  async (call) => {
    const failure = await knownFailure(call, call.params.id);
    return respondResource(call, call.request, failureJson(call.services, failure), failure.version);
  },
);

const retryFailure = endpoint(
  {
    method: "POST",
    path: "/v1/failures/{id}/retry",
    operationId: "retryFailure",
    summary: "Process a failure again",
    description: "With its edit, and the contract and transform of now. Its state tells how it went.",
    tag: "failures",
    params,
    query: { reason: reasonParameter },
    headers: ifMatchHeader,
    responses: {
      202: {
        description: "It will be tried.",
        headers: { ...etagHeader, Location: "The failure, to see how it goes." },
        content: {
          "application/json": { schema: failureSchema, example: { ...failureExample, state: "retrying", version: 2 } },
        },
      },
    },
    problems: ["FAILURE_UNKNOWN", "STATE_CONFLICT", "ETAG_STALE", "TOO_BUSY"],
  },
  async (call) => {
    const { services, principal, params } = call;
    const { payloadSha256, edit, version: current } = await knownFailure(call, params.id);
    const version = wantedVersion(call.request, current);
    const audit = auditDraft(call, "failure.retry", params.id, {
      reason: call.query.reason ?? null,
      hashBefore: payloadSha256,
      hashAfter: edit?.sha256 ?? null,
    });
    const failure = orUnknown(await services.failures.retry(principal.tenant, params.id, version, audit));
    const location = `/v1/failures/${encodeURIComponent(failure.id)}`;
    return respondJson(call, 202, failureView(services, failure), { location, etag: `"${failure.version}"` });
  },
);

const discardFailure = endpoint(
  {
    method: "DELETE",
    path: "/v1/failures/{id}",
    operationId: "discardFailure",
    summary: "Discard a failure",
    description: "It counts as dropped from then on, and stays in the log with the reason until it expires.",
    tag: "failures",
    params,
    query: {
      reason: described(
        "Why it is not needed, for those who look later; kept in the audit log.",
        z
          .string({ error: "is required" })
          .min(1, { error: "is required" })
          .max(reasonCharactersMax, { error: `must have up to ${reasonCharactersMax} characters` }),
      ),
    },
    headers: ifMatchHeader,
    responses: {
      200: {
        description: "It is discarded.",
        headers: etagHeader,
        content: {
          "application/json": {
            schema: failureSchema,
            example: { ...failureExample, state: "discarded", note: "anonymous: a test of the sender", version: 2 },
          },
        },
      },
    },
    problems: ["FAILURE_UNKNOWN", "STATE_CONFLICT", "ETAG_STALE"],
  },
  async (call) => {
    const { services, principal, params, query } = call;
    const { payloadSha256, version: current } = await knownFailure(call, params.id);
    const version = wantedVersion(call.request, current);
    const audit = auditDraft(call, "failure.discard", params.id, {
      reason: query.reason,
      hashBefore: payloadSha256,
    });
    const note = `${principal.name}: ${query.reason}`;
    const failure = orUnknown(await services.failures.discard(principal.tenant, params.id, version, note, audit));
    return respondJson(call, 200, failureView(services, failure), { etag: `"${failure.version}"` });
  },
);

export const failuresRoutes: readonly Endpoint[] = [
  listFailures,
  getFailure,
  ...failurePayloadRoutes,
  ...failureEditRoutes,
  retryFailure,
  discardFailure,
];
