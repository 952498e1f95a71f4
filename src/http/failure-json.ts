import * as z from "zod";
import { type Failure, failureClasses, failureStages, failureStates } from "../model/failure.ts";
import { doors } from "../model/glossary.ts";
import type { PatchOperation } from "../model/recipe.ts";
import { mask, maskPersonal } from "../pipeline/failures/mask.ts";
import { pointerParts } from "../pipeline/process/json-pointer.ts";
import { described, named, timeText } from "./described.ts";
import { errorDetailSchema } from "./problem.ts";
import type { Services } from "./services.ts";

/** RFC 6902. `value` is anything, also nothing. */
export const patchSchema = named(
  "JsonPatch",
  "Changes of an event (RFC 6902), in order.",
  z.array(
    z.object({
      op: z.enum(["add", "remove", "replace", "move", "copy", "test"]),
      path: described("A JSON Pointer into the event.", z.string()),
      from: described("Where `move` and `copy` take it from.", z.string()).optional(),
      value: z.unknown().optional(),
    }),
  ),
);

const editSchema = named(
  "FailureEdit",
  "A change of the event that was judged good; every retry and replay uses it. The original stays.",
  z.object({
    patch: described("Values of personal fields are masked.", patchSchema),
    by: z.string(),
    at: timeText("When it was kept."),
    reason: z.string().nullable(),
    sha256: described("Of the event after it, as JSON text.", z.string()),
  }),
);

export const failureSchema = named(
  "Failure",
  "An event that could not be processed, kept with its original bytes until it is retried, discarded or expires.",
  z.object({
    id: z.string(),
    stream: z.string(),
    door: z.enum(doors),
    state: described(
      "`quarantined` needs an edit or a code change; `dead` ran out of attempts.",
      z.enum(failureStates),
    ),
    class: z.enum(failureClasses),
    stage: described("Where in processing it failed.", z.enum(failureStages)),
    code: described("As explained under `/problems/{code}`.", z.string()),
    errors: described("Each reason, with a JSON Pointer into the event.", z.array(errorDetailSchema)),
    attempts: z.int(),
    firstSeenAt: timeText("When it failed first."),
    lastSeenAt: timeText("When it failed last."),
    expiresAt: timeText("When retention may remove it."),
    traceId: described("From the request's `traceparent`.", z.string().nullable()),
    principal: described("Who sent the event.", z.string()),
    contractVersion: z.string(),
    fingerprint: described("The same for failures with the same cause.", z.string()),
    recoverable: z.boolean(),
    recoverableWhy: z.string(),
    rawKey: z.string(),
    rawIndex: z.int(),
    eventId: z.string().nullable(),
    contentType: z.string(),
    headers: z.record(z.string(), z.string()),
    payloadBytes: z.int(),
    payloadSha256: z.string(),
    edit: editSchema.nullable(),
    jobId: described("The job that processed it last.", z.string().nullable()),
    recordId: described("The record it became, once recovered.", z.string().nullable()),
    note: described("Why it was discarded, and by whom.", z.string().nullable()),
    version: described("Counts changes; the ETag.", z.int()),
  }),
);

export const failureExample = {
  id: "fail_019c13d0a7b24e6f8a51c0de",
  stream: "orders",
  door: "http" as const,
  state: "quarantined" as const,
  class: "invalid" as const,
  stage: "validate" as const,
  code: "CONTRACT_BROKEN",
  errors: [{ pointer: "/total", code: "CONTRACT_BROKEN", detail: "must be a number", actual: '"many"' }],
  attempts: 1,
  firstSeenAt: "2026-01-31T12:00:00.412Z",
  lastSeenAt: "2026-01-31T12:00:00.412Z",
  expiresAt: "2026-02-07T12:00:00.412Z",
  traceId: null,
  principal: "anonymous",
  contractVersion: "4be1c0a29f11",
  fingerprint: "9d7c5f20e3ab",
  recoverable: true,
  recoverableWhy: "Correct the event and send it again.",
  rawKey: "raw/orders/2026/01/31/000000000000a3f0",
  rawIndex: 1,
  eventId: "o-1002",
  contentType: "application/json",
  headers: { "content-type": "application/json" },
  payloadBytes: 57,
  payloadSha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  edit: null,
  jobId: null,
  recordId: null,
  note: null,
  version: 1,
};

export const editExample = {
  patch: [{ op: "replace" as const, path: "/total", value: 18.5 }],
  by: "ops",
  at: "2026-01-31T12:20:00.000Z",
  reason: "the shop sent a text",
  sha256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
};

/** A failure as the API shows it: everything but the tenant and what is personal in its edit. */
export function failureView(
  services: Pick<Services, "project">,
  { tenant: _, edit, ...failure }: Failure,
): z.input<typeof failureSchema> {
  return {
    ...failure,
    errors: [...failure.errors],
    headers: { ...failure.headers },
    firstSeenAt: new Date(failure.firstSeenAt).toISOString(),
    lastSeenAt: new Date(failure.lastSeenAt).toISOString(),
    expiresAt: new Date(failure.expiresAt).toISOString(),
    edit: edit && {
      ...edit,
      at: new Date(edit.at).toISOString(),
      patch: edit.patch.map((operation) => maskedOperation(operation, personalFields(services, failure.stream))),
    },
  };
}

/** The same as JSON text. */
export function failureJson(services: Pick<Services, "project">, failure: Failure): string {
  return JSON.stringify(failureView(services, failure));
}

/** Dotted paths of personal data in events of a stream; null when the stream has left the config, so that nobody knows. */
export function personalFields(services: Pick<Services, "project">, stream: string): readonly string[] | null {
  return services.project().streams.get(stream)?.pii ?? null;
}

function maskedOperation(operation: PatchOperation, fields: readonly string[] | null): PatchOperation {
  if (operation.value === undefined || fields?.length === 0) return operation;
  if (fields === null) return { ...operation, value: mask };
  // The value in its place, alone: paths of personal fields begin at the top of the event.
  const parts = pointerParts(operation.path);
  const isIndex = (part: string) => /^(\d+|-)$/.test(part);
  const event = parts.reduceRight<unknown>(
    (inner, part) => (isIndex(part) ? [inner] : { [part]: inner }),
    operation.value,
  );
  let value: unknown = maskPersonal(event, fields);
  for (const part of parts) {
    if (typeof value !== "object" || value === null) break;
    value = Reflect.get(value, isIndex(part) ? 0 : part);
  }
  return { ...operation, value };
}
