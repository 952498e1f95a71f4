import * as z from "zod";
import { type AuditEntry, auditActions } from "../../model/audit.ts";
import { described, named, timeText } from "../described.ts";
import type { Endpoint } from "../endpoint.ts";
import { listEndpoint } from "../list-endpoint.ts";
import { choiceParameter, textParameter, timeParameter } from "../parameters.ts";

const hashText = (description: string) => described(`${description} SHA-256, hex.`, z.string());

const entrySchema = named(
  "AuditEntry",
  "Who saw original bytes, or changed what becomes of a failure. Entries are never changed; each carries the hash of the one before.",
  z.object({
    sequence: described("1, 2, 3, … without gaps.", z.int()),
    at: timeText("When it was done."),
    tenant: z.string(),
    actor: described("Who: the name of a key.", z.string()),
    action: z.enum(auditActions),
    target: described("What it was done to: `fail_…`, `iss_…`, `job_…`, or a stream.", z.string()),
    reason: described("Why, in the actor's words.", z.string().nullable()),
    hashBefore: hashText("Of the event before.").nullable(),
    hashAfter: hashText("Of the event after.").nullable(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    previousHash: described("`hash` of the entry before; 64 zeros for the first.", z.string()),
    hash: hashText("Over everything above."),
  }),
);

const example = {
  sequence: 17,
  at: "2026-01-31T12:20:00.000Z",
  tenant: "default",
  actor: "ops",
  action: "payload.view" as const,
  target: "fail_019c13d0a7b24e6f8a51c0de",
  reason: "the customer asked what we have of them",
  hashBefore: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  hashAfter: null,
  details: { masked: false, edited: false },
  previousHash: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
  hash: "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
};

const listAudit = listEndpoint(
  {
    path: "/v1/audit",
    operationId: "listAudit",
    summary: "List audit entries",
    description: "Oldest first, in the order in which they are chained.",
    tag: "operations",
    query: {
      action: choiceParameter("Of this kind.", auditActions),
      target: textParameter("Of what was done to this failure, issue, job or stream."),
      actor: textParameter("Of what this principal did."),
      from: timeParameter("When it was done, inclusive."),
      to: timeParameter("When it was done, exclusive."),
    },
  },
  {
    name: "AuditPage",
    words: "audit entries",
    schema: entrySchema,
    example,
    json: (entry: AuditEntry) => JSON.stringify({ ...entry, at: new Date(entry.at).toISOString() }),
  },
  (call, query) => call.services.audit.query(query),
);

export const auditRoutes: readonly Endpoint[] = [listAudit];
