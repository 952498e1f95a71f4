import { type ErrorCode, type ErrorDetail, EventPulseError } from "../../model/error.ts";
import type { FailureClass, FailureStage } from "../../model/failure.ts";
import { partId, partIdentityHash } from "../../model/identity.ts";
import type { RawMeta } from "../../model/raw-object.ts";
import { recordId } from "../../model/record.ts";
import { isObject, notObject } from "../ingest/accept.ts";
import type { ReadEvent } from "../ingest/read-event.ts";
import type { Contract } from "./contract.ts";
import { type Identity, identify } from "./identify.ts";
import { applyTransform, serialise } from "./transform.ts";

/** One result of an event: a record but for its numbers and hashes. */
export interface EventRecord {
  readonly id: Uint8Array;
  readonly identity: Identity;
  readonly result: Record<string, unknown>;
  readonly dataJson: string;
}

export type EventResult =
  | { readonly kind: "stored"; readonly records: readonly EventRecord[] }
  | { readonly kind: "dropped"; readonly identity: Identity }
  | {
      readonly kind: "failed";
      readonly stage: FailureStage;
      readonly class: FailureClass;
      readonly code: ErrorCode;
      readonly errors: readonly ErrorDetail[];
      readonly identity: Identity | null;
      /** True when trying again may help. */
      readonly transient: boolean;
    };

/** Validate, identify and transform one event. Never throws for what an event or a transform does. */
export function processEvent(event: ReadEvent, meta: RawMeta, contract: Contract): EventResult | Promise<EventResult> {
  if (event.errors !== null) return failed("decode", decodeClass(event.errors), event.errors, null);
  if (!isObject(event.data)) return failed("decode", "invalid", notObject, null);
  const identity = identify(event, meta, contract.identity);
  const known = "time" in identity ? identity : null;
  const judgement = contract.judge(event.data);
  if (judgement instanceof Promise) return judgement.then((late) => judged(late));
  return judged(judgement);

  function judged(verdict: Awaited<ReturnType<Contract["judge"]>>): EventResult | Promise<EventResult> {
    // A broken contract is the better reason than the missing key that follows from it.
    if (!verdict.ok) return failed("validate", "invalid", verdict.errors, known, "CONTRACT_BROKEN");
    if (!("time" in identity)) return failed("identify", "invalid", identity, null);
    return transformed(event, meta, contract, identity, verdict.value);
  }
}

function transformed(
  event: ReadEvent,
  meta: RawMeta,
  contract: Contract,
  identity: Identity,
  value: unknown,
): EventResult | Promise<EventResult> {
  const { stream } = contract;
  // Nothing changed the event: keep its own text. A line break in it would split lines at the NDJSON exit.
  const dataJson = stream.transform === null && value === event.data ? ownText(event, meta) : null;
  if (dataJson !== null) {
    return {
      kind: "stored",
      records: [
        { id: recordId(identity.time, identity.bytes), identity, result: value as Record<string, unknown>, dataJson },
      ],
    };
  }
  try {
    const context = {
      stream: stream.name,
      tenant: meta.tenant,
      door: meta.door,
      receivedAt: meta.receivedAt,
      id: identity.id,
      attributes: event.attributes ?? {},
    };
    const applied = applyTransform(stream, value, context);
    if (applied instanceof Promise) {
      return applied.then(
        ({ results }) => resultsOf(results, meta, identity),
        (error: unknown) => threw(error, identity),
      );
    }
    return resultsOf(applied.results, meta, identity);
  } catch (error) {
    return threw(error, identity);
  }
}

function resultsOf(results: readonly unknown[], meta: RawMeta, identity: Identity): EventResult {
  if (results.length === 0) return { kind: "dropped", identity };
  try {
    const records = results.map((result, part) => {
      const dataJson = serialise(result);
      const own = part === 0 ? identity : partIdentity(meta, identity, part);
      return { id: recordId(own.time, own.bytes), identity: own, result: result as Record<string, unknown>, dataJson };
    });
    return { kind: "stored", records };
  } catch (error) {
    return threw(error, identity);
  }
}

function partIdentity(meta: RawMeta, identity: Identity, part: number): Identity {
  const id = partId(identity.id, part);
  const { hash53, bytes10 } = partIdentityHash(meta.tenant, meta.stream, identity.id, part);
  return {
    ...identity,
    id,
    eventId: identity.eventId === null ? null : id,
    hash: identity.hash === null ? null : hash53,
    bytes: bytes10,
  };
}

function threw(error: unknown, identity: Identity): EventResult {
  if (error instanceof EventPulseError) {
    const errors = error.errors.length > 0 ? error.errors : [{ pointer: "", code: error.code, detail: error.message }];
    return {
      kind: "failed",
      stage: "transform",
      class: "bug",
      code: error.code,
      errors,
      identity,
      transient: error.retry !== "never",
    };
  }
  // The first line of a foreign error may quote data, but it is the only hint there is: it goes to the failure, never to a log.
  const detail = `The transform threw: ${String(error).split("\n", 1)[0]?.slice(0, 300)}`;
  const errors = [{ pointer: "", code: "TRANSFORM_THREW", detail }];
  return {
    kind: "failed",
    stage: "transform",
    class: "bug",
    code: "TRANSFORM_THREW",
    errors,
    identity,
    transient: true,
  };
}

function failed(
  stage: FailureStage,
  failureClass: FailureClass,
  errors: readonly ErrorDetail[],
  identity: Identity | null,
  code = (errors[0]?.code ?? "INTERNAL") as ErrorCode,
): EventResult {
  return { kind: "failed", stage, class: failureClass, code, errors, identity, transient: false };
}

function decodeClass(errors: readonly ErrorDetail[]): FailureClass {
  return errors.some(({ code }) => code === "EVENT_TOO_LARGE" || code === "JSON_TOO_DEEP") ? "security" : "invalid";
}

/** The JSON text of its data as it was sent or mended; null where there is none that is one line. */
function ownText({ text, original }: ReadEvent, { format }: RawMeta): string | null {
  if (text !== undefined) return text;
  const json = format === "json" || format === "ndjson" || format === "cloudevent-binary";
  if (!json || original.indexOf(0x0a) >= 0) return null;
  return Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString("utf8");
}
