import * as z from "zod";
import { type Anomaly, anomalyStates } from "../../model/anomaly.ts";
import { EventPulseError } from "../../model/error.ts";
import { severities } from "../../model/incident.ts";
import { anomalyExample, anomalyJson, anomalySchema } from "../anomaly-json.ts";
import { auditDraft } from "../audit-draft.ts";
import { described, named } from "../described.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { checkIfMatch, etagHeader, hasIfMatch, ifMatchHeader } from "../if-match.ts";
import { jsonBodyProblems, readJsonBody } from "../json-body.ts";
import { listEndpoint } from "../list-endpoint.ts";
import { choiceParameter, textParameter, timeParameter } from "../parameters.ts";
import { respondResource } from "../respond.ts";

const params = { id: described("`anom_…`", z.string()) };
const anomalyResponse = {
  description: "The anomaly.",
  headers: etagHeader,
  content: { "application/json": { schema: anomalySchema, example: anomalyExample } },
};

const listAnomalies = listEndpoint(
  {
    path: "/v1/anomalies",
    operationId: "listAnomalies",
    summary: "List anomalies",
    description: "Newest first.",
    tag: "anomalies",
    query: {
      stream: textParameter("Of this stream."),
      rule: textParameter("Found by this rule."),
      state: choiceParameter("In this state.", anomalyStates),
      incident: textParameter("Of this incident."),
      severity: choiceParameter("Whose incident was so severe then.", severities),
      from: timeParameter("Event time, inclusive."),
      to: timeParameter("Event time, exclusive."),
    },
  },
  { name: "AnomalyPage", words: "anomalies", schema: anomalySchema, example: anomalyExample, json: anomalyJson },
  (call, query) => call.services.anomalies.query(query),
);

const getAnomaly = endpoint(
  {
    method: "GET",
    path: "/v1/anomalies/{id}",
    operationId: "getAnomaly",
    summary: "Get an anomaly",
    tag: "anomalies",
    params,
    headers: { "If-None-Match": "The ETag you have: 304 when it is still the same." },
    responses: { 200: anomalyResponse, 304: { description: "You have it already.", content: {} } },
    problems: ["ANOMALY_UNKNOWN"],
  },
  async (call) => {
    const anomaly = await call.services.anomalies.get(call.principal.tenant, call.params.id);
    if (anomaly === null) throw unknownAnomaly();
    return respondResource(call, call.request, anomalyJson(anomaly), anomaly.version);
  },
);

const changeSchema = named(
  "AnomalyChange",
  "What somebody thinks of an anomaly. What is left out stays as it is.",
  z
    .strictObject({
      state: z.enum(anomalyStates).optional(),
      note: described("null removes it.", z.string().max(1_000).nullable()).optional(),
    })
    .refine(({ state, note }) => state !== undefined || note !== undefined, { error: "Give state, note or both" }),
);

/** Tries when others change the same anomaly at the same time and the client did not ask for a certain version. */
const racesMax = 5;

const annotateAnomaly = endpoint(
  {
    method: "PATCH",
    path: "/v1/anomalies/{id}",
    operationId: "annotateAnomaly",
    summary: "Acknowledge an anomaly, or call it a false positive",
    description:
      "A false positive makes its rule more lenient for its key, from the next event on, until that is taken back. The audit log says who changed what, with the note as the reason.",
    tag: "anomalies",
    params,
    headers: ifMatchHeader,
    body: { "application/json": { schema: changeSchema, example: { state: "acknowledged", note: "Black Friday" } } },
    responses: { 200: anomalyResponse },
    problems: ["ANOMALY_UNKNOWN", "ETAG_STALE", ...jsonBodyProblems],
  },
  async (call) => {
    const change = await readJsonBody(call.request, call.environment, changeSchema);
    const { anomalies } = call.services;
    const { tenant } = call.principal;
    for (let attempt = 1; ; attempt++) {
      const current = await anomalies.get(tenant, call.params.id);
      if (current === null) throw unknownAnomaly();
      checkIfMatch(call.request, current.version);
      const { state = current.state, note = current.note } = change;
      let changed: Anomaly | null;
      try {
        const audit = auditDraft(call, "anomaly.change", current.id, {
          reason: note,
          details: { rule: current.rule, before: current.state, after: state },
        });
        changed = await anomalies.annotate(tenant, current.id, current.version, { state, note }, audit);
      } catch (error) {
        const raced = error instanceof EventPulseError && error.code === "ETAG_STALE";
        if (raced && !hasIfMatch(call.request) && attempt < racesMax) continue;
        throw error;
      }
      if (changed === null) throw unknownAnomaly();
      return respondResource(call, call.request, anomalyJson(changed), changed.version);
    }
  },
);

function unknownAnomaly(): EventPulseError {
  return new EventPulseError("ANOMALY_UNKNOWN", "No anomaly has this id; GET /v1/anomalies lists them.");
}

export const anomaliesRoutes: readonly Endpoint[] = [listAnomalies, getAnomaly, annotateAnomaly];
